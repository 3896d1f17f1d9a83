import type { AgentEvent, Assignment, Checkpoint, ServerFrame, Usage } from '@baton/contract';
import { addUsage, type ReaderEnd } from '@baton/engines';
import { existsSync } from 'node:fs';
import type { WorkerConfig } from '../config.ts';
import { LinkClosed } from '../link/counted-frames.ts';
import type { Link } from '../link/link.ts';
import type { Log } from '../log.ts';
import type { SupervisorPool } from '../supervisor/pool.ts';
import { findExit, findState, type ExitFile } from '../supervisor/records.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { listOutbox, type AnsweredEntry } from '../supervisor/client.ts';
import { createAgentProcess, type AgentProcess } from './agent-process.ts';
import { createAgentRequests, type AgentAnswer, type AgentRequests } from './agent-requests.ts';
import { openAttemptFiles, type AttemptFiles, type RepairFile, type TurnFiles } from './files.ts';
import { engineOf, prepareLaunch, type TurnPrompt } from './launch.ts';
import { createActionLedger, type ActionLedger } from './action-ledger.ts';
import { createAgentNews, type AgentNews } from './news.ts';
import { readerStart } from './repair.ts';
import { openRequestService } from './serve-requests.ts';
import { findConversationUsage } from './transcript.ts';
import { followTurn, shipTurn, type OutputOptions, type TurnOutput } from './turn-output.ts';
import type { Uploader } from './uploads.ts';

/** What the turns of all attempts share. */
export interface TurnPorts {
  readonly config: WorkerConfig;
  readonly link: Link;
  readonly log: Log;
  readonly pool: SupervisorPool;
  readonly uploader: Uploader;
}

/** What one turn is about. */
export interface TurnContext {
  readonly assignment: Assignment;
  readonly files: AttemptFiles;
  readonly turn: TurnFiles;
  readonly workspace: Workspace;
  readonly repair: RepairFile | undefined;
  readonly prompt: () => TurnPrompt;
  /** Fires when the daemon lets go of the attempt, whatever becomes of the agent. */
  readonly signal: AbortSignal;
  /** The control plane says that somebody else has the task by now. */
  readonly onStale: (code: string) => void;
  /** The answer to the agent was to end its turn: `held` keeps the attempt open. */
  readonly onYield: (how: 'held' | 'ended') => void;
}

/** How a turn ended. */
export interface TurnEnd {
  readonly exit: ExitFile;
  readonly reader: ReaderEnd;
  /** Of all turns. */
  readonly usage: Usage | null;
}

/** What passes between an agent and the control plane, beside its end. */
export interface Turn {
  /** Resolves when its last request is dealt with and all it said is stored there; never rejects. */
  readonly settled: Promise<void>;
  acknowledged(ack: Extract<ServerFrame, { type: 'log_ack' }>): void;
  decided(checkpoint: Checkpoint): void;
  reconnected(): void;
  close(): Promise<void>;
}

/** One run of the agent, from its start (or its finding, after a restart) to its last word. */
export interface LiveTurn extends Turn {
  /** Rejects when the agent could not be started or read; with the reason of `signal` when that fires. */
  readonly end: Promise<TurnEnd>;
  /** Ends the agent, or keeps it from being started. See `AgentProcess.end`. */
  stop(reason: string, graceMs: number, patienceMs: number): Promise<void>;
}

/** Nothing was started because somebody had stopped the attempt by then. */
export class StoppedBeforeStart extends Error {
  override readonly name = 'StoppedBeforeStart';
}

/** An agent that cannot be read is ended rather than left unseen. */
const faultGraceMs = 1_000;
const faultPatienceMs = 3_000;

/** Starts the agent, or takes up the one that a daemon before this one started. */
export function startTurn(ports: TurnPorts, context: TurnContext): LiveTurn {
  const { assignment: it, files, turn, workspace, repair, signal } = context;
  const agent = createAgentProcess(turn.dir, it.attempt.id);
  const channel = new Channel(ports, context, agent);
  let stopping: Parameters<LiveTurn['stop']> | undefined;
  // Through a function, because it is set while others wait.
  const stopAsked = () => stopping;

  async function run(): Promise<TurnEnd> {
    try {
      await begin();
      const reader = await channel.follow(tellStarted(ports, context));
      const exit = findExit(turn.dir);
      if (exit === undefined) throw new Error('the agent has ended without a record');
      return { exit, reader, usage: totalUsage(reader, repair) };
    } catch (error) {
      if (!signal.aborted) await agent.end('internal', faultGraceMs, faultPatienceMs);
      throw error;
    } finally {
      agent.close();
    }
  }

  async function begin(): Promise<void> {
    const found = turn.plan() === undefined ? 'never_started' : await agent.find();
    if (found === 'never_started') await launch();
    const stop = stopAsked();
    if (stop !== undefined) await agent.end(...stop);
  }

  async function launch(): Promise<void> {
    signal.throwIfAborted();
    if (stopAsked() !== undefined) throw new StoppedBeforeStart('stopped before its start');
    files.saveAssignment(files.assignment() ?? it);
    const prompt = context.prompt();
    const prior = prompt.resume === null ? null : await priorUsageOf(ports, it);
    const input = prepareLaunch(ports.config, it, workspace, turn, prompt, prior);
    await agent.start(ports.pool, input);
  }

  const end = run();
  // Whoever waits for it sees the failure; one that comes before anybody waits is no unhandled one.
  end.catch(() => undefined);
  return Object.assign(channel, {
    end,
    async stop(...how: Parameters<LiveTurn['stop']>) {
      stopping ??= how;
      if (agent.client !== undefined) await agent.end(...how);
    },
  });
}

/** What is still to be passed on of a turn whose agent has ended under a daemon before this one. */
export function resumeEndedTurn(ports: TurnPorts, context: TurnContext): Turn {
  const agent = createAgentProcess(context.turn.dir, context.assignment.attempt.id);
  const channel = new Channel(ports, context, agent);
  channel.shipRest();
  return channel;
}

/** The streams and requests of one turn. */
class Channel implements Turn {
  readonly #ports: TurnPorts;
  readonly #context: TurnContext;
  readonly #agent: AgentProcess;
  readonly #news: AgentNews;
  readonly #ledger: ActionLedger;
  #output: TurnOutput | undefined;
  #requests: AgentRequests | undefined;
  #served: Promise<void> = Promise.resolve();

  constructor(ports: TurnPorts, context: TurnContext, agent: AgentProcess) {
    this.#ports = ports;
    this.#context = context;
    this.#agent = agent;
    this.#news = createAgentNews(ports.link, this.#about, context.repair?.usage ?? null);
    const about = { ...this.#about, turn: context.turn.turn };
    this.#ledger = createActionLedger(ports.link, about, ports.log);
  }

  get settled(): Promise<void> {
    return Promise.all([this.#served, this.#output?.shipped, this.#ledger.flush()]).then(
      () => undefined,
    );
  }

  /** Serves the agent and reads it to its end. */
  async follow(started: Promise<void>): Promise<ReaderEnd> {
    const { assignment, turn, repair, signal } = this.#context;
    const requests = this.#serve(started);
    const start = readerStart(turn, repair);
    const onEvent = (event: AgentEvent): void => {
      this.#news.event(event);
      this.#ledger.event(event);
    };
    const output = followTurn(this.#options, engineOf(assignment), start, onEvent, signal);
    this.#output = output;
    try {
      const reader = await output.end;
      // The others may wait for the control plane; the agent's own word on its end is needed now.
      for (const entry of listOutbox(turn.dir)) if (isReport(entry)) await requests.handle(entry);
      return reader;
    } finally {
      this.#news.stop();
    }
  }

  shipRest(): void {
    if (findExit(this.#context.turn.dir) === undefined) return;
    this.#serve(Promise.resolve());
    this.#output = shipTurn(this.#options);
  }

  acknowledged(ack: Extract<ServerFrame, { type: 'log_ack' }>): void {
    this.#output?.acknowledged(ack);
  }

  decided(checkpoint: Checkpoint): void {
    this.#requests?.decided(checkpoint);
  }

  reconnected(): void {
    this.#output?.reconnected();
    this.#requests?.askAgain();
  }

  async close(): Promise<void> {
    this.#news.stop();
    this.#ledger.stop();
    await this.#output?.close();
  }

  #serve(started: Promise<void>): AgentRequests {
    const { assignment, turn, signal } = this.#context;
    const { link, uploader, log } = this.#ports;
    const answer = (id: string, given: AgentAnswer): void => service.answer(id, given);
    const { onYield } = this.#context;
    const shared = { assignment, turn, link, uploader, news: this.#news, log, signal, onYield };
    const requests = createAgentRequests({ ...shared, started, answer });
    const service = openRequestService(turn.dir, this.#agent, requests, log, signal);
    this.#requests = requests;
    this.#served = service.served;
    return requests;
  }

  get #about(): { readonly attempt: string; readonly epoch: number } {
    const { id, epoch } = this.#context.assignment.attempt;
    return { attempt: id, epoch };
  }

  get #options(): OutputOptions {
    const { files, turn } = this.#context;
    const before = turn.turn === 1 ? undefined : files.turn(1);
    return { link: this.#ports.link, ...this.#about, before, turn };
  }
}

/** Resolves when it is known there. The agent runs whether or not the control plane is there to hear of it. */
async function tellStarted({ link, log }: TurnPorts, context: TurnContext): Promise<void> {
  const { assignment: it, turn, workspace } = context;
  const attempt = it.attempt.id;
  const plan = turn.plan();
  const pid = findState(turn.dir)?.pid;
  const wanted = it.task.spec.workspace;
  const body = {
    epoch: it.attempt.epoch,
    ...(pid === undefined ? {} : { pid }),
    ...(plan === undefined ? {} : { prompt_sha256: plan.prompt_sha256 }),
    ...(typeof plan?.conversation === 'string' ? { conversation: plan.conversation } : {}),
    ...(workspace.refCommit === null || wanted?.repo === undefined
      ? {}
      : { bases: { [`${wanted.repo}@${wanted.ref ?? 'HEAD'}`]: workspace.refCommit } }),
  };
  try {
    const { error } = await link.request({ type: 'started', attempt, body });
    // One that is being stopped takes no start any more; its end is still waited for.
    if (error === null || error.facts['attempt_status'] === 'stopping') return;
    log.warn({ error, attempt }, 'the start of an agent was refused');
    if (error.code === 'stale_epoch' || error.code === 'not_found') context.onStale(error.code);
  } catch (error) {
    if (!(error instanceof LinkClosed)) log.error({ error, attempt }, 'a start could not be told');
  }
}

function isReport({ kind }: AnsweredEntry): boolean {
  return kind === 'complete' || kind === 'fail';
}

function totalUsage(reader: ReaderEnd, repair: RepairFile | undefined): Usage | null {
  const earlier = repair?.usage ?? null;
  if (earlier === null || reader.usage === null) return reader.usage ?? earlier;
  return addUsage(earlier, reader.usage);
}

/** What the conversation that an attempt goes on with had used before; null where that is not known. */
async function priorUsageOf(ports: TurnPorts, it: Assignment): Promise<Usage | null> {
  if (it.continue === null) return null;
  const before = openAttemptFiles(ports.config.dataDir, it.continue.attempt);
  const turn = before.turn(before.repair() === undefined ? 1 : 2);
  return existsSync(turn.transcriptPath) ? findConversationUsage(turn.transcriptPath) : null;
}
