import { afterAll, expect, test } from 'vitest';
import { createSchemaValidator } from './schema-validator.ts';

const validator = createSchemaValidator();
afterAll(() => validator.close());

test('valid data has no violations', async () => {
  expect(await validator.violations({ type: 'object', required: ['a'] }, { a: 1 })).toEqual([]);
});

test('each violation says where and what', async () => {
  const schema = {
    type: 'object',
    properties: { port: { type: 'integer' }, at: { type: 'string', format: 'date-time' } },
    additionalProperties: false,
  };
  expect(await validator.violations(schema, { port: 'x', at: 'noon', extra: 1 })).toEqual([
    '(root) must NOT have additional properties "extra"',
    '/port must be integer',
    '/at must match format "date-time"',
  ]);
});

test('draft 2020-12 keywords count', async () => {
  const schema = { prefixItems: [{ type: 'string' }], items: false };
  expect(await validator.violations(schema, ['a', 'b'])).toEqual([
    '(root) must NOT have more than 1 items',
  ]);
});

test('a broken schema is told, and a remote reference is not fetched', async () => {
  expect(await validator.schemaFault({ type: 'objekt' })).toMatch(/type/);
  expect(await validator.schemaFault({ $ref: 'http://127.0.0.1:9/schema.json' })).toMatch(
    /resolve/,
  );
  expect(await validator.schemaFault({ type: 'object' })).toBeNull();
});

test('the same $id may be used by different schemas', async () => {
  const id = 'https://example.invalid/thing';
  expect(await validator.violations({ $id: id, type: 'string' }, 'a')).toEqual([]);
  expect(await validator.violations({ $id: id, type: 'integer' }, 'a')).toEqual([
    '(root) must be integer',
  ]);
});

test('a validation that does not end is ended, and the next one works', async () => {
  const evil = { type: 'string', pattern: '^(a+)+$' };
  const [why] = await validator.violations(evil, `${'a'.repeat(40)}!`);
  expect(why).toMatch(/longer than 1000 ms/);
  expect(await validator.violations({ type: 'string' }, 'a')).toEqual([]);
});

test('a thread that is slow to start is waited for: the first schema is not to blame', async () => {
  const real = new URL('../../worker/schema-validator.mjs', import.meta.url);
  const slowly = `const until = Date.now() + 1300; while (Date.now() < until); await import(${JSON.stringify(real.href)});`;
  const late = createSchemaValidator(new URL(`data:text/javascript,${encodeURIComponent(slowly)}`));
  expect(await late.schemaFault({ type: 'object' })).toBeNull();
  await late.close();
});

test('who waits behind a validation that does not end gets an answer of its own', async () => {
  const evil = { type: 'string', pattern: '^(b+)+$' };
  const [stuck, innocent] = await Promise.all([
    validator.violations(evil, `${'b'.repeat(40)}!`),
    validator.violations({ type: 'string' }, 'a'),
  ]);
  expect(stuck[0]).toMatch(/longer than 1000 ms/);
  expect(innocent).toEqual([]);
});

test('a schema that runs in circles is told so, and spoils nobody else’s answer', async () => {
  const circle = { allOf: [{ $ref: '#' }] };
  const [why, ...others] = await Promise.all([
    validator.violations(circle, 1),
    ...Array.from({ length: 5 }, () => validator.violations({ type: 'string' }, 'a')),
  ]);
  expect(why?.join()).toMatch(/call stack/);
  expect(others).toEqual([[], [], [], [], []]);
});
