import type { Run, RunGraph } from '@baton/contract';
import { GitCommitHorizontal } from 'lucide-react';
import { useState } from 'react';
import { problemFrom } from '../../api/problem.ts';
import { useNow } from '../../live/clock.ts';
import {
  lossOfCancellingRun,
  lossOfPausingRun,
  whyNotCancelRun,
  whyNotPauseRun,
} from '../../model/actions.ts';
import { shortBranch, shortCommit, shortId, usdText } from '../../model/format.ts';
import { progressOf } from '../../model/progress.ts';
import { runSentence } from '../../model/sentences.ts';
import { RUN_LOOK } from '../../model/states.ts';
import { paths } from '../../paths.ts';
import { useCancelRun, usePauseRun, useResumeRun } from '../../queries/runs.ts';
import { useScopes } from '../../queries/session.ts';
import { S } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { Copy } from '../../ui/copy.tsx';
import { Figure } from '../../ui/figure.tsx';
import { Meter } from '../../ui/meter.tsx';
import { ProblemNote } from '../../ui/problem-note.tsx';
import { StateMark } from '../../ui/state-mark.tsx';
import { Elapsed } from '../../ui/time.tsx';

/** What a run is for, how it stands, how far it is, what it costs, and where its work goes. */
export function RunHeader({ graph }: { readonly graph: RunGraph }) {
  const { run, tasks } = graph;
  const progress = progressOf(run.tasks_by_status, run.task_count);
  return (
    <header className="run-head">
      <div className="run-head-top">
        <a className="run-back" href={paths.runs()}>
          {S.runs.title}
        </a>
        <span className="muted" aria-hidden>
          /
        </span>
        <Copy text={run.id} shown={shortId(run.id)} />
      </div>
      <div className="run-head-title">
        <h1 title={run.goal}>{run.goal === '' ? run.id : run.goal}</h1>
        <span className="run-head-actions">
          {run.status === 'paused' ? <ResumeRun run={run} /> : <PauseRun run={run} graph={graph} />}
          <CancelRun run={run} graph={graph} />
        </span>
      </div>
      <p className="run-head-status">
        <StateMark
          chip
          look={RUN_LOOK[run.status]}
          word={S.runStatus[run.status]}
          changedAt={run.updated_at}
        />
        <Sentence run={run} />
      </p>
      <div className="run-head-facts">
        <span className="run-head-meter">
          <Meter progress={progress} />
          <span>{S.runs.progress(progress.done, Math.max(progress.total, tasks.length))}</span>
        </span>
        <Figure name={S.run.elapsed}>
          <Elapsed from={run.started_at ?? run.created_at} to={run.ended_at} />
        </Figure>
        <Figure name={S.run.cost}>{usdText(run.usd)}</Figure>
        <Figure name={S.run.agents}>{S.runs.agents(progress.working)}</Figure>
        <Delivery run={run} />
      </div>
    </header>
  );
}

function Sentence({ run }: { readonly run: Run }) {
  return <span>{runSentence(run, useNow())}</span>;
}

function Delivery({ run }: { readonly run: Run }) {
  const { delivery, deliver } = run;
  const tone =
    delivery.state === 'refused'
      ? 'tone-red'
      : delivery.state === 'delivered'
        ? 'tone-blue'
        : 'tone-neutral';
  const where =
    delivery.state === 'none' ? S.run.deliverTo[deliver] : S.run.delivery[delivery.state];
  return (
    <div className={`delivery ${tone}`}>
      <GitCommitHorizontal size={14} aria-hidden />
      <span title={delivery.detail}>{where}</span>
      {delivery.branch !== undefined && (
        <Copy text={delivery.branch} shown={shortBranch(delivery.branch)} label="branch" />
      )}
      {delivery.commit !== undefined && (
        <Copy text={delivery.commit} shown={shortCommit(delivery.commit)} label="commit" />
      )}
      {delivery.state === 'refused' && delivery.detail !== undefined && (
        <span>{delivery.detail}</span>
      )}
    </div>
  );
}

function PauseRun({ run, graph }: { readonly run: Run; readonly graph: RunGraph }) {
  const [open, setOpen] = useState(false);
  const pause = usePauseRun();
  const why = whyNotPauseRun(run, useScopes());
  return (
    <>
      <Button why={why} onClick={() => setOpen(true)}>
        {S.action.pause}
      </Button>
      {open && (
        <Confirm
          title={S.run.pauseTitle}
          loss={lossOfPausingRun(graph.tasks)}
          action={S.action.pause}
          busy={pause.isPending}
          problem={pause.isError ? problemFrom(pause.error) : undefined}
          onClose={() => setOpen(false)}
          onConfirm={(reason) =>
            pause.mutate({ run: run.id, reason }, { onSuccess: () => setOpen(false) })
          }
        />
      )}
    </>
  );
}

function ResumeRun({ run }: { readonly run: Run }) {
  const resume = useResumeRun();
  const scopes = useScopes();
  const isReadOnly = scopes !== undefined && !scopes.includes('operate');
  return (
    <>
      <Button
        look="primary"
        why={isReadOnly ? S.disabled.readOnly : undefined}
        busy={resume.isPending}
        onClick={() => resume.mutate({ run: run.id })}
      >
        {S.action.resume}
      </Button>
      {resume.isError && <ProblemNote problem={problemFrom(resume.error)} />}
    </>
  );
}

function CancelRun({ run, graph }: { readonly run: Run; readonly graph: RunGraph }) {
  const [open, setOpen] = useState(false);
  const cancel = useCancelRun();
  const why = whyNotCancelRun(run, useScopes());
  return (
    <>
      <Button look="danger" why={why} onClick={() => setOpen(true)}>
        {S.action.cancelRun}
      </Button>
      {open && (
        <Confirm
          title={S.run.cancelTitle}
          loss={lossOfCancellingRun(run, graph.tasks)}
          action={S.action.cancelRun}
          danger
          busy={cancel.isPending}
          problem={cancel.isError ? problemFrom(cancel.error) : undefined}
          onClose={() => setOpen(false)}
          onConfirm={(reason) =>
            cancel.mutate({ run: run.id, reason }, { onSuccess: () => setOpen(false) })
          }
        />
      )}
    </>
  );
}
