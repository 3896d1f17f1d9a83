import type { Assignment, Checkpoint, ServerFrame } from '@baton/contract';
import { findExit } from '../supervisor/records.ts';
import { aborted } from './aborted.ts';
import { endAgent } from './agent-process.ts';
import { appendNote, writeUpdate } from '../workspaces/dot-baton.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import type { AttemptFiles } from './files.ts';
import { finishTurn } from './finish.ts';
import { Ending } from './ending.ts';
import { uploadWork } from './keep-work.ts';
import { createPlace, type Place } from './place.ts';
import { promptOfTurn } from './prompt-of.ts';
import { brokenRepair, clearForRepair, planRepair, violationReport } from './repair.ts';
import type { PendingReport } from './report.ts';
import { failureReport, isEndOfTelling, stopReport, tellReport } from './tell.ts';
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

/** TERM to KILL for an agent that lost its task, and the patience after that: 5 s in all. */
const staleGraceMs = 2_000;
const stalePatienceMs = 2_500;

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
  readonly #ending: Ending;
  isHeld = false;
  #abandoned: string | undefined;
  #isSuperseded = false;
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
    this.#ending = new Ending({
      id: given.attempt.id,
      files,
      log: ports.log,
      isEnded: () => this.ended,
      live: () => this.#live,
      interrupt: () => this.#place.interrupt(),
    });
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
    if (workspace !== undefined) writeUpdate(workspace.path, fresh.task, fields);
  }

  reconnected(): void {
    this.#turn?.reconnected();
  }

  cancel(reason: string, graceMs: number): void {
    this.#ending.cancel(reason, graceMs);
  }

  yield(reason: string, graceMs: number): void {
    this.#ending.yield(reason, graceMs);
  }

  hold(reason: string): void {
    this.#ending.hold(reason);
  }

  supersede(): void {
    this.#isSuperseded = true;
    this.#ending.supersede();
  }

  release(reason: string, graceMs: number): void {
    // Nothing runs: it stays as it is for the next start of the daemon.
    if (this.isHeld || this.#files.held() !== undefined) return;
    this.#ending.release(reason, graceMs);
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
      this.#ending.close();
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
      pending = { turn: number, report: this.#stoppedOr(error), uploads: [] };
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
    void this.#keepHeld();
    await Promise.race([this.#ending.heldOver, aborted(this.#leaving.signal)]);
    const reason = this.#files.stop()?.reason ?? 'resumed';
    this.isHeld = false;
    return {
      turn: number,
      report: { kind: 'fail', body: { reason, failure_class: 'cancelled' } },
      uploads: [],
    };
  }

  async #keepHeld(): Promise<void> {
    const { signal } = this.#leaving;
    try {
      await uploadWork(this.#ports, this.assignment, this.#files, signal);
    } catch (error) {
      // Whoever goes on with it here has it as it lies; what is closed takes no file any more.
      if (this.isHeld && !signal.aborted) this.#unsaved(error);
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
    this.#ending.applyEarlier();
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

  #stoppedOr(error: unknown): PendingReport['report'] {
    const stopped = stopReport(this.#files.stop());
    if (stopped !== undefined) return stopped;
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
      prompt: () =>
        promptOfTurn(this.#ports.config.dataDir, this.assignment, this.#files, workspace),
      signal: this.#leaving.signal,
      onStale: (code) => this.abandon(code),
      onYield: (how) => this.#ending.yielded(how),
    };
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
