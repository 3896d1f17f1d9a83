import { checkpointResolve, runCreate, taskCreate } from '@baton/contract';
import type { z } from 'zod';
import { describe, expect, test } from 'vitest';
import { InvalidInput, parseInput } from './violations.ts';

function refused(schema: z.ZodType, input: unknown): InvalidInput {
  try {
    parseInput(schema, input, 'body');
  } catch (error) {
    if (error instanceof InvalidInput) return error;
    throw error;
  }
  throw new Error('was accepted');
}

describe('a refused body', () => {
  test('names the nearest known field of an unknown one', () => {
    const error = refused(taskCreate, { titel: 'x' });
    expect(error.code).toBe('unknown_field');
    expect(error.violations).toEqual([
      { path: '', message: 'there is no field "titel"; did you mean "title"?' },
    ]);
  });

  test('finds unknown fields deep inside a plan and says where', () => {
    const error = refused(runCreate, {
      plan: { tasks: [{ key: 'a', needs: { engin: 'claude' } }] },
    });
    expect(error.code).toBe('unknown_field');
    expect(error.violations).toEqual([
      {
        path: 'plan.tasks[0].needs',
        message: 'there is no field "engin"; did you mean "engine"?',
      },
    ]);
  });

  test('says nothing of a near name when there is none', () => {
    const error = refused(taskCreate, { zzzzzzzzzzzz: 1 });
    expect(error.message).toContain('there is no field "zzzzzzzzzzzz".');
  });

  test('lists each fault with its place', () => {
    const error = refused(taskCreate, { title: 1, priority: 'huge' });
    expect(error.code).toBe('bad_request');
    expect(error.violations.map(({ path }) => path)).toEqual(['title', 'priority']);
  });

  test('tells the rule that several fields break together', () => {
    expect(refused(checkpointResolve, {}).message).toContain('give exactly one of');
  });

  test('does not take a plan of the wrong type for an unknown field', () => {
    const error = refused(runCreate, { plan: 'maybe' });
    expect(error.code).toBe('bad_request');
    expect(error.violations[0]?.path).toBe('plan');
  });
});
