import { isGeneratedId } from '@baton/contract';
import { expect, test } from 'vitest';
import { base32, newId } from './ids.ts';

test('ids have the form that the contract tells, and each sorts behind those before it', () => {
  const ids = Array.from({ length: 5_000 }, () => newId('task'));
  expect(ids.every((id) => isGeneratedId('task', id))).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
});

// From the TypeID specification, github.com/jetify-com/typeid/blob/main/spec/valid.yml
test.each([
  ['00000000-0000-0000-0000-000000000000', '00000000000000000000000000'],
  ['00000000-0000-0000-0000-000000000001', '00000000000000000000000001'],
  ['00000000-0000-0000-0000-000000000020', '00000000000000000000000010'],
  ['ffffffff-ffff-ffff-ffff-ffffffffffff', '7zzzzzzzzzzzzzzzzzzzzzzzzz'],
  ['0110c853-1d09-52d8-d73e-1194e95b5f19', '0123456789abcdefghjkmnpqrs'],
  ['01890a5d-ac96-774b-bcce-b302099a8057', '01h455vb4pex5vsknk084sn02q'],
])('%s in base32 is %s', (uuid, text) => {
  expect(base32(Buffer.from(uuid.replaceAll('-', ''), 'hex'))).toBe(text);
});
