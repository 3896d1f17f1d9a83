import { ERROR_CODES, type ErrorCode } from '@baton/contract';
import { argumentWords, sentenceOf, type Command } from '../command.ts';
import { COMMANDS } from '../commands/table.ts';
import { EXIT_CODES, exitOfCode, type ExitName } from '../exit-codes.ts';

/** The page with every command, its flags, and the exit codes, as markdown. */
export function cliPage(): string {
  return [
    '# Commands',
    '',
    'Made from the commands themselves by `npx tsx --conditions=source scripts/generate/reference.ts`. Every command also takes `--json`, `--url`, `--api-key`, `--project` and `--data-dir`.',
    '',
    ...COMMANDS.flatMap(commandLines),
    '## Exit codes',
    '',
    'An error code leads to the exit code of its HTTP status.',
    '',
    '| exit | meaning | error codes |',
    '|---|---|---|',
    ...Object.entries(EXIT_CODES).map(
      ([name, { code, meaning }]) => `| ${code} | ${meaning} | ${codesOf(name)} |`,
    ),
    '',
  ].join('\n');
}

function commandLines(command: Command): readonly string[] {
  const options = Object.values(command.options).filter(({ help }) => help !== '');
  const sentence = sentenceOf(command);
  return [
    `## \`${['baton', ...command.name, ...argumentWords(command)].join(' ')}\``,
    '',
    command.details === undefined ? sentence : `${sentence} ${command.details}`,
    '',
    ...(options.length === 0
      ? []
      : [
          '| flag | |',
          '|---|---|',
          ...options.map(({ flags, help }) => `| \`${cell(flags)}\` | ${cell(help)} |`),
          '',
        ]),
    ...(command.examples.length === 0 ? [] : ['```sh', ...command.examples, '```', '']),
  ];
}

function codesOf(name: string): string {
  return (Object.keys(ERROR_CODES) as ErrorCode[])
    .filter((code) => exitOfCode(code) === (name as ExitName))
    .map((code) => `\`${code}\``)
    .join(', ');
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
