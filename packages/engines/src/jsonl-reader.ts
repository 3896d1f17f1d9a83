import { AGENT_EVENT_LIMITS, DEFAULTS } from '@baton/contract';
import type { AgentEvent, AgentOutcome, FailureClass, Usage } from '@baton/contract';
import { cutMiddle, lastLines, tail } from './cut.ts';
import { ENGINE_LIMITS } from './engine.ts';
import type { EngineReader, OutputStream, ProcessExit, ReaderEnd } from './engine.ts';
import { classifyFailure } from './failure.ts';
import { LineSplitter } from './line-splitter.ts';
import type { Line } from './line-splitter.ts';
import { parseObject } from './loose-json.ts';
import type { LooseObject } from './loose-json.ts';

/** What agents say when the conversation to resume does not exist, or was cut off before it was kept. */
const conversationLost = /^(Error: )?(No conversation found|thread\/resume)/m;

/** How an agent's own terminal event says it ended. */
export type Terminal =
  | { readonly ok: true; readonly text: string }
  | {
      readonly ok: false;
      readonly text: string;
      readonly failureClass: FailureClass;
      readonly reason: 'reported_error' | 'max_turns';
      readonly resetsAt?: string | undefined;
    };

/** What is particular to one agent's JSON lines. State lives in the mapper; one per attempt. */
export interface StreamMapper {
  /** The events of one line. Never throws on any object. */
  map(line: LooseObject): AgentEvent[];
  /** Events that only the end makes known, such as a usage that was never reported. */
  finish(): AgentEvent[];
  /** The last terminal event, if one was seen. */
  terminal(): Terminal | undefined;
  finalText(): string;
  usage(): Usage | null;
  conversationId(): string | null;
}

/** A reader over an agent that prints one JSON object a line on stdout and remarks on stderr. */
export function openJsonlReader(mapper: StreamMapper): EngineReader {
  const stdout = new LineSplitter(ENGINE_LIMITS.lineBytesMax);
  const stderr = new StderrTail();
  const eventsOf = (line: Line): AgentEvent[] => {
    if (line.kind === 'too_long') {
      return [warning(`a line of ${line.bytes} bytes was left out; it begins with ${line.head}`)];
    }
    if (line.text.trim() === '') return [];
    const object = parseObject(line.text);
    return object === undefined ? [info(line.text)] : mapper.map(object);
  };
  return {
    push(chunk: Uint8Array, stream: OutputStream): AgentEvent[] {
      if (stream === 'stdout') return stdout.push(chunk).flatMap(eventsOf);
      stderr.push(chunk);
      return [];
    },
    end(exit: ProcessExit): ReaderEnd {
      const events = [...stdout.end().flatMap(eventsOf), ...mapper.finish()];
      const remarks = stderr.end();
      if (remarks !== '') events.push(info(remarks));
      const outcome = outcomeOf(mapper.terminal(), exit, remarks, mapper.finalText());
      return {
        events: [...events, outcome],
        outcome,
        finalText: tail(mapper.finalText(), ENGINE_LIMITS.finalTextCharsMax),
        usage: mapper.usage(),
        conversationId: mapper.conversationId(),
      };
    },
  };
}

/**
 * Success is the agent's own terminal event, not an error one: exit codes lie in both directions.
 * Without a terminal event the run failed, by what ended it.
 */
function outcomeOf(
  terminal: Terminal | undefined,
  exit: ProcessExit,
  remarks: string,
  lastText: string,
): AgentOutcome {
  const how = { type: 'outcome' as const, exit_code: exit.code, signal: exit.signal };
  if (terminal?.ok === true) {
    return { ...how, status: 'ok', summary: summaryOf(terminal.text), exit_reason: 'finished' };
  }
  if (terminal !== undefined) {
    return {
      ...how,
      status: 'failed',
      failure_class: exit.stopped ?? terminal.failureClass,
      summary: summaryOf(terminal.text),
      exit_reason:
        exit.stopped !== undefined
          ? 'stopped'
          : conversationLost.test(terminal.text)
            ? 'conversation_lost'
            : terminal.reason,
      ...(terminal.resetsAt === undefined ? {} : { resets_at: terminal.resetsAt }),
    };
  }
  return { ...how, ...withoutTerminal(exit, remarks, lastText) };
}

function withoutTerminal(
  exit: ProcessExit,
  remarks: string,
  lastText: string,
): Pick<AgentOutcome, 'status' | 'failure_class' | 'summary' | 'exit_reason'> {
  const said = summaryOf(remarks === '' ? lastText : remarks);
  const because = (sentence: string): string => (said === '' ? sentence : `${sentence}: ${said}`);
  if (exit.stopped !== undefined) {
    return {
      status: 'failed',
      failure_class: exit.stopped,
      summary: summaryOf(because(`the agent was stopped (${exit.stopped})`)),
      exit_reason: 'stopped',
    };
  }
  const killedBy =
    exit.signal ??
    (exit.code !== null && exit.code > 128 && exit.code < 193 ? `${exit.code}` : null);
  return {
    status: 'failed',
    failure_class: classifyFailure({ text: remarks }),
    summary: summaryOf(
      because(
        killedBy === null
          ? `the agent ended with exit code ${exit.code} and without saying how`
          : `the agent was killed (${killedBy})`,
      ),
    ),
    exit_reason:
      killedBy !== null
        ? 'signal'
        : conversationLost.test(remarks)
          ? 'conversation_lost'
          : 'no_terminal_event',
  };
}

/** The last lines of stderr, which are told once, at the end: their order against stdout is chance. */
export class StderrTail {
  readonly #lines = new LineSplitter(ENGINE_LIMITS.lineBytesMax);
  #tail: string[] = [];

  push(chunk: Uint8Array): void {
    this.#add(this.#lines.push(chunk));
  }

  end(): string {
    this.#add(this.#lines.end());
    return lastLines(this.#tail.join('\n'), ENGINE_LIMITS.stderrTailLines);
  }

  #add(lines: readonly Line[]): void {
    const texts = lines.map((line) => (line.kind === 'line' ? line.text : line.head));
    this.#tail = [...this.#tail, ...texts.slice(-keptLines)].slice(-keptLines);
  }
}

const keptLines = DEFAULTS.outputTailLines;

export function summaryOf(text: string): string {
  return cutMiddle(text.trim(), AGENT_EVENT_LIMITS.summaryCharsMax);
}

export function info(text: string): AgentEvent {
  return {
    type: 'notice',
    level: 'info',
    text: cutMiddle(text, AGENT_EVENT_LIMITS.noticeCharsMax),
  };
}

export function warning(text: string): AgentEvent {
  return {
    type: 'notice',
    level: 'warning',
    text: cutMiddle(text, AGENT_EVENT_LIMITS.noticeCharsMax),
  };
}
