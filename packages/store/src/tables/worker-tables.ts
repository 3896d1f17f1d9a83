import { defineTable } from './table.ts';

/** Kernel table `workers`. */
export const workers = defineTable('workers', {
  sqlName: 'workers',
  key: 'id',
  columns: {
    id: 'text',
    projectId: 'text',
    name: 'text',
    machineId: 'text?',
    labels: 'jsonb',
    capabilities: 'jsonb',
    slots: 'integer',
    draining: 'boolean',
    leaving: 'boolean',
    ephemeral: 'boolean',
    version: 'text?',
    keyHash: 'text',
    incarnation: 'text?',
    presence: 'text',
    lastSeenAtMs: 'ms?',
    lastClaimAtMs: 'ms?',
    warmRepos: 'jsonb',
    registeredAtMs: 'ms',
  },
  updates: { beat: ['presence', 'lastSeenAtMs', 'lastClaimAtMs'] },
  counter: 'changes',
});

/** Kernel table `joinTokens`. */
export const joinTokens = defineTable('joinTokens', {
  sqlName: 'join_tokens',
  key: 'id',
  columns: {
    id: 'text',
    projectId: 'text',
    tokenHash: 'text',
    name: 'text?',
    labels: 'jsonb',
    maxUses: 'integer',
    uses: 'integer',
    ephemeral: 'boolean',
    expiresAtMs: 'ms',
    createdBy: 'text',
  },
  updates: { uses: ['uses'] },
});
