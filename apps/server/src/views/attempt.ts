import {
  attemptArtifact,
  isOpenAttempt,
  type Artifact,
  type Attempt,
  type LogChunk,
} from '@baton/contract';
import type { ArtifactRow } from '@baton/kernel';
import type { AttemptRead, LogRead } from '@baton/store';
import { publicTaskId } from './ids.ts';
import { isoOf, isoOrNull } from './instant.ts';

const noUsage = { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0 };

/** An attempt as clients see it. */
export function attemptView({ attempt, workerName }: AttemptRead): Attempt {
  return {
    id: attempt.id,
    task: publicTaskId(attempt.taskId),
    run: attempt.runId,
    number: attempt.number,
    generation: attempt.generation,
    epoch: attempt.epoch,
    worker: attempt.workerId,
    worker_name: workerName,
    engine: attempt.engine,
    status: attempt.status,
    failure_class: attempt.failureClass,
    reason: attempt.reason,
    conversation: attempt.conversation,
    prompt_sha256: attempt.promptSha256,
    manifest: { ...attempt.manifest },
    manifest_sha256: attempt.manifestSha256,
    usage: attempt.usage ?? noUsage,
    exit_code: attempt.exitCode,
    result: attempt.result,
    orphan_result: attempt.orphanResult,
    lease_until: isOpenAttempt(attempt.status) ? isoOf(attempt.leaseUntilMs) : null,
    claimed_at: isoOf(attempt.claimedAtMs),
    started_at: isoOrNull(attempt.startedAtMs),
    ended_at: isoOrNull(attempt.endedAtMs),
  };
}

const artifactKinds = attemptArtifact.shape.kind.unwrap().options;

/** A file as clients see it. */
export function artifactView(artifact: ArtifactRow): Artifact {
  return {
    id: artifact.id,
    task: publicTaskId(artifact.taskId),
    run: artifact.runId,
    attempt: artifact.attemptId,
    name: artifact.name,
    kind: artifactKinds.find((kind) => kind === artifact.kind) ?? 'file',
    media_type: artifact.mediaType,
    size: artifact.size,
    sha256: artifact.sha256,
    meta: { ...artifact.meta },
    created_at: isoOf(artifact.createdAtMs),
  };
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A piece of log as clients see it; base64 where the bytes are no whole text. */
export function logChunkView(piece: LogRead): LogChunk {
  const text = textOf(piece.data);
  return {
    attempt: piece.attemptId,
    stream: piece.stream,
    offset: piece.offset,
    data: text ?? Buffer.from(piece.data).toString('base64'),
    encoding: text === undefined ? 'base64' : 'utf8',
    at: isoOf(piece.atMs),
  };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
