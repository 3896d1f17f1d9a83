import { agentEvent, type AgentEvent } from '@baton/contract';

type Of<T extends AgentEvent['type']> = Extract<AgentEvent, { type: T }>;

/** What a transcript is made of. A tool's result is part of its call. */
export type Entry =
  | { readonly kind: 'message'; readonly event: Of<'message'> }
  | { readonly kind: 'thinking'; readonly event: Of<'thinking'> }
  | {
      readonly kind: 'tool';
      readonly call: Of<'tool_call'>;
      readonly result: ToolResult | undefined;
    }
  | { readonly kind: 'denied'; readonly event: Of<'permission_denied'> }
  | { readonly kind: 'notice'; readonly level: 'info' | 'warning' | 'error'; readonly text: string }
  | { readonly kind: 'outcome'; readonly event: Of<'outcome'> };
type ToolResult = Of<'tool_result'>;

/** A transcript as it stands. `skipped` counts lines that no agent event could be read from. */
export interface Transcript {
  readonly session: Of<'session'> | undefined;
  readonly usage: Of<'usage'> | undefined;
  readonly entries: readonly Entry[];
  readonly skipped: number;
}

/** Reads agent events, one JSON line each, as their bytes come in. */
export class TranscriptReader {
  readonly #decoder = new TextDecoder();
  readonly #toolAt = new Map<string, number>();
  #rest = '';
  #entries: Entry[] = [];
  #session: Of<'session'> | undefined;
  #usage: Of<'usage'> | undefined;
  #skipped = 0;

  /** Adds bytes that follow those before them. */
  push(bytes: Uint8Array): void {
    const parts = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const line of parts) if (line.trim() !== '') this.#readLine(line);
  }

  /** What has been read so far; a new object each time something came. */
  transcript(): Transcript {
    return {
      session: this.#session,
      usage: this.#usage,
      entries: [...this.#entries],
      skipped: this.#skipped,
    };
  }

  #readLine(line: string): void {
    const parsed = agentEvent.safeParse(parseJson(line));
    if (parsed.success) this.#add(parsed.data);
    else this.#skipped += 1;
  }

  #add(event: AgentEvent): void {
    switch (event.type) {
      case 'session':
        this.#session = event;
        return;
      case 'usage':
        this.#usage = event;
        return;
      case 'message':
        this.#entries.push({ kind: 'message', event });
        return;
      case 'thinking':
        this.#entries.push({ kind: 'thinking', event });
        return;
      case 'tool_call':
        this.#toolAt.set(event.id, this.#entries.length);
        this.#entries.push({ kind: 'tool', call: event, result: undefined });
        return;
      case 'tool_result':
        this.#addResult(event);
        return;
      case 'permission_denied':
        this.#entries.push({ kind: 'denied', event });
        return;
      case 'rate_limit':
        this.#entries.push({
          kind: 'notice',
          level: event.state === 'rejected' ? 'error' : 'warning',
          text: event.text,
        });
        return;
      case 'notice':
        this.#entries.push({ kind: 'notice', level: event.level, text: event.text });
        return;
      case 'outcome':
        this.#entries.push({ kind: 'outcome', event });
        return;
    }
  }

  #addResult(result: ToolResult): void {
    const at = this.#toolAt.get(result.id);
    const entry = at === undefined ? undefined : this.#entries[at];
    if (at === undefined || entry?.kind !== 'tool') {
      this.#skipped += 1;
      return;
    }
    this.#entries[at] = { ...entry, result };
  }
}

/** How long a tool took, when its agent says when it said what. */
export function toolMs(entry: Extract<Entry, { kind: 'tool' }>): number | undefined {
  const from = Date.parse(entry.call.at ?? '');
  const to = Date.parse(entry.result?.at ?? '');
  return Number.isNaN(from) || Number.isNaN(to) ? undefined : Math.max(0, to - from);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
