import { conclusion as conclusionSchema } from '@baton/contract';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { conclude, findConclusion } from './conclusion.ts';

const block = (body: string): string =>
  `Work is done.\n\n\`\`\`baton:conclusion\n${body}\n\`\`\`\n`;

describe('the conclusion block', () => {
  test('a full block is read field by field', () => {
    const text = block(
      [
        'status: success',
        'summary: |',
        '  Added the parser.',
        '  Two tests.',
        'outputs:',
        '  api_schema: {version: 1, paths: [/users]}',
        'tests: {passed: 12, failed: 0}',
        'follow_up: measure it',
        'confidence: 0.9',
        'files: [src/parse.ts, src/parse.test.ts]',
      ].join('\n'),
    );
    expect(findConclusion(text)).toEqual({
      status: 'success',
      summary: 'Added the parser.\nTwo tests.',
      outputs: { api_schema: { version: 1, paths: ['/users'] } },
      tests: { passed: 12, failed: 0, skipped: 0 },
      follow_up: 'measure it',
      confidence: 0.9,
      files: ['src/parse.ts', 'src/parse.test.ts'],
      synthesized: false,
      warnings: [],
    });
  });

  test('the last of several blocks wins', () => {
    const text =
      block('status: failed\nsummary: first') + block('status: success\nsummary: second');
    expect(findConclusion(text)?.summary).toBe('second');
  });

  test('a block inside a longer fence may hold a shorter fence', () => {
    const text = '````baton:conclusion\nstatus: success\nsummary: |\n  ```\n  x\n  ```\n````';
    expect(findConclusion(text)?.summary).toBe('```\nx\n```');
  });

  test('a block that the output ends in is read and told', () => {
    expect(findConclusion('```baton:conclusion\nstatus: success\nsummary: cut off')).toMatchObject({
      status: 'success',
      summary: 'cut off',
      warnings: ['the block was not closed'],
    });
  });

  test('a block that is not YAML is read line by line', () => {
    const found = findConclusion(block('status: success\nsummary: Fixed: the parser [again'));
    expect(found).toMatchObject({ status: 'success', summary: 'Fixed: the parser [again' });
    expect(found?.warnings).toHaveLength(1);
  });

  test('other words for a status, lists for text and percentages are understood', () => {
    const body =
      'Status: Completed\nsummary: x\nfollow-up: [a, b]\nconfidence: 85%\ncontracts: {k: 1}';
    expect(findConclusion(block(body))).toMatchObject({
      status: 'success',
      follow_up: '- a\n- b',
      confidence: 0.85,
      outputs: { k: 1 },
    });
  });

  test('a block without a status claims no success', () => {
    expect(findConclusion(block('summary: did something'))?.status).toBe('partial');
  });

  test('an output whose key is no contract key is left out and told', () => {
    const found = findConclusion(block('status: success\nsummary: x\noutputs: {"a b": 1, ok: 2}'));
    expect(found?.outputs).toEqual({ ok: 2 });
    expect(found?.warnings).toEqual(['output "a b" has no valid key: left out']);
  });

  test('aliases that would explode are not expanded', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
      .concat(
        'bcdefghi'
          .split('')
          .map(
            (c, i) =>
              `${c}: &${c} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[i] ?? ''}`).join()}]`,
          ),
      )
      .join('\n');
    const found = findConclusion(block(`status: success\nsummary: x\n${bomb}`));
    expect(found).toMatchObject({ status: 'success', summary: 'x' });
  });
});

describe('concluding a run', () => {
  test('without a block the last words and the end make one, marked as synthesized', () => {
    expect(conclude({ text: 'I changed two files.', ok: true })).toEqual({
      status: 'success',
      summary: 'I changed two files.',
      outputs: {},
      files: [],
      synthesized: true,
      warnings: [],
    });
  });

  test('a failed run without a block says why it failed', () => {
    expect(conclude({ text: '', ok: false, reason: 'exit code 2' })).toMatchObject({
      status: 'failed',
      summary: 'exit code 2',
      synthesized: true,
    });
  });

  test('a failed run that concluded success is failed', () => {
    const end = { text: block('status: success\nsummary: x'), ok: false, reason: 'it was killed' };
    expect(conclude(end)).toMatchObject({
      status: 'failed',
      warnings: ['the agent concluded success, but it was killed'],
    });
  });

  test('no text makes it throw, and what it gives always fits the schema', () => {
    const pieces = fc.constantFrom(
      '```baton:conclusion\n',
      '~~~baton:conclusion\n',
      '```\n',
      '~~~\n',
      'status: success\n',
      'summary: |\n  x\n',
      'outputs:\n',
      '  k: {a: [1, .inf, 2026-01-01]}\n',
      '? [a, b]\n: c\n',
      '__proto__: {x: 1}\n',
      'constructor: 1\n',
      'confidence: .nan\n',
      'files: {a: 1}\n',
      '- &a [*a]\n',
      '!!binary "x"\n',
      '!!js/function x\n',
      '\t\n',
    );
    const text = fc
      .array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 20 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, fc.boolean(), (given, ok) => {
        const result = conclude({ text: given, ok });
        expect(conclusionSchema.parse(result)).toEqual(result);
        if (!ok) expect(result.status).not.toBe('success');
      }),
      { numRuns: 1_000 },
    );
  });
});
