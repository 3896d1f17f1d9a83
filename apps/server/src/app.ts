import type { Coordinator } from '@baton/coordinator';
import type { Logger } from 'pino';
import type { Authenticator } from './auth/authenticate.ts';
import type { Revocations } from './auth/revocations.ts';
import type { Content } from './content.ts';
import type { HostList } from './edge/host-list.ts';
import type { Identity } from './reads/identity.ts';
import type { Reads } from './reads/reads.ts';
import type { EventHub } from './streams/event-hub.ts';
import type { InstanceKeys } from './tokens/instance-keys.ts';

/** Everything handlers work with; made once at the start. */
export interface App {
  readonly log: Logger;
  readonly coordinator: Coordinator;
  readonly reads: Reads;
  readonly identity: Identity;
  readonly content: Content;
  readonly keys: InstanceKeys;
  readonly authenticator: Authenticator;
  readonly revocations: Revocations;
  readonly events: EventHub;
  /** Where people and workers reach this server. */
  readonly url: string;
  readonly hosts: HostList;
  readonly version: string;
  readonly engines: readonly string[];
  /** Replies are checked against their schemas: in tests and in development. */
  readonly checkReplies: boolean;
  /** Rejects when a write does not work now. */
  readonly probe: () => Promise<void>;
  /** Aborts when the server stops: open streams and long polls end. */
  readonly stopping: AbortSignal;
}
