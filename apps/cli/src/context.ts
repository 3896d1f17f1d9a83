import type { Client } from '@baton/sdk';
import type { Config } from './config.ts';
import type { Activity } from './terminal/activity.ts';
import type { Output } from './terminal/output.ts';

/** Where a command reads what people type or pipe in. */
export interface Input {
  readonly isTty: boolean;
  /** Everything up to the end. */
  readonly readAll: () => Promise<string>;
  /** One line typed after a question; undefined at the end of the input or when the signal fires. */
  readonly ask: (question: string, signal?: AbortSignal) => Promise<string | undefined>;
}

/** Everything a command may use of the world. */
export interface Context {
  readonly config: Config;
  /** `--json`: answers and errors are for programs. */
  readonly isJson: boolean;
  readonly out: Output;
  readonly err: Output;
  readonly input: Input;
  readonly activity: Activity;
  /** Fires at Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly cwd: string;
  /** Environment for programs that a command starts. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly nowMs: () => number;
  /** The control plane of the configuration. Nothing is sent before the first call. */
  readonly client: () => Client;
  /** Opens an address in the user's browser; false when there is none. */
  readonly openBrowser: (url: string) => Promise<boolean>;
}
