import type { Artifact, Json, Task, TaskResult } from '@baton/contract';
import { problemFrom } from '../../../api/problem.ts';
import { bytesText, plural, shortBranch, shortCommit } from '../../../model/format.ts';
import { artifactHref, useArtifacts, useTaskDetail } from '../../../queries/tasks.ts';
import { S } from '../../../strings.ts';
import { Copy } from '../../../ui/copy.tsx';
import { Skeleton } from '../../../ui/empty.tsx';
import { ProblemNote } from '../../../ui/problem-note.tsx';

/** What came out of a task, and what went in. */
export function ResultView({ task }: { readonly task: Task }) {
  const detail = useTaskDetail(task.id);
  const artifacts = useArtifacts(task.id).data?.items ?? [];
  if (detail.isError) {
    return (
      <ProblemNote problem={problemFrom(detail.error)} onRetry={() => void detail.refetch()} />
    );
  }
  if (detail.data === undefined) return <Skeleton rows={5} />;
  const { result, outputs, inputs } = detail.data;
  return (
    <div className="pane">
      {result === null ? <p className="muted">{S.result.none}</p> : <Summary result={result} />}
      <Values
        title={S.result.outputs}
        values={outputs.map(({ key, type, data }) => ({ name: key, note: type, data }))}
      />
      <Artifacts artifacts={artifacts} />
      <Values
        title={S.result.inputs}
        values={Object.entries(inputs).map(([name, data]) => ({ name, note: '', data }))}
      />
      {task.spec.spec !== '' && (
        <section className="part">
          <h3>{S.result.asked}</h3>
          <pre className="value">{task.spec.spec}</pre>
        </section>
      )}
    </div>
  );
}

function Summary({ result }: { readonly result: TaskResult }) {
  const { changes, tests, commit, missing_files: missing } = result;
  const facts = [
    result.status === 'success' ? undefined : result.status,
    tests === undefined ? undefined : `${tests.passed} tests passed, ${tests.failed} failed`,
    changes === undefined ? undefined : changesText(changes),
    result.confidence === undefined ? undefined : `${Math.round(result.confidence * 100)} % sure`,
    result.synthesized === true ? S.result.synthesized : undefined,
  ].filter((fact) => fact !== undefined);
  return (
    <section className="part">
      <p className="summary">{result.summary === '' ? S.result.noSummary : result.summary}</p>
      {facts.length > 0 && <p className="muted">{facts.join(' · ')}</p>}
      {missing !== undefined && missing.length > 0 && (
        <p className="tone-red ink">{S.result.missing(missing.join(', '))}</p>
      )}
      {result.follow_up !== undefined && <p className="summary">{result.follow_up}</p>}
      {commit !== undefined && (
        <p className="commit">
          {commit.commit === commit.base ? (
            S.result.noCommit
          ) : (
            <Copy text={commit.commit} shown={shortCommit(commit.commit)} label="commit" />
          )}
          {commit.branch !== undefined && (
            <Copy text={commit.branch} shown={shortBranch(commit.branch)} label="branch" />
          )}
          {commit.delivered !== undefined && <span className="muted">{commit.delivered}</span>}
        </p>
      )}
    </section>
  );
}

function changesText(changes: NonNullable<TaskResult['changes']>): string {
  const files =
    changes.files_modified.length + changes.files_created.length + changes.files_deleted.length;
  return `${plural(files, 'file')} changed, +${changes.insertions} −${changes.deletions}`;
}

interface ValuesProps {
  readonly title: string;
  readonly values: readonly { readonly name: string; readonly note: string; readonly data: Json }[];
}

function Values({ title, values }: ValuesProps) {
  if (values.length === 0) return null;
  return (
    <section className="part">
      <h3>{title}</h3>
      {values.map(({ name, note, data }) => (
        <details key={name} className="fold" open={values.length === 1}>
          <summary>
            <code>{name}</code> <span className="muted">{note}</span>
          </summary>
          <pre className="value">
            {typeof data === 'string' ? data : JSON.stringify(data, null, 2)}
          </pre>
        </details>
      ))}
    </section>
  );
}

function Artifacts({ artifacts }: { readonly artifacts: readonly Artifact[] }) {
  if (artifacts.length === 0) return null;
  return (
    <section className="part">
      <h3>{S.result.artifacts}</h3>
      <ul>
        {artifacts.map(({ id, name, kind, size }) => (
          <li key={id} className="artifact">
            <a href={artifactHref(id)} download={name} className="ellipsis">
              {name}
            </a>
            <span className="muted">
              {kind} · {bytesText(size)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
