import { execFile } from 'node:child_process';

/** A program that was found, with what it says of its version. */
export interface ProgramVersion {
  readonly text: string;
}

const PATIENCE_MS = 10_000;

/** Asks a program on PATH for its version; undefined when it is not there. */
export function findProgramVersion(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<ProgramVersion | undefined> {
  return new Promise((resolve) => {
    const options = { timeout: PATIENCE_MS, env, windowsHide: true };
    execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error !== null && 'code' in error && error.code === 'ENOENT') resolve(undefined);
      else {
        const [first = ''] = `${stdout}\n${stderr}`
          .split('\n')
          .filter((line) => line.trim() !== '');
        resolve({ text: first.trim() });
      }
    });
  });
}
