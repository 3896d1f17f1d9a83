export { takesSlot } from '../attempt/slots.ts';
export { HANDLERS } from '../commands/handlers.ts';
export { keysOf } from '../limits/limit-keys.ts';
export { classNow } from '../matching/queue-order.ts';
export { awaitsReplan } from '../run/replan.ts';
export { faultsOf } from './check-state.ts';
export { MemoryWorld } from './memory-world.ts';
