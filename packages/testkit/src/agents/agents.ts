import { fileURLToPath } from 'node:url';

/**
 * Directory of the fake agents `claude` and `codex`: put it first on a PATH, and Baton's adapters find,
 * start and read them like the real ones. They need no key and no network; their prompt scripts them
 * with the directives `[[write:path|text]]`, `[[shell:command]]`, `[[stall:seconds]]`, `[[fail:429]]` and
 * `[[say:text]]`, and they really do what these say.
 */
export const fakeAgentsDir = fileURLToPath(
  new URL('../../src/agents/bin/', import.meta.url),
).replace(/\/$/, '');
