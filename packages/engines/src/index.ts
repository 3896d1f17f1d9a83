export { conclude, conclusionFence, findConclusion } from './conclusion.ts';
export type { RunEnd } from './conclusion.ts';
export { defaultStop, ENGINE_LIMITS } from './engine.ts';
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
export { classifyFailure } from './failure.ts';
export { buildPrompt, PROMPT_LIMITS } from './prompt.ts';
export type {
  PromptConclusion,
  PromptFailure,
  PromptInput,
  PromptInputValue,
  PromptLog,
  PromptNote,
} from './prompt-input.ts';
export { engineRegistry, findEngine, nearestEngineName } from './registry.ts';
export { addUsage } from './usage.ts';
