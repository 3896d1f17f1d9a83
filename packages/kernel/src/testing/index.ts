export { faultsOf } from './check-state.ts';
export { MemoryWorld } from './memory-world.ts';
