import type { Detection, Env } from './engine.ts';
import { findProgram, isNewer, runProgram, versionIn } from './program.ts';

/** Finds an agent program, asks its version, and lets the engine find out whether it is logged in. */
export async function detectAgent(
  env: Env,
  agent: {
    readonly program: string;
    readonly testedVersion: string;
    readonly install: string;
    readonly login: string;
    readonly auth: (path: string) => Promise<Detection['auth']>;
  },
): Promise<Detection> {
  const path = await findProgram(agent.program, env);
  if (path === undefined) {
    return absent(null, `${agent.program} is not on the PATH; install it: ${agent.install}`);
  }
  const answer = await runProgram(path, ['--version'], env);
  const version = answer.code === 0 ? versionIn(answer.stdout) : undefined;
  if (version === undefined) {
    const why = answer.timedOut ? 'gave no answer in time' : 'did not print a version';
    return absent(path, `${path} --version ${why}; install it again: ${agent.install}`);
  }
  const auth = await agent.auth(path);
  return {
    found: true,
    path,
    version,
    auth,
    newerThanTested: isNewer(version, agent.testedVersion),
    problem: auth === 'missing' ? `${agent.program} is not logged in: ${agent.login}` : null,
  };
}

function absent(path: string | null, problem: string): Detection {
  return { found: false, path, version: null, auth: 'unknown', newerThanTested: false, problem };
}
