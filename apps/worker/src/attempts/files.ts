import { assignment as assignmentSchema, type Assignment } from '@baton/contract';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findJson, writeFileAtomic } from '../spool/durable-file.ts';
import { attemptPaths, createAttemptDir } from '../spool/attempt-dir.ts';
import type { Report } from './report.ts';

/** What the daemon itself keeps in an attempt directory, so that a restart goes on where it was. */
const names = {
  assignment: 'assignment.json',
  prompt: 'prompt.txt',
  transcript: 'agent.jsonl',
  plan: 'plan.json',
  declared: 'declared.json',
  report: 'report.json',
  done: 'done.json',
} as const;

/** What was decided at launch and is needed again to read the output. */
export interface PlanFile {
  readonly engine: string;
  readonly conversation: string | null;
  readonly resumed: boolean;
  readonly model: string | null;
}

/** The files of one attempt. */
export interface AttemptFiles {
  readonly dir: string;
  readonly promptPath: string;
  readonly transcriptPath: string;
  assignment(): Assignment | undefined;
  saveAssignment(it: Assignment): void;
  plan(): PlanFile | undefined;
  savePlan(plan: PlanFile): void;
  /** The result that the agent handed in by itself, before its end. */
  declared(): Report | undefined;
  saveDeclared(report: Report): void;
  /** What is to be told to the control plane; kept until it was. */
  report(): Report | undefined;
  saveReport(report: Report): void;
  isDone(): boolean;
  /** Nothing more will be told of this attempt. */
  markDone(why: string): void;
}

/** Opens (and makes) the directory of an attempt. */
export function openAttemptFiles(dataDir: string, attemptId: string): AttemptFiles {
  const dir = createAttemptDir(dataDir, attemptId);
  const path = (name: keyof typeof names): string => join(dir, names[name]);
  const save = (name: keyof typeof names, value: unknown): void =>
    writeFileAtomic(path(name), JSON.stringify(value), { sync: true });
  return {
    dir,
    promptPath: path('prompt'),
    transcriptPath: path('transcript'),
    assignment() {
      const found = assignmentSchema.safeParse(findJson(path('assignment')));
      return found.success ? found.data : undefined;
    },
    saveAssignment(it) {
      save('assignment', it);
      writeFileSync(attemptPaths(dir).task, JSON.stringify(agentView(it)), { mode: 0o600 });
    },
    plan: () => findJson(path('plan')) as PlanFile | undefined,
    savePlan: (plan) => save('plan', plan),
    declared: () => findJson(path('declared')) as Report | undefined,
    saveDeclared: (report) => save('declared', report),
    report: () => findJson(path('report')) as Report | undefined,
    saveReport: (report) => save('report', report),
    isDone: () => existsSync(path('done')),
    markDone: (why) => save('done', { why, at: new Date().toISOString() }),
  };
}

/** What an agent may read of its assignment: everything but the token. */
function agentView(it: Assignment): object {
  const { token: _token, ...view } = it;
  return view;
}
