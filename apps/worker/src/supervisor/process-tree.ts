import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** One process. `born` tells two lives of the same pid apart; empty where the system does not say. */
export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly born: string;
}

/** What belongs to an agent: its pid (leader of its group and session) and the mark in its environment. */
export interface TreeQuery {
  readonly attemptId: string;
  /** Absent when only the mark is known, e.g. after the supervisor was killed. */
  readonly leaderPid?: number;
  /** `born` of the leader: a later process with its number is then never taken for it. */
  readonly leaderBorn?: string;
}

/** The variable by which a process that left group and session is still recognised. */
export const TREE_MARK = 'BATON_ATTEMPT_ID';

/** All living processes that this user may see; zombies are left out. */
export function listProcesses(): readonly ProcessRow[] {
  return process.platform === 'linux' ? listFromProc() : listFromPs();
}

/**
 * Every process of an agent: its group, its session, those that carry its mark, and all their
 * descendants. Never the caller. About 5 ms for 200 processes. Only a process that has left group,
 * session, parent and environment all at once escapes it.
 */
export function findTree(query: TreeQuery): readonly ProcessRow[] {
  const rows = listProcesses().filter((row) => row.pid !== process.pid && row.pid !== 1);
  const marked = findMarked(rows, query.attemptId);
  const members = new Set<number>();
  const leader = rows.some((row) => isImpostor(row, query)) ? undefined : query.leaderPid;
  for (const row of rows) {
    const own = leader !== undefined && [row.pid, row.pgid, row.sid].includes(leader);
    if (own || marked.has(row.pid)) members.add(row.pid);
  }
  for (let before = -1; before !== members.size;) {
    before = members.size;
    for (const row of rows) if (members.has(row.ppid)) members.add(row.pid);
  }
  return rows.filter((row) => members.has(row.pid));
}

/** Whether this very process (not a later one with its number) is alive and not a zombie. */
export function isProcessAlive(row: Pick<ProcessRow, 'pid' | 'born'>): boolean {
  if (process.platform === 'linux') {
    const now = readStat(row.pid);
    return now !== undefined && (row.born === '' || now.born === row.born);
  }
  try {
    process.kill(row.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** `born` of a living process; undefined when there is none. */
export function findBorn(pid: number): string | undefined {
  return process.platform === 'linux'
    ? readStat(pid)?.born
    : isProcessAlive({ pid, born: '' })
      ? ''
      : undefined;
}

/**
 * Ends a whole tree: TERM (and CONT, so that a stopped process hears it), `graceMs`, then KILL until
 * nothing is left. Processes that appear meanwhile are included. Gives up after 5 s of KILL (a
 * process stuck in the kernel); `survivors` says how many.
 */
export async function endTree(
  query: TreeQuery,
  graceMs: number,
): Promise<{ readonly ended: number; readonly survivors: number }> {
  const seen = new Map<string, ProcessRow>();
  const rescan = (): readonly ProcessRow[] => {
    const rows = findTree(query);
    for (const row of rows) {
      const key = `${row.pid}:${row.born}`;
      if (seen.has(key)) continue;
      seen.set(key, row);
      signal(row, 'SIGTERM');
      signal(row, 'SIGCONT');
    }
    return rows;
  };
  let alive = rescan();
  const termUntilMs = performance.now() + graceMs;
  for (let pauseMs = 5; alive.length > 0 && performance.now() < termUntilMs;) {
    await delay(Math.min(pauseMs, Math.max(1, termUntilMs - performance.now())));
    pauseMs = Math.min(pauseMs * 2, 100);
    alive = alive.filter(isProcessAlive);
    if (alive.length === 0) alive = rescan();
  }
  const killUntilMs = performance.now() + 5_000;
  for (alive = rescan(); alive.length > 0 && performance.now() < killUntilMs; alive = rescan()) {
    for (const row of alive) signal(row, 'SIGKILL');
    await delay(10);
  }
  return { ended: seen.size - alive.length, survivors: alive.length };
}

/** A number in use as group or session is not given out again, so a new owner means ours is gone. */
function isImpostor(row: ProcessRow, query: TreeQuery): boolean {
  const born = query.leaderBorn ?? '';
  return row.pid === query.leaderPid && born !== '' && row.born !== born;
}

function signal(row: ProcessRow, name: NodeJS.Signals): void {
  if (!isProcessAlive(row)) return;
  try {
    process.kill(row.pid, name);
  } catch {
    // Gone between the look and the signal, or another user's: the next scan tells.
  }
}

function findMarked(rows: readonly ProcessRow[], attemptId: string): ReadonlySet<number> {
  const mark = `${TREE_MARK}=${attemptId}`;
  if (process.platform !== 'linux') return findMarkedByPs(mark);
  const marked = new Set<number>();
  for (const row of rows) {
    try {
      const environment = readFileSync(`/proc/${row.pid}/environ`, 'latin1');
      if (`\0${environment}`.includes(`\0${mark}\0`)) marked.add(row.pid);
    } catch {
      // Another user's process, or gone.
    }
  }
  return marked;
}

function listFromProc(): readonly ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const row = readStat(pid);
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

function readStat(pid: number): ProcessRow | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is a name in parentheses that may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, ppid, pgid, sid] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return {
    pid,
    ppid: Number(ppid),
    pgid: Number(pgid),
    sid: Number(sid),
    born: fields[19] ?? '',
  };
}

function listFromPs(): readonly ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const line of runPs(['-axo', 'pid=,ppid=,pgid=,state='])) {
    const [pid, ppid, pgid, state] = line.trim().split(/\s+/);
    if (state === undefined || state.startsWith('Z')) continue;
    rows.push({ pid: Number(pid), ppid: Number(ppid), pgid: Number(pgid), sid: 0, born: '' });
  }
  return rows;
}

function findMarkedByPs(mark: string): ReadonlySet<number> {
  const marked = new Set<number>();
  for (const line of runPs(['-axEww', '-o', 'pid=,command='])) {
    if (line.split(' ').includes(mark)) marked.add(Number.parseInt(line.trim(), 10));
  }
  return marked;
}

function runPs(args: readonly string[]): readonly string[] {
  try {
    const options = { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
    return execFileSync('ps', args, options)
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return [];
  }
}
