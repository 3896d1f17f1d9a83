export { fakeAgentsDir } from './agents/agents.ts';
export { dumpSchema } from './databases/dump-schema.ts';
export { freshDatabases } from './databases/fresh-databases.ts';
export type { FreshDatabase, FreshOptions, OpenDatabase } from './databases/fresh-databases.ts';
export { startFakeModel } from './fake-model/fake-model.ts';
export type { FakeModel, FakeModelOptions, ModelRequest } from './fake-model/fake-model.ts';
export { CHAIN } from './rows/chain.ts';
export { insertRows, type RowSet } from './rows/insert-rows.ts';
export { SAMPLE_AT_MS, sampleRow } from './rows/sample-rows.ts';
