import { agentEvent, type AgentEvent } from '@baton/contract';
import { block, paint, show, stack, type Shown } from '../terminal/shown.ts';

/** Lines of a long result that are shown; the rest is counted. */
const RESULT_LINES_MAX = 5;

/**
 * The `agent` stream of a log, as a person reads it: what the agent says in full, what it does in a
 * line, what it thinks left out.
 */
export interface AgentLines {
  /** What has become whole with this piece of text. */
  push(text: string): readonly Shown[];
}

/** Of one stream of one attempt. */
export function createAgentLines(): AgentLines {
  let rest = '';
  return {
    push(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      return lines.flatMap((line) => {
        const shown = eventOf(line);
        return shown === undefined ? [] : [shown];
      });
    },
  };
}

function eventOf(line: string): Shown | undefined {
  if (line.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return block(line);
  }
  const parsed = agentEvent.safeParse(value);
  // A newer worker may write kinds of events that this version has no words for.
  return parsed.success ? wordsOf(parsed.data) : undefined;
}

function wordsOf(event: AgentEvent): Shown | undefined {
  switch (event.type) {
    case 'session':
      return paint.dim(show`session ${event.conversation} ${event.model ?? ''}`);
    case 'message':
      return block(event.text);
    case 'tool_call':
      return show`${paint.cyan(`* ${event.name}`)} ${event.target}`;
    case 'tool_result':
      return resultOf(event.output, event.ok);
    case 'permission_denied':
      return paint.yellow(show`not allowed: ${event.tool} ${event.target} (${event.reason})`);
    case 'rate_limit':
      return paint.yellow(show`rate limit ${event.state}: ${event.text}`);
    case 'notice':
      return event.level === 'info' ? paint.dim(event.text) : paint.yellow(event.text);
    case 'outcome':
      return event.status === 'ok'
        ? paint.green(show`ended (${event.exit_reason})`)
        : paint.red(show`failed (${event.failure_class ?? event.exit_reason}): ${event.summary}`);
    case 'thinking':
    case 'usage':
      return undefined;
  }
}

function resultOf(output: string, isOk: boolean): Shown {
  const lines = output.replace(/\n+$/, '').split('\n');
  const hidden = lines.length - RESULT_LINES_MAX;
  const text = block(lines.slice(0, RESULT_LINES_MAX).join('\n'), '  ');
  return stack(
    isOk ? paint.dim(text) : paint.red(text),
    hidden > 0 && paint.dim(show`  ... ${hidden} more lines`),
  );
}
