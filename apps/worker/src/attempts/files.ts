import {
  assignment as assignmentSchema,
  usage,
  type Assignment,
  type Usage,
} from '@baton/contract';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { findJson, writeFileAtomic } from '../spool/durable-file.ts';
import { attemptPaths, createAttemptDir, listAttemptDirs } from '../spool/attempt-dir.ts';
import type { PendingReport, Report } from './report.ts';

/** What was decided at launch and is needed again to read the output. */
const planFile = z.object({
  engine: z.string(),
  /** The agent's own id, where it was known before the start. */
  conversation: z.string().nullable(),
  resumed: z.boolean(),
  model: z.string().nullable(),
  prompt_sha256: z.string(),
  /** Of the conversation before this attempt, where it goes on with one that counts so. */
  prior_usage: usage.nullable().default(null),
  /** What a person should know about the start. */
  warnings: z.array(z.string()).default([]),
});
export type PlanFile = z.infer<typeof planFile>;
export type PlanFileInput = z.input<typeof planFile>;

/** Who ended the agent, and why; noted before it is ended, so that a restart tells the same. */
const stopFile = z.object({
  kind: z.enum(['cancel', 'release', 'stale', 'yield']),
  reason: z.string(),
});
export type StopFile = z.infer<typeof stopFile>;

const heldFile = z.object({ reason: z.string() });

/** One more turn of the same agent, because its result broke a contract. */
const repairFile = z.object({
  /** The validator's words. */
  words: z.string(),
  conversation: z.string(),
  /** Of the first turn. */
  usage: usage.nullable(),
  /** Of the conversation, all turns of it; null when the agent does not count so. */
  prior_usage: usage.nullable(),
});
export type RepairFile = Omit<z.infer<typeof repairFile>, 'usage' | 'prior_usage'> & {
  readonly usage: Usage | null;
  readonly prior_usage: Usage | null;
};

/** The files of one run of the agent: the attempt itself, or its repair. */
export interface TurnFiles {
  /** 1, or 2 for a repair. */
  readonly turn: number;
  readonly dir: string;
  readonly promptPath: string;
  readonly transcriptPath: string;
  plan(): PlanFile | undefined;
  savePlan(plan: PlanFileInput): void;
  /** The result that the agent handed in by itself, before its end. */
  declared(): Report | undefined;
  saveDeclared(report: Report): void;
}

/** What the daemon itself keeps in an attempt directory, so that a restart goes on where it was. */
export interface AttemptFiles {
  readonly dir: string;
  assignment(): Assignment | undefined;
  /** Keeps the assignment, and what the agent may read of it. */
  saveAssignment(it: Assignment): void;
  /** The workspace was made to its end: a restart takes it as it is. */
  isPrepared(): boolean;
  markPrepared(): void;
  turn(turn: number): TurnFiles;
  stop(): StopFile | undefined;
  /** The first reason stands. */
  saveStop(stop: StopFile): void;
  /** The agent's process is to end, the attempt stays open: why. */
  held(): string | undefined;
  saveHeld(reason: string): void;
  repair(): RepairFile | undefined;
  saveRepair(repair: RepairFile): void;
  /** What is to be told to the control plane; kept until it was. */
  report(): PendingReport | undefined;
  saveReport(report: PendingReport): void;
  isDone(): boolean;
  /** Nothing more will be told of this attempt. */
  markDone(why: string): void;
}

/** Opens (and makes) the directory of an attempt. */
export function openAttemptFiles(dataDir: string, attemptId: string): AttemptFiles {
  const dir = createAttemptDir(dataDir, attemptId);
  const at = (name: string): string => join(dir, name);
  const find = <Shape extends z.ZodType>(name: string, shape: Shape) =>
    parsed(shape, findJson(at(name)));
  const files: AttemptFiles = {
    dir,
    assignment: () => find('assignment.json', assignmentSchema),
    saveAssignment(it) {
      save(at('assignment.json'), it);
      for (const turn of [1, 2]) {
        const path = attemptPaths(turnDir(dir, turn));
        if (existsSync(path.dir)) writeFileAtomic(path.task, agentView(it), { sync: false });
      }
    },
    isPrepared: () => existsSync(at('prepared.json')),
    markPrepared: () => save(at('prepared.json'), {}),
    turn: (turn) => openTurnFiles(dir, turn),
    stop: () => find('stop.json', stopFile),
    saveStop(stop) {
      if (files.stop() === undefined) save(at('stop.json'), stop);
    },
    held: () => find('held.json', heldFile)?.reason,
    saveHeld: (reason) => save(at('held.json'), { reason }),
    repair: () => find('repair.json', repairFile),
    saveRepair: (repair) => save(at('repair.json'), repair),
    report: () => findJson(at('report.json')) as PendingReport | undefined,
    saveReport: (report) => save(at('report.json'), report),
    isDone: () => existsSync(at('done.json')),
    markDone: (why) => save(at('done.json'), { why, at: new Date().toISOString() }),
  };
  return files;
}

/** What an attempt was given, as far as its directory is still there. */
export function findAssignment(dataDir: string, attemptId: string): Assignment | undefined {
  const found = listAttemptDirs(dataDir).find((it) => it.attemptId === attemptId);
  if (found === undefined) return undefined;
  return parsed(assignmentSchema, findJson(join(found.dir, 'assignment.json')));
}

/** The first turn lives in the attempt's own directory, a repair in one of its own inside. */
function turnDir(attemptDir: string, turn: number): string {
  return turn === 1 ? attemptDir : join(attemptDir, `turn-${turn}`);
}

function openTurnFiles(attemptDir: string, turn: number): TurnFiles {
  const dir = turnDir(attemptDir, turn);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return {
    turn,
    dir,
    promptPath: join(dir, 'prompt.txt'),
    transcriptPath: join(dir, 'agent.jsonl'),
    plan: () => parsed(planFile, findJson(join(dir, 'plan.json'))),
    savePlan: (plan) => save(join(dir, 'plan.json'), plan),
    declared: () => findJson(join(dir, 'declared.json')) as Report | undefined,
    saveDeclared: (report) => save(join(dir, 'declared.json'), report),
  };
}

function save(path: string, value: unknown): void {
  writeFileAtomic(path, JSON.stringify(value), { sync: true });
}

function parsed<Shape extends z.ZodType>(shape: Shape, value: unknown): z.infer<Shape> | undefined {
  const found = shape.safeParse(value);
  return found.success ? found.data : undefined;
}

/** What an agent may read of its assignment: everything but the token. */
function agentView(it: Assignment): string {
  const { token: _token, ...view } = it;
  return JSON.stringify(view);
}
