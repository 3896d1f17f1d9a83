import type { Coordinator } from '@baton/coordinator';
import type { RunSize } from '@baton/kernel';
import type { Db, Identity, Reads } from '@baton/store';
import type { Logger } from 'pino';
import type { Authenticator } from './auth/authenticate.ts';
import type { Revocations } from './auth/revocations.ts';
import type { Content } from './content.ts';
import type { HostList } from './edge/host-list.ts';

import type { EventHub } from './streams/event-hub.ts';
import type { InstanceKeys } from './tokens/instance-keys.ts';

/** Everything handlers work with; made once at the start. */
export interface App {
  /** Directory of blobs, the instance secret and, where it is embedded, the database. */
  readonly dataDir: string;
  readonly log: Logger;
  readonly coordinator: Coordinator;
  readonly db: Db;
  readonly reads: Reads;
  readonly identity: Identity;
  readonly content: Content;
  /** Says what is wrong with a JSON Schema, off the main thread. */
  readonly validator: { schemaFault(schema: unknown): Promise<string | null> };
  readonly keys: InstanceKeys;
  readonly authenticator: Authenticator;
  readonly revocations: Revocations;
  readonly events: EventHub;
  /** Where people and workers reach this server. */
  readonly url: string;
  readonly hosts: HostList;
  readonly version: string;
  readonly engines: readonly string[];
  /** How large people may make a run. */
  readonly runSize: RunSize;
  /** Replies are checked against their schemas: in tests and in development. */
  readonly checkReplies: boolean;
  /** Rejects when a write does not work now. */
  readonly probe: () => Promise<void>;
  /** Aborts when the server stops: open streams and long polls end. */
  readonly stopping: AbortSignal;
}
