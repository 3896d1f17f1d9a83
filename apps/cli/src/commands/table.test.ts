import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from './table.ts';

const names = COMMANDS.map(({ name }) => name.join(' '));

describe('the table of commands', () => {
  test('has each name once', () => {
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test('has every command that lies in the folder', () => {
    const folder = fileURLToPath(new URL('.', import.meta.url));
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && path !== 'table.ts')
      .map((path) => path.slice(0, -'.ts'.length).split(/[\\/]/));
    // A group that is a command itself lies inside its folder, under its own name or as `list`.
    const expected = names
      .map((name) => name.split(' '))
      .map((words) =>
        words.length === 1 && files.some((path) => path.length > 1 && path[0] === words[0])
          ? [words[0], words[0] === 'inbox' ? 'list' : words[0]]
          : words,
      )
      .map((words) => join(...words.map(String)))
      // `logs` stands beside the command that it is short for.
      .filter((path) => path !== 'logs');
    expect(files.map((path) => join(...path)).toSorted()).toEqual(expected.toSorted());
  });

  test.each(COMMANDS.map((it) => [it.name.join(' '), it] as const))(
    '`%s` keeps each flag under its long name, and says what it does',
    (_, command) => {
      for (const [key, { flags }] of Object.entries(command.options)) {
        const option = new Option(flags);
        const negated = `no${option.attributeName().replace(/^./, (it) => it.toUpperCase())}`;
        expect(key).toBe(option.negate ? negated : option.attributeName());
      }
      // Unless something is typed no flag is on, also where there is a `--no-` of it.
      const parser = new Command();
      for (const { flags } of Object.values(command.options)) parser.addOption(new Option(flags));
      const untyped = parser.parse([], { from: 'user' }).opts();
      for (const { flags, kind, parse } of Object.values(command.options)) {
        const { negate } = new Option(flags);
        const raw: unknown = untyped[new Option(flags).attributeName()];
        if (kind === 'flag') expect(parse(negate ? raw === false : raw === true)).toBe(false);
      }
      expect(command.summary).toMatch(/^[a-z].*[^.]$/);
    },
  );
});
