import { Buffer } from 'node:buffer';
import { DEFAULTS } from '@baton/contract';
import type { AgentOutcome } from '@baton/contract';
import { join } from 'node:path';
import { lastLines, tail } from '../cut.ts';
import { defaultStop, ENGINE_LIMITS } from '../engine.ts';
import type {
  Detection,
  Engine,
  EngineReader,
  Env,
  LaunchRequest,
  Planned,
  ProcessExit,
} from '../engine.ts';
import { StderrTail, summaryOf } from '../jsonl-reader.ts';
import { findProgram } from '../program.ts';

/** Any command: the spec, run by `sh -c` in the workspace. Its exit code is its outcome. */
export const shellEngine: Engine = {
  name: 'shell',
  aliases: ['sh', 'command'],
  title: 'Shell command',
  testedVersion: null,
  traits: { prompt: false, resume: false, commits: true, reachesSocket: true },
  stop: defaultStop,
  detect,
  plan,
  openReader,
};

async function detect(env: Env): Promise<Detection> {
  const path = await findProgram('sh', env);
  return {
    found: path !== undefined,
    path: path ?? null,
    version: null,
    auth: 'ok',
    newerThanTested: false,
    problem: path === undefined ? 'there is no sh on the PATH' : null,
  };
}

function plan(request: LaunchRequest): Planned {
  // One argument of a process is limited (128 KiB on Linux): a longer script goes through a file.
  const isLong = Buffer.byteLength(request.spec) > ENGINE_LIMITS.argBytesMax;
  const script = join(request.attemptDir, 'command.sh');
  const program = request.program ?? 'sh';
  return {
    ok: true,
    plan: {
      argv: isLong ? [program, script] : [program, '-c', request.spec],
      env: {},
      stdin: null,
      files: isLong ? [{ path: script, content: request.spec, mode: 0o600 }] : [],
      conversationId: null,
      warnings: [],
    },
  };
}

/** Raw output is its own log; of a command only the outcome is an event. */
function openReader(): EngineReader {
  const stdout = new TextTail();
  const stderr = new StderrTail();
  return {
    push(chunk, stream) {
      if (stream === 'stdout') stdout.push(chunk);
      else stderr.push(chunk);
      return [];
    },
    end(exit) {
      const text = stdout.end();
      const outcome = outcomeOf(exit, text, stderr.end());
      return { events: [outcome], outcome, finalText: text, usage: null, conversationId: null };
    },
  };
}

function outcomeOf(exit: ProcessExit, stdout: string, stderr: string): AgentOutcome {
  const how = { type: 'outcome' as const, exit_code: exit.code, signal: exit.signal };
  if (exit.stopped === undefined && exit.code === 0) {
    const summary = summaryOf(lastLines(stdout, DEFAULTS.outputTailLines));
    return { ...how, status: 'ok', summary, exit_reason: 'exit_code' };
  }
  // What went wrong is on stderr by custom; on stdout when there is nothing else.
  const said = lastLines(stderr === '' ? stdout : stderr, DEFAULTS.outputTailLines);
  const ended =
    exit.stopped !== undefined
      ? `the command was stopped (${exit.stopped})`
      : exit.signal !== null
        ? `the command was killed (${exit.signal})`
        : `the command ended with exit code ${exit.code}`;
  return {
    ...how,
    status: 'failed',
    failure_class: exit.stopped ?? 'agent_error',
    summary: summaryOf(said === '' ? ended : `${ended}\n${said}`),
    exit_reason:
      exit.stopped !== undefined ? 'stopped' : exit.signal !== null ? 'signal' : 'exit_code',
  };
}

/** The last `finalTextCharsMax` characters of a stream of bytes, at least. */
class TextTail {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #text = '';

  push(chunk: Uint8Array): void {
    this.#text += this.#decoder.decode(chunk, { stream: true });
    // Cut rarely: each cut copies.
    if (this.#text.length > 2 * ENGINE_LIMITS.finalTextCharsMax) this.#text = this.#kept();
  }

  end(): string {
    this.#text += this.#decoder.decode();
    return this.#kept();
  }

  #kept(): string {
    return tail(this.#text, ENGINE_LIMITS.finalTextCharsMax);
  }
}
