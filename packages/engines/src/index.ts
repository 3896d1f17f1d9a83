export { conclude } from './conclusion.ts';
export type { RunEnd } from './conclusion.ts';
export type {
  Detection,
  Engine,
  EngineReader,
  EngineTraits,
  Env,
  LaunchPlan,
  LaunchRequest,
  OutputStream,
  Planned,
  PlannedFile,
  ProcessExit,
  ReaderEnd,
  ReaderStart,
  StopSteps,
} from './engine.ts';
export { buildWakePrompt, wakeWords, type WakeNews } from './wake.ts';
export { buildPrompt } from './prompt.ts';
export type {
  PromptConclusion,
  PromptFailure,
  PromptInput,
  PromptInputValue,
  PromptLog,
  PromptNote,
} from './prompt-input.ts';
export { engineRegistry, findEngine } from './registry.ts';
export { addUsage } from './usage.ts';
