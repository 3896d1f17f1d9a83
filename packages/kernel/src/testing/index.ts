export { HANDLERS } from '../commands/handlers.ts';
export { faultsOf } from './check-state.ts';
export { MemoryWorld } from './memory-world.ts';
