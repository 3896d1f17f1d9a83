import {
  AppError,
  type Assignment,
  type AttemptProgress,
  type Checkpoint,
  type RepoCapability,
  type ServerFrame,
  type Usage,
} from '@baton/contract';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerConfig } from '../config.ts';
import { parseRepoSource } from '../git/repo-source.ts';
import type { Link } from '../link/link.ts';
import type { Log } from '../log.ts';
import { openSpool } from '../spool/spool.ts';
import {
  findSupervisor,
  listOutbox,
  recordAnswer,
  settleLost,
  type SupervisorClient,
} from '../supervisor/client.ts';
import { findExit, type ExitFile } from '../supervisor/records.ts';
import type { SupervisorPool } from '../supervisor/pool.ts';
import type { UpstreamCommit, Workspace, WorkspaceRequest } from '../workspaces/workspace.ts';
import type { Workspaces } from '../workspaces/workspaces.ts';
import { createAgentRequests, type AgentRequests } from './agent-requests.ts';
import { agentEnv } from './agent-env.ts';
import type { AttemptFiles, PlanFile } from './files.ts';
import { finishAttempt } from './finish.ts';
import { engineOf, prepareLaunch } from './launch.ts';
import { shipLog, type LogShipper } from './log-shipper.ts';
import type { Report } from './report.ts';
import { readTranscript } from './transcript.ts';
import { bundlePath, type Uploader } from './uploads.ts';

export interface RunnerPorts {
  readonly config: WorkerConfig;
  readonly link: Link;
  readonly log: Log;
  readonly pool: SupervisorPool;
  readonly workspaces: Workspaces;
  readonly uploader: Uploader;
  readonly repos: () => readonly RepoCapability[];
}

/** One attempt on this machine, from its assignment to the acknowledged report. */
export interface Runner {
  readonly assignment: Assignment;
  /** Resolves when nothing more will be told of it. Never rejects. */
  readonly done: Promise<void>;
  /** Its report is made and waits to be told. */
  readonly ended: boolean;
  /** For the next heartbeat. */
  beat(): { id: string; epoch: number; usage?: Usage };
  frame(frame: ServerFrame): void;
  /** Ends the agent's whole tree; the report says why. */
  cancel(reason: string, graceMs: number): void;
  /** The control plane no longer counts on this attempt: end it and tell nothing more. */
  abandon(why: string): void;
  /** Ends the agent and hands the task back. */
  release(reason: string): void;
}

const outboxWaitMs = 10_000;
const graceMs = 5_000;

/** Starts (or, after a restart of the daemon, goes on with) an attempt. */
export function startRunner(ports: RunnerPorts, it: Assignment, files: AttemptFiles): Runner {
  const { link, log } = ports;
  const about = { attempt: it.attempt.id, epoch: it.attempt.epoch };
  const ending = new AbortController();
  let usage: Usage | undefined;
  let client: SupervisorClient | undefined;
  let requests: AgentRequests | undefined;
  let shippers: LogShipper[] = [];
  let stopped: { readonly reason: string; readonly graceMs: number } | undefined;
  // Through a function, because it is set while others wait.
  const stopAsked = () => stopped;
  let released: string | undefined;
  let isEnded = files.report() !== undefined;

  async function run(): Promise<void> {
    const report = files.report() ?? (await runToReport());
    isEnded = true;
    if (ending.signal.aborted) return;
    files.saveReport(report);
    await tell(report);
  }

  async function runToReport(): Promise<Report> {
    try {
      const workspace = await begin();
      const stop = stopAsked();
      if (stop !== undefined && neverStarted()) return stoppedReport(stop.reason);
      return await attend(workspace);
    } catch (error) {
      if (ending.signal.aborted) throw error;
      log.error({ error, ...about }, 'an attempt could not be run');
      return failureReport(error);
    }
  }

  function neverStarted(): boolean {
    return client === undefined && findExit(files.dir) === undefined;
  }

  /** Finds the agent that runs (or ran) already, else prepares the workspace and starts it. */
  async function begin(): Promise<Workspace> {
    const before = ports.workspaces.find(it.attempt.id);
    if (files.plan() !== undefined && before !== undefined) {
      const found = await findSupervisor(files.dir);
      if (found.status === 'running') client = found.client;
      if (found.status === 'lost' || found.status === 'never_started') {
        await settleLost(files.dir, it.attempt.id, graceMs);
      }
      await tellStarted(undefined, files.plan());
      return before;
    }
    const engine = engineOf(it);
    const workspace = await ports.workspaces.prepare(await workspaceRequest(ports, it, files));
    if (stopAsked() !== undefined) return workspace;
    const prepared = prepareLaunch(ports.config, it, engine, workspace, files);
    const started = await ports.pool.start(files.dir, prepared.launch);
    if (started !== undefined) {
      const found = await findSupervisor(files.dir);
      if (found.status === 'running') client = found.client;
      const stop = stopAsked();
      if (stop !== undefined) await client?.stop(stop.reason, stop.graceMs).catch(() => undefined);
    }
    await tellStarted({ pid: started?.pid, prompt_sha256: prepared.promptSha256, workspace }, prepared.plan);
    return workspace;
  }

  async function tellStarted(
    first: { pid: number | undefined; prompt_sha256: string; workspace: Workspace } | undefined,
    plan: PlanFile | undefined,
  ): Promise<void> {
    const { repo, refCommit } = first?.workspace ?? { repo: null, refCommit: null };
    const ref = it.task.spec.workspace?.ref ?? 'HEAD';
    const named = it.task.spec.workspace?.repo;
    // Not awaited: the agent runs whether or not the control plane is there to hear of it.
    void link
      .request({
        type: 'started',
        attempt: it.attempt.id,
        body: {
          epoch: it.attempt.epoch,
          ...(first?.pid === undefined ? {} : { pid: first.pid }),
          ...(first === undefined ? {} : { prompt_sha256: first.prompt_sha256 }),
          ...(plan?.conversation == null ? {} : { conversation: plan.conversation }),
          ...(repo === null || refCommit === null || named === undefined
            ? {}
            : { bases: { [`${named}@${ref}`]: refCommit } }),
        },
      })
      .then((ack) => {
        if (ack.error?.code === 'stale_epoch' || ack.error?.code === 'not_found') {
          abandon(ack.error.code);
        }
      })
      .catch(() => undefined);
  }

  /** Ships output, serves the agent, and waits for its end. */
  async function attend(workspace: Workspace): Promise<Report> {
    const spool = openSpool(files.dir);
    try {
      requests = createAgentRequests(it, files, link, ports.uploader, log);
      const serving = serveRequests(requests);
      const plan = files.plan();
      if (plan === undefined) throw new AppError('workspace_failed', 'The attempt was never planned.');
      const transcript = readTranscript(spool, engineOf(it), plan, files.transcriptPath, news, ending.signal);
      const sources = [
        ['stdout', { read: (at: number, max: number) => spool.read('stdout', at, max) }],
        ['stderr', { read: (at: number, max: number) => spool.read('stderr', at, max) }],
        ['agent', transcript.source],
      ] as const;
      shippers = sources.map(([stream, source]) => shipLog(link, { ...about, stream }, source));
      const reader = await transcript.end;
      await serving;
      const exit = await exitOf();
      await Promise.all(shippers.map((shipper) => shipper.done));
      if (released !== undefined) return { kind: 'release', reason: released };
      return await finishAttempt(ports, { assignment: it, files, workspace, exit, reader });
    } finally {
      await spool.close();
      client?.close();
    }
  }

  async function exitOf(): Promise<ExitFile> {
    return findExit(files.dir) ?? (await settleLost(files.dir, it.attempt.id, graceMs));
  }

  /** Carries the agent's requests until it has ended and the last one is answered. */
  async function serveRequests(handler: AgentRequests): Promise<void> {
    let after = 0;
    while (client !== undefined && !ending.signal.aborted) {
      try {
        const { entries, exit } = await client.outbox(after, outboxWaitMs, ending.signal);
        for (const entry of entries) {
          after = entry.seq;
          if (entry.answer !== undefined) continue;
          const serving = client;
          // A question waits for a person: the requests behind it must not wait for that.
          void handler.handle(entry).then(async (answer) => {
            if (answer !== undefined) await giveAnswer(serving, { id: entry.id, ...answer });
          });
        }
        if (exit !== null && entries.length === 0) break;
      } catch {
        if (findExit(files.dir) !== undefined || ending.signal.aborted) break;
        const found = await findSupervisor(files.dir);
        if (found.status !== 'running') {
          if (found.status === 'lost') await settleLost(files.dir, it.attempt.id, graceMs);
          break;
        }
        client = found.client;
        await sleep(100);
      }
    }
    await serveLeftovers(handler);
  }

  /** What the agent handed in while no daemon was there, and then ended. Questions are moot by then. */
  async function serveLeftovers(handler: AgentRequests): Promise<void> {
    for (const entry of listOutbox(files.dir)) {
      if (entry.answer !== undefined || entry.kind === 'checkpoint') continue;
      const answer = await handler.handle(entry);
      if (answer !== undefined) recordAnswer(files.dir, { id: entry.id, ...answer });
    }
  }

  async function giveAnswer(
    to: SupervisorClient,
    answer: { readonly id: string; readonly status: number; readonly body: unknown },
  ): Promise<void> {
    await to.answer([answer]).catch(() => recordAnswer(files.dir, answer));
  }

  const news = {
    usage(total: Usage) {
      usage = total;
    },
    session(conversation: string) {
      const body: AttemptProgress = { epoch: it.attempt.epoch, conversation };
      void link.request({ type: 'progress', attempt: it.attempt.id, body }).catch(() => undefined);
    },
  };

  async function tell(report: Report): Promise<void> {
    const { attempt } = about;
    const { epoch } = it.attempt;
    const ack = await (report.kind === 'complete'
      ? link.request({ type: 'complete', attempt, body: { ...report.body, epoch } })
      : report.kind === 'fail'
        ? link.request({ type: 'fail', attempt, body: { ...report.body, epoch } })
        : link.request({ type: 'release', attempt, body: { epoch, reason: report.reason } }));
    if (ack.error?.code === 'contract_violation' && report.kind === 'complete') {
      const { result, ...rest } = report.body;
      const failed: Report = {
        kind: 'fail',
        body: { ...rest, result, reason: ack.error.detail, failure_class: 'contract_violation' },
      };
      files.saveReport(failed);
      return tell(failed);
    }
    if (ack.error !== null) log.warn({ error: ack.error, ...about }, 'a report was refused');
    files.markDone(ack.error?.code ?? 'reported');
  }

  function abandon(why: string): void {
    if (ending.signal.aborted) return;
    files.markDone(why);
    log.warn({ why, ...about }, 'an attempt is no longer held by this worker; its agent is ended');
    void client?.stop(why, 0).catch(() => undefined);
    for (const shipper of shippers) shipper.stop();
    ending.abort();
  }

  function cancel(reason: string, stopGraceMs: number): void {
    stopped = { reason, graceMs: stopGraceMs };
    void client?.stop(reason, stopGraceMs).catch(() => undefined);
  }

  const done = run().catch((error: unknown) => {
    if (!ending.signal.aborted) log.error({ error, ...about }, 'an attempt ended without a report');
  });

  return {
    assignment: it,
    done,
    get ended() {
      return isEnded;
    },
    beat: () => ({
      id: it.attempt.id,
      epoch: it.attempt.epoch,
      ...(usage === undefined ? {} : { usage }),
    }),
    frame(frame) {
      if (frame.type === 'log_ack') {
        const index = ['stdout', 'stderr', 'agent'].indexOf(frame.stream);
        shippers[index]?.acknowledged(frame);
        if (frame.error?.code === 'stale_epoch') abandon('stale_epoch');
      }
      if (frame.type === 'checkpoint_resolved') decided(frame.checkpoint);
    },
    cancel,
    abandon,
    release(reason) {
      released = reason;
      cancel(reason, graceMs);
    },
  };

  function decided(checkpoint: Checkpoint): void {
    const waiting = requests?.resolved(checkpoint);
    if (waiting === undefined || client === undefined) return;
    void giveAnswer(client, { id: waiting.id, ...waiting.answer });
  }
}

function stoppedReport(reason: string): Report {
  return { kind: 'fail', body: { reason, failure_class: 'cancelled' } };
}

function failureReport(error: unknown): Report {
  if (!(error instanceof AppError)) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'fail', body: { reason, failure_class: 'internal' } };
  }
  const isMachine = error.code === 'workspace_failed' || error.code === 'workspace_busy' || error.code === 'git_failed';
  return {
    kind: 'fail',
    body: { reason: error.message, failure_class: isMachine ? 'workspace' : 'agent_error' },
  };
}

/** What the assignment asks of its workspace; fetches bundles of commits that are not here. */
async function workspaceRequest(
  ports: RunnerPorts,
  it: Assignment,
  files: AttemptFiles,
): Promise<WorkspaceRequest> {
  const wanted = it.task.spec.workspace ?? { base: 'upstream' as const, on_retry: 'fresh' as const };
  const ref = wanted.ref ?? 'HEAD';
  const base = wanted.repo === undefined ? undefined : it.bases[`${wanted.repo}@${ref}`];
  const upstreams: UpstreamCommit[] = [];
  if (wanted.base === 'upstream' && wanted.repo !== undefined) {
    for (const up of it.upstream) {
      if (up.commit === null || up.edge === 'related') continue;
      const bundleFile = up.bundle === null ? undefined : bundlePath(files.dir, up.bundle);
      if (up.bundle !== null && bundleFile !== undefined) {
        await ports.uploader.fetch(it, up.bundle, bundleFile);
      }
      upstreams.push({
        key: up.key,
        commit: up.commit.commit,
        ...(bundleFile === undefined ? {} : { bundleFile }),
      });
    }
  }
  return {
    attemptId: it.attempt.id,
    runId: it.run.id,
    taskKey: it.task.key,
    attemptNumber: branchNumber(it),
    upstreams,
    inputs: it.inputs,
    setupEnv: agentEnv(ports.config, it, files.dir, ''),
    ...(wanted.mode === undefined ? {} : { mode: wanted.mode }),
    ...(wanted.repo === undefined ? {} : { repo: parseRepoSource(wanted.repo, ports.repos()) }),
    ...(wanted.ref === undefined ? {} : { ref: wanted.ref }),
    ...(base === undefined ? {} : { refCommit: base }),
    ...(wanted.copy === undefined ? {} : { copy: wanted.copy }),
    ...(wanted.setup === undefined ? {} : { setup: wanted.setup }),
    ...(wanted.on_retry === 'continue' && it.last_failure !== null
      ? { continueFrom: it.last_failure.attempt }
      : {}),
  };
}

/** Part of the branch's name: different for every attempt of a task, in each of its generations. */
function branchNumber(it: Assignment): number {
  const { generation, number } = it.attempt;
  return generation === 1 ? number : generation * 1_000 + number;
}
