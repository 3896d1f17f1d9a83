import assert from 'node:assert/strict';
import { test } from 'node:test';
import { words } from '../src/words.js';

test('words leaves out what lies between them', () => {
  assert.deepEqual(words('  one two\n three '), ['one', 'two', 'three']);
});
