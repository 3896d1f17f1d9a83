import 'react-diff-view/style/index.css';
import { useMemo } from 'react';
import { Diff, Hunk, parseDiff, type FileData } from 'react-diff-view';
import { problemFrom } from '../../../api/problem.ts';
import { useDiff } from '../../../queries/tasks.ts';
import { S } from '../../../strings.ts';
import { Copy } from '../../../ui/copy.tsx';
import { Skeleton } from '../../../ui/empty.tsx';
import { ProblemNote } from '../../../ui/problem-note.tsx';
import './diff-view.css';

/** A file with more changed lines than this is folded at first. */
const OPEN_CHANGES_MAX = 600;

/** What a task changed, file by file. */
export function DiffView({ taskId }: { readonly taskId: string }) {
  const diff = useDiff(taskId);
  const files = useMemo(
    () => (diff.data === undefined || diff.data === null ? [] : parseDiff(diff.data)),
    [diff.data],
  );
  if (diff.isError) {
    return <ProblemNote problem={problemFrom(diff.error)} onRetry={() => void diff.refetch()} />;
  }
  if (diff.data === undefined) return <Skeleton rows={6} />;
  if (files.length === 0) return <p className="pane-note">{S.inspector.noDiff}</p>;
  return (
    <div className="pane diff-pane">
      {files.map((file) => (
        <FileDiff key={nameOf(file)} file={file} />
      ))}
    </div>
  );
}

function FileDiff({ file }: { readonly file: FileData }) {
  const changes = file.hunks.flatMap((hunk) => hunk.changes);
  const added = changes.filter(({ type }) => type === 'insert').length;
  const removed = changes.filter(({ type }) => type === 'delete').length;
  return (
    <details className="diff-file" open={changes.length <= OPEN_CHANGES_MAX}>
      <summary>
        <Copy text={nameOf(file)} />
        <span className="diff-kind">{file.type === 'modify' ? '' : S.diffType[file.type]}</span>
        <span className="diff-added">+{added}</span>
        <span className="diff-removed">−{removed}</span>
      </summary>
      {file.hunks.length === 0 ? (
        <p className="pane-note">
          {file.isBinary === true ? S.inspector.binary : S.inspector.noLines}
        </p>
      ) : (
        <Diff viewType="unified" diffType={file.type} hunks={file.hunks}>
          {(hunks) => hunks.map((hunk) => <Hunk key={hunk.content} hunk={hunk} />)}
        </Diff>
      )}
    </details>
  );
}

function nameOf(file: FileData): string {
  return file.type === 'delete' ? file.oldPath : file.newPath;
}
