import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { AppError, type Assignment } from '@baton/contract';
import { shapeFault } from '../link/frame-text.ts';

/** The directory in a workspace through which an agent without tools receives and hands in. */
export const DOT_BATON = '.baton';

/** What an agent left in `.baton/`. `faults` name files that could not be read, with the reason. */
export interface HandedIn {
  readonly result: unknown;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly faults: readonly string[];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
const FILE_BYTES_MAX = 1024 * 1024;

/**
 * Puts `.baton/inputs/<name>.json`, `.baton/wake.json` and `outputs/` into a workspace. The directory ignores
 * itself, so that no repository's history or exclude file is touched.
 * @throws {AppError} workspace_failed when the repository has something else in that place
 */
export function writeDotBaton(
  workspacePath: string,
  inputs: Readonly<Record<string, unknown>>,
  wake?: unknown,
): void {
  const root = join(workspacePath, DOT_BATON);
  for (const dir of [root, join(root, 'inputs'), join(root, 'outputs')]) ensureRealDir(dir);
  writeFresh(join(root, '.gitignore'), '*\n');
  rmSync(join(root, 'result.json'), { force: true });
  rmSync(join(root, 'wake.json'), { force: true });
  if (wake !== undefined) {
    writeFresh(join(root, 'wake.json'), `${JSON.stringify(wake, null, 2)}\n`);
  }
  for (const [name, data] of Object.entries(inputs)) {
    if (!NAME.test(name))
      throw new AppError('workspace_failed', `"${name}" is no name of an input.`);
    writeFresh(join(root, 'inputs', `${name}.json`), `${JSON.stringify(data, null, 2)}\n`);
  }
}

/** Reads `.baton/result.json` and `.baton/outputs/*.json`; never follows links, never throws. */
export function readDotBaton(workspacePath: string): HandedIn {
  const root = join(workspacePath, DOT_BATON);
  const faults: string[] = [];
  const outputs: Record<string, unknown> = {};
  const read = (path: string, label: string): unknown => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (!stat.isFile()) faults.push(`${label}: not a plain file`);
    else if (stat.size > FILE_BYTES_MAX) faults.push(`${label}: over ${FILE_BYTES_MAX} bytes`);
    else {
      try {
        const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
        const fault = typeof value === 'object' && value !== null ? shapeFault(value) : undefined;
        if (fault === undefined) return value;
        faults.push(`${label}: ${fault}`);
      } catch (error) {
        faults.push(`${label}: ${error instanceof Error ? error.message : 'unreadable'}`);
      }
    }
    return undefined;
  };
  if (!isRealDir(root)) return { result: undefined, outputs, faults };
  const result = read(join(root, 'result.json'), 'result.json');
  const dir = join(root, 'outputs');
  for (const file of isRealDir(dir) ? readdirSync(dir).toSorted() : []) {
    const key = file.replace(/\.json$/, '');
    if (key === file || !NAME.test(key)) continue;
    const data = read(join(dir, file), `outputs/${file}`);
    if (data !== undefined) outputs[key] = data;
  }
  return { result, outputs, faults };
}

/**
 * Adds a message to the agent to `.baton/notes.jsonl`, one JSON document a line. Nothing happens where the
 * directory is not ours any more; links are not followed. @throws the file system's error
 */
export function appendNote(workspacePath: string, note: object): void {
  const root = join(workspacePath, DOT_BATON);
  if (!isRealDir(root)) return;
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = openSync(join(root, 'notes.jsonl'), flags, 0o644);
  try {
    writeSync(fd, `${JSON.stringify(note)}\n`);
  } finally {
    closeSync(fd);
  }
}

/**
 * Puts what changed about the task into `.baton/updates/<number>.json`, numbered from 1, and tells the
 * agent by an urgent note. Nothing happens where the directory is not ours any more.
 * @throws the file system's error
 */
export function writeUpdate(
  workspacePath: string,
  { title, spec }: Pick<Assignment['task'], 'title' | 'spec'>,
  fields: readonly string[],
): void {
  const root = join(workspacePath, DOT_BATON);
  if (!isRealDir(root)) return;
  const dir = join(root, 'updates');
  ensureRealDir(dir);
  const update = { fields, task: { title, ...spec } };
  const number = readdirSync(dir).filter((name) => name.endsWith('.json')).length + 1;
  writeFresh(join(dir, `${number}.json`), `${JSON.stringify(update, null, 2)}\n`);
  const text = `The task was changed (${fields.join(', ')}): read the newest file in .baton/updates and go by it.`;
  appendNote(workspacePath, { author: 'baton', text, urgent: true });
}

function ensureRealDir(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (isRealDir(path)) return;
    throw new AppError('workspace_failed', `${path} is needed by Baton but is no directory.`);
  }
}

/** A repository may hold a link in our place: it is replaced, never followed. */
function writeFresh(path: string, text: string): void {
  rmSync(path, { recursive: true, force: true });
  writeFileSync(path, text, { flag: 'wx' });
}

function isRealDir(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
