import type { DependencyRow, OutputRow, TaskRow } from '../rows.ts';

/**
 * The inputs of a task by name: what its upstreams' standing attempts fulfilled. A new generation has
 * none until it completes; what an attempt that did not finish left behind is no input.
 */
export function resolveInputs(
  edgesIn: readonly DependencyRow[],
  taskOf: (id: string) => TaskRow | undefined,
  outputs: readonly OutputRow[],
): Map<string, OutputRow> {
  const found = new Map<string, OutputRow>();
  for (const edge of edgesIn) {
    if (edge.type !== 'input' || edge.contractKey === null) continue;
    const upstream = taskOf(edge.upstreamId);
    const output = outputs.find(
      (it) =>
        it.taskId === edge.upstreamId &&
        it.key === edge.contractKey &&
        it.attemptId === upstream?.resultAttemptId,
    );
    if (output !== undefined) found.set(edge.inputName ?? edge.contractKey, output);
  }
  return found;
}
