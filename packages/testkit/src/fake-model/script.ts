/**
 * The prompt scripts the model. Directives are played one per round trip:
 *   [[write:/path|content]]  [[shell:command]]  [[mcp:part of a tool's name|{json}]]  [[tool:Name|{json}]]  [[ask]]
 * and, once those are used up:
 *   [[stall:seconds]]  hold the answer open;  [[fail:429]]  answer with that status, always;
 *   [[fail:429|2]]  only the first two times;  [[say:text]]  the final text.
 */
export const DIRECTIVE_KINDS = [
  'write',
  'shell',
  'mcp',
  'tool',
  'ask',
  'stall',
  'fail',
  'say',
] as const;
export type DirectiveKind = (typeof DIRECTIVE_KINDS)[number];

export interface Directive {
  readonly kind: DirectiveKind;
  readonly arg: string;
}

const directive = new RegExp(`\\[\\[(${DIRECTIVE_KINDS.join('|')})(?::([\\s\\S]*?))?\\]\\]`, 'g');

/** The directives of a text, in order. */
export function parseScript(text: string): Directive[] {
  return [...text.matchAll(directive)].flatMap(([, name, arg]) => {
    const kind = DIRECTIVE_KINDS.find((one) => one === name);
    return kind === undefined ? [] : [{ kind, arg: arg ?? '' }];
  });
}

/** A JSON Schema as far as the fake reads it. */
export interface Schema {
  readonly [key: string]: unknown;
}

/** A tool that the agent offers to the model. */
export interface Tool {
  readonly name: string;
  readonly schema: Schema;
  /** The kind of tool, where an API has several. */
  readonly type?: string;
  readonly namespace?: string;
}

/** A message of the conversation, as far as the script needs it. */
export type Turn =
  | { readonly role: 'user' | 'tool'; readonly text: string }
  | { readonly role: 'assistant' };

/** What the model does next. */
export type Move =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'call'; readonly tool: Tool; readonly args: Record<string, unknown> }
  | { readonly kind: 'stall'; readonly seconds: number; readonly text: string }
  | { readonly kind: 'fail'; readonly status: number };

/** Counts how often a script has failed on purpose; one per server. */
export type FailureCounter = Map<string, number>;

/** The next move: the newest user message with directives is the script, tool results since then its place. */
export function nextMove(
  turns: readonly Turn[],
  tools: readonly Tool[],
  failures: FailureCounter,
): Move {
  const scripts = turns.flatMap((turn, index) => {
    const directives = turn.role === 'user' ? parseScript(turn.text) : [];
    return turn.role === 'user' && directives.length > 0
      ? [{ index, directives, text: turn.text }]
      : [];
  });
  const script = scripts.at(-1);
  if (script === undefined) return { kind: 'say', text: 'All done. (no script in the prompt)' };
  const results = turns
    .slice(script.index + 1)
    .flatMap((turn) => (turn.role === 'tool' ? [turn.text] : []));
  const waiting = waitOn(results.at(-1), tools);
  if (waiting !== undefined) return { kind: 'call', ...waiting };
  const steps = results.filter((text) => !stillRunning.test(text));
  const calls = script.directives.filter((one) => !['say', 'fail', 'stall'].includes(one.kind));
  const next = calls[steps.length];
  if (next !== undefined) return callOf(next, tools);
  const last = results.at(-1) ?? '';
  return lastMove(
    script,
    `All done. tool_results=${results.length}; last: ${last.slice(0, 120)}`,
    failures,
  );
}

function lastMove(
  script: { readonly directives: readonly Directive[]; readonly text: string },
  summary: string,
  failures: FailureCounter,
): Move {
  const argOf = (kind: DirectiveKind): string | undefined =>
    script.directives.find((one) => one.kind === kind)?.arg;
  const stall = argOf('stall');
  if (stall !== undefined) {
    return { kind: 'stall', seconds: Number(stall || 30), text: 'Stalled, then done.' };
  }
  const [status, times] = argOf('fail')?.split('|') ?? [];
  if (status !== undefined) {
    const sofar = failures.get(script.text) ?? 0;
    failures.set(script.text, sofar + 1);
    if (times === undefined || sofar < Number(times)) {
      return { kind: 'fail', status: Number(status || 500) };
    }
  }
  return { kind: 'say', text: argOf('say') ?? summary };
}

function callOf(directive: Directive, tools: readonly Tool[]): Move {
  const call = resolveCall(directive, tools);
  if (call !== undefined) return { kind: 'call', ...call };
  const names = tools.map((tool) => tool.name).join(',');
  return { kind: 'say', text: `No tool for ${directive.kind}:${directive.arg}; have ${names}` };
}

type Call = { readonly tool: Tool; readonly args: Record<string, unknown> };

/** Names of the shell and write tools of the agents this was tried with. */
const shellTools = [
  'Bash',
  'bash',
  'shell',
  'shell_command',
  'exec_command',
  'local_shell',
  'run_shell_command',
  'execute_command',
  'run_commands',
  'run_command',
  'launch-process',
  'Execute',
  'run_terminal_command',
  'terminal',
];
const writeTools = [
  'Write',
  'write',
  'write_file',
  'create',
  'create_file',
  'write_to_file',
  'save-file',
  'Create',
  'editor',
  'create_new_file',
];
const pathFields = ['file_path', 'filePath', 'filepath', 'path', 'absolute_path'];
const contentFields = ['content', 'file_text', 'file_content', 'contents', 'new_text'];

function resolveCall(directive: Directive, tools: readonly Tool[]): Call | undefined {
  const { kind, arg } = directive;
  if (kind === 'shell') return shellCall(arg, tools);
  if (kind === 'write') return writeCall(arg, tools);
  const [name = '', json] = splitOnce(arg);
  const tool = tools.find((one) =>
    kind === 'ask'
      ? /ask/i.test(one.name)
      : kind === 'tool'
        ? one.name === name
        : one.name.includes(name),
  );
  if (tool === undefined) return undefined;
  const given: unknown = json === undefined ? {} : JSON.parse(json);
  return { tool, args: fillSchema(tool.schema, asRecord(given)) };
}

/** What Codex says of a command that has not ended within its patience. */
const stillRunning = /Process running with session ID (\d+)/;
const shellMsMax = 30_000;

/** Goes on waiting for a command that has not ended: on a slow machine that takes as long as it takes. */
function waitOn(result: string | undefined, tools: readonly Tool[]): Call | undefined {
  const session = stillRunning.exec(result ?? '')?.[1];
  const tool = tools.find((one) => one.name === 'write_stdin');
  if (session === undefined || tool === undefined) return undefined;
  return { tool, args: { session_id: Number(session), chars: '', yield_time_ms: shellMsMax } };
}

function shellCall(command: string, tools: readonly Tool[]): Call | undefined {
  const tool = firstNamed(tools, shellTools);
  if (tool === undefined) return undefined;
  const field = fieldOf(tool, ['command', 'cmd', 'commands']);
  const type = String(asRecord(propertiesOf(tool.schema)[field])['type']).toLowerCase();
  const list = field === 'commands' ? [command] : ['bash', '-lc', command];
  const value = type.includes('array') ? list : command;
  // A shell that answers before its command has ended gets all the time it takes.
  const patience =
    'yield_time_ms' in propertiesOf(tool.schema) ? { yield_time_ms: shellMsMax } : {};
  return { tool, args: fillSchema(tool.schema, { [field]: value, ...patience }) };
}

function writeCall(arg: string, tools: readonly Tool[]): Call | undefined {
  const [path = '', content = 'hello from the fake model\n'] = splitOnce(arg);
  const tool = firstNamed(tools, writeTools);
  // An agent without a tool to write files has a shell.
  if (tool === undefined) {
    const write = `printf '%s\\n' '${content.trim()}' > '${path}'`;
    return shellCall(`mkdir -p "$(dirname '${path}')" && ${write}`, tools);
  }
  const given: Record<string, unknown> = {
    [fieldOf(tool, pathFields)]: path,
    [fieldOf(tool, contentFields)]: content,
  };
  if (asRecord(propertiesOf(tool.schema)['command'])['enum'] !== undefined)
    given['command'] = 'create';
  return { tool, args: fillSchema(tool.schema, given) };
}

function firstNamed(tools: readonly Tool[], names: readonly string[]): Tool | undefined {
  const name = names.find((one) => tools.some((tool) => tool.name === one));
  return tools.find((tool) => tool.name === name);
}

function fieldOf(tool: Tool, names: readonly string[]): string {
  return names.find((name) => name in propertiesOf(tool.schema)) ?? names[0] ?? '';
}

function splitOnce(text: string): string[] {
  const at = text.indexOf('|');
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function propertiesOf(schema: Schema | undefined): Record<string, unknown> {
  return asRecord(schema?.['properties']);
}

/** `value` if it is an object, else an empty one. */
export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** `given`, with a value for each required property that it lacks. */
export function fillSchema(
  schema: Schema,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const filled: Record<string, unknown> = { ...given };
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : [];
  for (const name of required) {
    if (!(name in filled)) filled[name] = sampleOf(propertiesOf(schema)[name], name);
  }
  return filled;
}

/** A value that fits a schema, about. */
export function sampleOf(value: unknown, name = ''): unknown {
  if (value === undefined || value === null) return name;
  const schema = asRecord(value);
  if (schema['const'] !== undefined) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  if (schema['default'] !== undefined) return schema['default'];
  const either = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(either)) return sampleOf(either[0], name);
  const types: unknown[] = Array.isArray(schema['type'])
    ? schema['type']
    : [schema['type'] ?? 'string'];
  switch (String(types.find((type) => type !== 'null')).toLowerCase()) {
    case 'object':
      return fillSchema(schema, {});
    case 'array':
      return Number(schema['minItems'] ?? 0) > 0 ? [sampleOf(schema['items'], name)] : [];
    case 'boolean':
      return false;
    case 'number':
    case 'integer':
      return schema['minimum'] ?? 1;
    case 'undefined':
      return null;
    default:
      return `fake ${name}`;
  }
}
