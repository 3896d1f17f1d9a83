import { sampleRow } from '@baton/testkit';
import { expect, test } from 'vitest';
import type { ServiceStore } from '../store/coordinator-store.ts';
import { createCatalogue } from './catalogue.ts';

const row = sampleRow('needs');
const made = { table: 'needs', id: row.id, original: null, row } as const;

test('needs of a batch that did not happen are not known, and those that were there are', () => {
  const it = createCatalogue({} as ServiceStore, ['shell']);
  it.learn([made]);
  expect(it.knowsNeeds(row.projectId, row.id)).toBe(true);
  it.unlearn([{ ...made, original: row }]);
  expect(it.needsOf(row.projectId)).toEqual([row]);
  it.unlearn([made]);
  expect([it.knowsNeeds(row.projectId, row.id), it.needsOf(row.projectId)]).toEqual([false, []]);
});
