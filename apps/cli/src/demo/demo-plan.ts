import { readFileSync } from 'node:fs';
import type { Json, RunCreateInput } from '@baton/contract';

/** The demo's agents are these files; each says in its output that it is a script. */
const AGENTS = new URL('../../demo/agents/', import.meta.url);

/** What a design must look like before anyone gets it as an input. */
const API_SCHEMA: Record<string, Json> = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  required: ['module', 'functions'],
  properties: {
    module: { type: 'string', minLength: 1 },
    functions: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['name', 'file', 'about', 'parameters', 'examples'],
        properties: {
          name: { type: 'string', pattern: '^[a-z][A-Za-z0-9]*$' },
          file: { type: 'string' },
          about: { type: 'string' },
          parameters: { type: 'array', items: { type: 'string' } },
          examples: {
            type: 'array',
            minItems: 1,
            items: { type: 'object', required: ['arguments', 'result'] },
          },
        },
      },
    },
  },
};

const TEST_RESULTS: Record<string, Json> = {
  type: 'object',
  required: ['commit', 'passed', 'failed'],
  properties: {
    commit: { type: 'string', pattern: '^[0-9a-f]{40,64}$' },
    passed: { type: 'integer', minimum: 0 },
    failed: { type: 'integer', minimum: 0 },
  },
};

/** What the plan of the demo is about. */
export interface DemoPlanOptions {
  readonly repo: string;
  /** How the demo's scripts are run: `node`, or its path where it is not on PATH. */
  readonly node: string;
  /** After so long without an answer the default is taken. */
  readonly questionSeconds: number;
}

/** design -> slugify and summarize side by side -> verify -> integrate, merged into `main`. */
export function demoPlan(options: DemoPlanOptions): RunCreateInput {
  const common = {
    needs: { engine: 'shell' },
    workspace: { repo: options.repo, ref: 'main' },
    timeouts: { run: 600 + options.questionSeconds },
  };
  const script = (name: string): string =>
    `${shellWord(options.node)} --input-type=module <<'END_OF_SCRIPT'\n${readFileSync(new URL(name, AGENTS), 'utf8')}END_OF_SCRIPT\n`;
  const results = [{ key: 'test_results', type: 'test_results' as const, schema: TEST_RESULTS }];
  return {
    goal: 'Give wordkit two functions: slugify and summarize',
    deliver: 'merge',
    labels: { demo: 'true' },
    plan: {
      tasks: [
        {
          ...common,
          key: 'design',
          title: 'Design the two functions',
          role: 'implementer',
          spec: script('design.mjs'),
          outputs: [{ key: 'api_schema', type: 'api_schema', schema: API_SCHEMA }],
        },
        {
          ...common,
          key: 'slugify',
          title: 'Build slugify',
          role: 'implementer',
          spec: script('slugify.mjs'),
        },
        {
          ...common,
          key: 'summarize',
          title: 'Build summarize',
          role: 'implementer',
          spec: script('summarize.mjs'),
          env: { DEMO_QUESTION_SECONDS: String(options.questionSeconds) },
        },
        {
          ...common,
          key: 'verify',
          title: 'Test both together in a clean checkout',
          kind: 'verify',
          role: 'verifier',
          spec: script('run-tests.mjs'),
          outputs: results,
        },
        {
          ...common,
          key: 'integrate',
          title: 'Merge both and test again',
          kind: 'integrate',
          role: 'integrator',
          spec: script('run-tests.mjs'),
          outputs: results,
        },
      ],
      dependencies: [
        apiTo('slugify'),
        apiTo('summarize'),
        { upstream: 'slugify', downstream: 'verify' },
        { upstream: 'summarize', downstream: 'verify' },
        { upstream: 'slugify', downstream: 'integrate' },
        { upstream: 'summarize', downstream: 'integrate' },
        { upstream: 'verify', downstream: 'integrate', type: 'gate' },
      ],
    },
  };
}

function apiTo(downstream: string) {
  return {
    upstream: 'design',
    downstream,
    type: 'input' as const,
    contract_key: 'api_schema',
    as: 'api_schema',
  };
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
