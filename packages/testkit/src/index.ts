export {};
export { fakeAgentsDir, recordedStreamsDir } from './agents/agents.ts';
export { startFakeModel } from './fake-model/fake-model.ts';
export type { FakeModel, FakeModelOptions, ModelRequest } from './fake-model/fake-model.ts';
