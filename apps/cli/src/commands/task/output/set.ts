import { getDoor } from '../../../attempt/door.ts';
import { command, optional, required } from '../../../command.ts';
import { text, usage, type OptionRow } from '../../../option.ts';
import { readTextFile } from '../../../resolve/read-text.ts';
import { show } from '../../../terminal/shown.ts';

/** Alone it asks for a machine's answer as everywhere; with a value it is the data itself. */
const jsonOrFlag: OptionRow<string | undefined> = {
  flags: '--json [data]',
  help: 'the data as JSON; alone: answers and errors as JSON',
  kind: 'one',
  parse: (raw) => (typeof raw === 'string' ? raw : undefined),
};

export const taskOutputSet = command({
  name: ['task', 'output', 'set'],
  summary: 'fulfil a contract of the own task',
  details: 'The data is checked against the declared schema before it is accepted.',
  examples: [
    'baton task output set api_schema schema.json',
    'baton task output set report - < report.json',
    'baton task output set api_schema --data \'{"openapi":"3.1.0"}\'',
  ],
  arguments: {
    key: required('name of the output'),
    file: optional('file with JSON (or text that is none), - for standard input'),
  },
  options: {
    json: jsonOrFlag,
    data: text('--data <json>', 'the data as JSON'),
    text: text('--text <text>', 'the data as plain text'),
  },
  async run(context, { key, file }, options) {
    const inline = options.data ?? options.json;
    const ways = [file, inline, options.text].filter((way) => way !== undefined);
    if (ways.length !== 1) throw usage('Give the data once: a file, -, --data or --text.');
    const door = getDoor(context, '`baton task output set`');
    const data =
      options.text !== undefined
        ? options.text
        : inline !== undefined
          ? parseStrict(inline)
          : parseLoose(await read(file ?? '-', context));
    const handed = await door.setOutput(key, data);
    const text =
      handed.state === 'accepted' ? show`${key} is set` : show`${key} is kept and will be sent`;
    return { json: { key, state: handed.state, output: handed.body }, text };
  },
});

function read(file: string, { cwd, input }: Parameters<typeof taskOutputSet.run>[0]) {
  return file === '-' ? input.readAll() : readTextFile(file, cwd);
}

function parseStrict(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw usage('The data is not JSON. For plain text use --text.');
  }
}

/** A file of plain text is data too: a string. */
function parseLoose(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return content;
  }
}
