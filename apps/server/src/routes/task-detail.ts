import type { Json } from '@baton/contract';
import type { EdgeRead } from '@baton/store';
import type { App } from '../app.ts';
import { found } from '../resolve.ts';
import { taskDetailView } from '../views/task.ts';

/** Reads one task with what stands around it; `shown` is how the caller named it. */
export function detailReader({ reads }: Pick<App, 'reads'>) {
  return async (project: string, id: string, shown: string) => {
    const read = found(await reads.findTask(project, id), 'task', shown);
    const [edges, openCheckpoints] = await Promise.all([
      reads.edgesOfTask(id),
      reads.openCheckpointsOfTask(id),
    ]);
    const upstreams = inputEdges(edges, id).map(({ edge }) => edge.upstreamId);
    const outputs = await reads.outputsOfTasks([id, ...new Set(upstreams)]);
    const inputs: Record<string, Json> = {};
    for (const { edge } of inputEdges(edges, id)) {
      const output = outputs
        .filter((it) => it.taskId === edge.upstreamId && it.key === edge.contractKey)
        .toSorted((a, b) => b.generation - a.generation)[0];
      const name = edge.inputName ?? edge.contractKey;
      if (edge.satisfied && output !== undefined && name !== null) inputs[name] = output.data;
    }
    return taskDetailView(read, {
      inputs,
      outputs: outputs.filter((it) => it.taskId === id && it.generation === read.task.generation),
      edges,
      openCheckpoints,
    });
  };
}

function inputEdges(edges: readonly EdgeRead[], downstream: string): readonly EdgeRead[] {
  return edges.filter(({ edge }) => edge.type === 'input' && edge.downstreamId === downstream);
}
