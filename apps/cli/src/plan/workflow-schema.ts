import { DEPENDENCY_RULES, ROLES, runCreate, taskKey, taskSpec } from '@baton/contract';
import { z } from 'zod';

/**
 * `baton.yaml`: a plan as people write it. Tasks are keyed by name, edges stand at the task that
 * waits, outputs and inputs by name. `compileWorkflow` makes the body of `POST /runs` from it.
 *
 * It is only checked against these schemas, never parsed by them: what a file leaves out stays out,
 * so that `defaults` of the file count before those of the control plane.
 */

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const parameter = z.strictObject({
  description: z.string().optional(),
  default: scalar.optional(),
  required: z.boolean().optional().describe('default: true when there is no default'),
});

const parameterName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, 'must be a name');
const rule = z.enum(DEPENDENCY_RULES);
const edge = z.union([taskKey, z.strictObject({ task: taskKey, on: rule.optional() })], {
  error: 'must be the key of a task, or {task, on}',
});
const edges = z.union([edge, z.array(edge)], {
  error: 'must be keys of tasks, such as [design, build]',
});
const source = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}\.[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, {
    error: 'must be task.output, such as design.api_schema',
  })
  .describe('task.output, such as design.api_schema');
const input = z.union([source, z.strictObject({ from: source, on: rule.optional() })], {
  error: 'must be {from: task.output}',
});

const spec = taskSpec.shape;
const output = spec.outputs.unwrap().element;
const outputs = z.union(
  [
    z.array(z.union([z.string(), output])),
    z.record(z.string(), output.omit({ key: true }).nullable()),
  ],
  { error: 'must be a list of outputs, or outputs by name: {report: {type: text}}' },
);

const fieldShape = {
  ...taskSpec.omit({ outputs: true, role: true, parent_task: true }).partial().shape,
  role: z
    .enum([...ROLES, 'worker'])
    .optional()
    .describe('`worker` is read as implementer'),
  engine: spec.needs.unwrap().shape.engine.describe('short for needs.engine'),
  repo: z.string().optional().describe('short for workspace.repo'),
  ref: z.string().optional().describe('short for workspace.ref'),
  timeout: z.number().positive().optional().describe('short for timeouts.run, in seconds'),
  retries: z.int().min(0).max(99).optional().describe('short for retry.max_attempts, less one'),
};
const fields = z.strictObject(fieldShape);

const waitShape = {
  after: edges.optional().describe('tasks that must be done first'),
  gate: edges.optional().describe('verifiers whose verdict must be accepted first'),
  related: edges.optional().describe('for information only'),
  inputs: z.record(z.string(), input).optional().describe('what it is given, by name'),
};
const waits = z.strictObject(waitShape);

const task = z.strictObject({
  ...fieldShape,
  id: z.string().optional().describe('an id of your own, unique in the project'),
  ...waitShape,
  outputs: outputs.optional().describe('contracts that it hands on'),
});

export const workflow = z.strictObject({
  version: z.literal(1).optional(),
  goal: z.string().min(1),
  parameters: z.record(parameterName, z.union([parameter, z.null()])).optional(),
  defaults: fields.optional().describe('fields that every task has unless it says otherwise'),
  deliver: runCreate.shape.deliver.optional(),
  policy: runCreate.shape.policy.optional(),
  labels: runCreate.shape.labels.optional(),
  budgets: runCreate.shape.budgets.describe('what the whole run may spend'),
  tasks: z
    .record(taskKey, task)
    .refine((all) => Object.keys(all).length > 0, 'must hold at least one task'),
  existing: z
    .record(taskKey, waits)
    .optional()
    .describe(
      'with run replan: what tasks of the run that have not started are to wait for as well',
    ),
});

export type Workflow = z.input<typeof workflow>;
export type WorkflowTask = z.input<typeof task>;
export type WorkflowWaits = z.input<typeof waits>;
export type WorkflowFields = z.input<typeof fields>;
export type WorkflowEdge = z.input<typeof edge>;

/** Names of fields, to tell what a mistyped one may have meant. */
export const FIELD_NAMES: readonly string[] = [
  ...Object.keys(workflow.shape),
  ...Object.keys(task.shape),
  ...Object.keys(spec.needs.unwrap().shape),
  ...Object.keys(output.shape),
];

/** The JSON Schema of `baton.yaml`, for editors. */
export function workflowJsonSchema(): object {
  return {
    ...z.toJSONSchema(workflow, { io: 'input', reused: 'ref' }),
    title: 'baton.yaml',
  };
}
