import type { OutputSpec, TaskSpec } from '@baton/contract';

/** An input of the task, as it lies in the workspace. */
export interface PromptInputValue {
  readonly name: string;
  readonly type: string;
  /** Relative to the workspace. */
  readonly path: string;
  /** The data as JSON text; a long one is shown in part. */
  readonly json: string;
}

/** What an upstream task concluded. */
export interface PromptConclusion {
  readonly key: string;
  readonly title: string;
  readonly status: string;
  readonly summary: string;
  readonly followUp?: string;
}

export interface PromptLog {
  readonly key: string;
  readonly lines: readonly string[];
}

export interface PromptNote {
  readonly author: string;
  readonly text: string;
  readonly urgent?: boolean;
}

/** Why the task is done again, when an attempt failed. */
export interface PromptFailure {
  readonly attemptNumber: number;
  readonly failureClass: string;
  readonly reason: string;
}

/** Everything a prompt is built from: facts about the task, never an earlier prompt. */
export interface PromptInput {
  readonly persona?: string;
  readonly goal: string;
  readonly taskId: string;
  readonly key: string;
  readonly title: string;
  readonly role?: string;
  readonly kind: TaskSpec['kind'];
  /** `commands`: the `baton` command works in the agent's shell; `files`: only the workspace does. */
  readonly report: 'commands' | 'files';
  /** Whether the agent can commit by itself; else Baton does it from the files it leaves. */
  readonly commits: boolean;
  readonly spec: string;
  readonly structuredSpec?: TaskSpec['structured_spec'];
  readonly acceptanceCriteria: readonly string[];
  readonly allowedPaths: readonly string[];
  readonly outputs: readonly OutputSpec[];
  readonly inputs: readonly PromptInputValue[];
  readonly upstream: readonly PromptConclusion[];
  readonly dependencyLogs: readonly PromptLog[];
  readonly notes: readonly PromptNote[];
  readonly hints: readonly string[];
  /** What a reviewer or verifier wants changed. */
  readonly feedback?: string;
  readonly lastFailure?: PromptFailure;
  /** What was decided for the task before, oldest first. */
  readonly decisions?: readonly {
    readonly question: string;
    readonly answer: string;
    readonly by: string;
  }[];
  /** Words for an agent that goes on where another conversation stopped; see wake.ts. */
  readonly wake?: { readonly words: string; readonly isWorkHere: boolean };
  /** The plan that was approved, or sent back, and the feedback to it. */
  readonly plan?: {
    readonly text: string;
    readonly isApproved: boolean;
    readonly feedback?: string;
  };
  /** The agent must hand in a plan and wait for a yes before it changes anything. */
  readonly planFirst: boolean;
  /** Such as `German`; the agent's own choice when absent. */
  readonly replyLanguage?: string;
}
