import type { Assignment, Checkpoint, ServerFrame } from '@baton/contract';
import { findExit } from '../supervisor/records.ts';
import { aborted, createGate } from './aborted.ts';
import { endAgent } from './agent-process.ts';
import { appendNote, writeUpdate } from '../workspaces/dot-baton.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import { findAssignment, type AttemptFiles, type StopFile } from './files.ts';
import { finishTurn } from './finish.ts';
import type { TurnPrompt } from './launch.ts';
import { keepWork } from './keep-work.ts';
import { createPlace, type Place } from './place.ts';
import { turnPrompt } from './prompt-of.ts';
import {
  brokenRepair,
  clearForRepair,
  planRepair,
  repairPrompt,
  violationReport,
} from './repair.ts';
import type { PendingReport } from './report.ts';
import { failureReport, isEndOfTelling, tellReport } from './tell.ts';
import {
  resumeEndedTurn,
  startTurn,
  StoppedBeforeStart,
  type LiveTurn,
  type Turn,
  type TurnContext,
} from './turn.ts';
import { whenRoom, type RoomPorts } from './when-room.ts';
import type { Note, Runner, RunnerPorts } from './runner-ports.ts';

/** A supervisor that has not ended its agent so long after the grace is ended itself. */
const patienceMs = 10_000;
/** TERM to KILL for an agent that lost its task, and the patience after that: 5 s in all. */
const staleGraceMs = 2_000;
const stalePatienceMs = 2_500;

/** Seconds that an agent which was told to end its turn has for that. */
const turnMs = 10_000;
/** TERM to KILL of an agent that did not end its turn. */
const yieldGraceMs = 5_000;

/**
 * Starts (or, after a restart of the daemon, goes on with) an attempt. `before` resolves when nothing is
 * left at work in the place that it goes on in.
 */
export function startRunner(
  ports: RunnerPorts,
  given: Assignment,
  files: AttemptFiles,
  before: () => Promise<void>,
): Runner {
  return new AttemptRunner(ports, given, files, before);
}

class AttemptRunner implements Runner {
  assignment: Assignment;
  ended = false;
  readonly done: Promise<void>;
  readonly #ports: RunnerPorts;
  readonly #files: AttemptFiles;
  /** Fires when the attempt is abandoned or let go of. */
  readonly #leaving = new AbortController();
  readonly #place: Place;
  /** Ends the waiting of a held attempt: somebody stops it, or another one goes on. */
  readonly #heldOver = createGate();
  isHeld = false;
  #abandoned: string | undefined;
  #isSuperseded = false;
  #turnTimer: NodeJS.Timeout | undefined;
  #turn: Turn | undefined;
  #live: LiveTurn | undefined;

  constructor(
    ports: RunnerPorts,
    given: Assignment,
    files: AttemptFiles,
    before: () => Promise<void>,
  ) {
    this.#ports = ports;
    this.#files = files;
    this.assignment = given;
    const { signal } = this.#leaving;
    this.#place = createPlace(ports, () => this.assignment, files, before, signal);
    const report = files.report();
    this.ended = report !== undefined && report.turn >= this.#turnNumber;
    this.done = this.#run();
  }

  acknowledged(ack: Extract<ServerFrame, { type: 'log_ack' }>): void {
    this.#turn?.acknowledged(ack);
    if (ack.error?.code === 'stale_epoch') this.abandon('stale_epoch');
  }

  decided(checkpoint: Checkpoint): void {
    this.#turn?.decided(checkpoint);
  }

  noted(note: Note): void {
    this.assignment = { ...this.assignment, notes: [...this.assignment.notes, note] };
    this.#files.saveAssignment(this.assignment);
    const workspace = this.#ports.workspaces.find(this.#id);
    if (workspace !== undefined) appendNote(workspace.path, note);
  }

  updated(fresh: Pick<Assignment, 'task'>, fields: readonly string[]): void {
    this.assignment = { ...this.assignment, task: fresh.task };
    this.#files.saveAssignment(this.assignment);
    const workspace = this.#ports.workspaces.find(this.#id);
    if (workspace === undefined) return;
    const { title, spec } = fresh.task;
    writeUpdate(workspace.path, { fields, task: { title, ...spec } });
    const text = `The task was changed (${fields.join(', ')}): read the newest file in .baton/updates and go by it.`;
    appendNote(workspace.path, { author: 'baton', text, urgent: true });
  }

  reconnected(): void {
    this.#turn?.reconnected();
  }

  cancel(reason: string, graceMs: number): void {
    // That one ends already, and as what its task needs.
    if (this.#files.stop()?.kind !== 'yield') this.#stop({ kind: 'cancel', reason }, graceMs);
  }

  yield(reason: string, graceMs: number): void {
    if (this.#files.stop() !== undefined) return;
    this.#files.saveStop({ kind: 'yield', reason });
    this.#heldOver.open();
    this.#place.interrupt();
    this.#endTurn(reason, Math.max(0, graceMs - yieldGraceMs));
  }

  hold(reason: string): void {
    const isKnown = this.#files.held() !== undefined || this.#files.stop() !== undefined;
    if (!isKnown && !this.ended) this.#yielded('held', reason);
  }

  supersede(): void {
    this.#isSuperseded = true;
    this.#heldOver.open();
  }

  release(reason: string, graceMs: number): void {
    // Nothing runs: it stays as it is for the next start of the daemon.
    if (this.isHeld || this.#files.held() !== undefined) return;
    if (this.#files.stop()?.kind !== 'yield') this.#stop({ kind: 'release', reason }, graceMs);
  }

  abandon(why: string): void {
    if (this.#leaving.signal.aborted) return;
    this.#ports.log.warn(
      { why, attempt: this.#id },
      'an attempt is no longer held by this worker; its agent is ended',
    );
    this.#abandoned = why;
    this.#files.saveStop({ kind: 'stale', reason: why });
    this.#leave();
  }

  detach(): void {
    if (!this.#leaving.signal.aborted) this.#leave();
  }

  get #id(): string {
    return this.assignment.attempt.id;
  }

  get #turnNumber(): number {
    return this.#files.repair() === undefined ? 1 : 2;
  }

  get #room(): RoomPorts {
    const { log } = this.#ports;
    return { log, signal: this.#leaving.signal, dir: this.#files.dir };
  }

  #leave(): void {
    this.#leaving.abort(new Error('the daemon lets go of the attempt'));
    this.#place.interrupt();
  }

  /** Lets the agent end its turn by itself for a while, then ends it. */
  #endTurn(reason: string, patienceForTurnMs: number): void {
    clearTimeout(this.#turnTimer);
    this.#turnTimer = setTimeout(() => this.#endLive(reason, yieldGraceMs), patienceForTurnMs);
  }

  /** What the agent asked for ends its process: it was told so in the answer. */
  #yielded(how: 'held' | 'ended', reason = 'waits for an answer'): void {
    if (how === 'held') this.#files.saveHeld(reason);
    else this.#files.saveStop({ kind: 'yield', reason });
    this.#endTurn(reason, turnMs);
  }

  #stop(stop: StopFile, graceMs: number): void {
    if (this.ended) return;
    this.#files.saveStop(stop);
    this.#heldOver.open();
    this.#place.interrupt();
    this.#endLive(stop.reason, graceMs);
  }

  #endLive(reason: string, graceMs: number): void {
    this.#live?.stop(reason, graceMs, patienceMs).catch((error: unknown) => {
      this.#ports.log.error({ error, attempt: this.#id }, 'an agent could not be ended');
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#leaving;
    try {
      await this.#toItsEnd();
    } catch (error) {
      if (!isEndOfTelling(error, signal)) await this.#tellFault(error);
    }
    try {
      if (this.#abandoned !== undefined) {
        if (this.#live !== undefined) await this.#endForeign();
        this.#close(this.#abandoned);
      }
      await this.#turn?.close();
    } catch (error) {
      this.#ports.log.error({ error, attempt: this.#id }, 'an attempt could not be closed');
    } finally {
      clearTimeout(this.#turnTimer);
    }
  }

  /** A fault of ours: the control plane hears that, and need not wait for the lease to find out. */
  async #tellFault(fault: unknown): Promise<void> {
    const { log } = this.#ports;
    log.error({ error: fault, attempt: this.#id }, 'an attempt could not be told to its end');
    const pending = { turn: this.#turnNumber, report: failureReport(fault), uploads: [] };
    try {
      const told = await tellReport(this.#ports, this.assignment, pending, this.#leaving.signal);
      if (told.kind === 'done') this.#close(told.why);
    } catch (error) {
      log.error({ error, attempt: this.#id }, 'an attempt ended without a report');
    }
  }

  async #toItsEnd(): Promise<void> {
    const { signal } = this.#leaving;
    // Abandoned by a daemon that ended before its agent did.
    if (this.#files.stop()?.kind === 'stale') {
      this.#abandoned = 'stale_epoch';
      await this.#endForeign();
      return;
    }
    let pending = this.#files.report();
    if (pending === undefined || !this.ended) pending = await this.#runTurn();
    else this.#turn = await this.#endedTurn(pending);
    for (;;) {
      await Promise.race([this.#turn?.settled, aborted(signal)]);
      if (this.#isSuperseded) {
        this.#close('resumed');
        return;
      }
      const told = await tellReport(this.#ports, this.assignment, pending, signal);
      if (told.kind === 'done') {
        this.#close(told.why);
        return;
      }
      pending = await this.#mend(pending, told.words);
    }
  }

  /** One more turn for a result that breaks a contract, or the report that it does. */
  async #mend(pending: PendingReport, words: string): Promise<PendingReport> {
    const repair = await planRepair(this.assignment, this.#files, pending, words);
    if (repair === undefined) {
      const broken = violationReport(pending, words);
      this.#files.saveReport(broken);
      return broken;
    }
    this.#ports.log.info(
      { attempt: this.#id, words },
      'a result breaks a contract: its agent is asked to mend it',
    );
    await this.#turn?.close();
    this.#files.saveRepair(repair);
    this.ended = false;
    return this.#runTurn();
  }

  /** Runs the agent to its end and keeps the report of it. */
  async #runTurn(): Promise<PendingReport> {
    const { signal } = this.#leaving;
    const number = this.#turnNumber;
    let pending: PendingReport | undefined;
    try {
      pending = await this.#liveTurn(number);
    } catch (error) {
      signal.throwIfAborted();
      pending = { turn: number, report: this.#failure(error), uploads: [] };
    }
    signal.throwIfAborted();
    if (pending === undefined) pending = await this.#waitHeld(number);
    const repair = this.#files.repair();
    const report = repair === undefined ? pending : brokenRepair(pending, repair);
    await whenRoom(this.#room, () => this.#files.saveReport(report));
    this.ended = true;
    return report;
  }

  /** Nothing runs, and the place is kept, until somebody stops the attempt or another one goes on. */
  async #waitHeld(number: number): Promise<PendingReport> {
    this.isHeld = true;
    this.#ports.log.info({ attempt: this.#id }, 'an attempt is held: it waits for a person');
    void this.#saveHeld();
    // One that was stopped under a daemon before this one is over at once.
    if (this.#files.stop() !== undefined) this.#heldOver.open();
    await Promise.race([this.#heldOver.opened, aborted(this.#leaving.signal)]);
    const reason = this.#files.stop()?.reason ?? 'resumed';
    this.isHeld = false;
    return {
      turn: number,
      report: { kind: 'fail', body: { reason, failure_class: 'cancelled' } },
      uploads: [],
    };
  }

  /** Its machine may be gone when it is gone on with. */
  async #saveHeld(): Promise<void> {
    const { workspaces, uploader } = this.#ports;
    const workspace = workspaces.find(this.#id);
    if (workspace === undefined) return;
    try {
      const upload = await keepWork(workspaces, this.assignment, this.#files, workspace);
      if (upload === undefined) return;
      await uploader.add(this.assignment, upload, this.#leaving.signal);
    } catch (error) {
      // Whoever goes on with it here has it as it lies; what is closed takes no file any more.
      if (this.isHeld && !this.#leaving.signal.aborted) this.#unsaved(error);
    }
  }

  #unsaved(error: unknown): void {
    const { log } = this.#ports;
    log.warn({ error, attempt: this.#id }, 'work could not be saved for another machine');
  }

  /** Undefined: its process ended, and the attempt is held. */
  async #liveTurn(number: number): Promise<PendingReport | undefined> {
    const workspace = await this.#place.make();
    const context = this.#context(number, workspace);
    const stop = this.#files.stop();
    if (stop !== undefined && context.turn.plan() === undefined) {
      throw new StoppedBeforeStart('stopped before its start');
    }
    if (number > 1 && context.turn.plan() === undefined) clearForRepair(workspace);
    const live = startTurn(this.#ports, context);
    this.#live = live;
    this.#turn = live;
    // Asked for under a daemon before this one.
    if (stop !== undefined) this.#endLive(stop.reason, staleGraceMs);
    else if (this.#files.held() !== undefined) this.#endTurn('waits for an answer', turnMs);
    const { exit, reader, usage } = await live.end;
    // Its supervisor heard of it while no daemon was there.
    if (exit.reason === 'stopped' && exit.detail === 'yielded') {
      this.#files.saveStop({ kind: 'yield', reason: 'its task goes on later' });
    }
    const ending = this.#files.stop();
    // It was told to end its turn, and did: no result is made of that, also when it is cancelled just then.
    const isOver = ending?.kind === 'cancel' && exit.reason === 'exited';
    const isHeld = this.#files.held() !== undefined && (ending === undefined || isOver);
    if (isHeld && context.turn.declared() === undefined) return undefined;
    const ended = {
      assignment: this.assignment,
      files: this.#files,
      turn: context.turn,
      workspace,
      exit,
      reader,
      usage,
      refused: number === 1 ? undefined : this.#files.report(),
      onUnsaved: (error: unknown) => this.#unsaved(error),
    };
    return whenRoom(this.#room, () => finishTurn(this.#ports.workspaces, ended));
  }

  #failure(error: unknown): PendingReport['report'] {
    const stop = this.#files.stop();
    if (stop?.kind === 'release') return { kind: 'release', reason: stop.reason };
    if (stop !== undefined) {
      return { kind: 'fail', body: { reason: stop.reason, failure_class: 'cancelled' } };
    }
    this.#ports.log.error({ error, attempt: this.#id }, 'an attempt could not be run');
    return failureReport(error);
  }

  #context(number: number, workspace: Workspace): TurnContext {
    const repair = this.#files.repair();
    return {
      assignment: this.assignment,
      files: this.#files,
      turn: this.#files.turn(number),
      workspace,
      repair,
      prompt: () => this.#prompt(workspace),
      signal: this.#leaving.signal,
      onStale: (code) => this.abandon(code),
      onYield: (how) => this.#yielded(how),
    };
  }

  #prompt(workspace: Workspace): TurnPrompt {
    const it = this.assignment;
    const repair = this.#files.repair();
    if (repair !== undefined)
      return { text: repairPrompt(it, repair), resume: repair.conversation };
    const { dataDir } = this.#ports.config;
    const before = it.continue === null ? undefined : findAssignment(dataDir, it.continue.attempt);
    return turnPrompt(it, workspace, before);
  }

  /** What a daemon before this one had not passed on of a turn that has its report. */
  async #endedTurn(pending: PendingReport): Promise<Turn | undefined> {
    const turn = this.#files.turn(pending.turn);
    const workspace = this.#ports.workspaces.find(this.#id);
    if (findExit(turn.dir) === undefined || workspace === undefined) return undefined;
    return resumeEndedTurn(this.#ports, this.#context(pending.turn, workspace));
  }

  /** Ends an agent that nothing is read of any more. */
  async #endForeign(): Promise<void> {
    const { dir } = this.#files.turn(this.#turnNumber);
    await endAgent(dir, this.#id, this.#abandoned ?? 'stale', staleGraceMs, stalePatienceMs);
  }

  #close(why: string): void {
    this.#files.markDone(why);
    const workspace = this.#ports.workspaces.find(this.#id);
    // A directory of the user's own is given back at once; others stay for a look.
    if (workspace?.mode !== 'in_place') return;
    if (this.#isSuperseded || this.#files.stop()?.kind === 'yield') return;
    this.#ports.workspaces.remove(workspace, []).catch((error: unknown) => {
      this.#ports.log.warn({ error, attempt: this.#id }, 'a directory could not be given back');
    });
  }
}
