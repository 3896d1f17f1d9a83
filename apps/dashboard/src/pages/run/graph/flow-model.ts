import {
  isTerminalRun,
  isTerminalTask,
  type Dependency,
  type RunGraph,
  type Task,
} from '@baton/contract';
import type { Edge, Node } from '@xyflow/react';
import { NODE, type Places } from '../../../model/layout.ts';
import { waitsFor } from '../../../model/sentences.ts';
import { listText } from '../../../model/format.ts';

/** What a node of the graph shows. */
export interface TaskNodeData extends Record<string, unknown> {
  readonly task: Task;
  /** Keys of what it waits for, in words; empty when it waits for nothing. */
  readonly waitsFor: string;
  readonly faded: boolean;
}
export type TaskFlowNode = Node<TaskNodeData, 'task'>;

export interface TaskEdgeData extends Record<string, unknown> {
  readonly dependency: Dependency;
  readonly faded: boolean;
}
export type TaskFlowEdge = Edge<TaskEdgeData, 'dependency'>;

/** Nodes for the canvas, each where the layout has put it. */
export function flowNodes(
  graph: RunGraph,
  places: Places,
  selected: string | undefined,
): TaskFlowNode[] {
  const isActive = !isTerminalRun(graph.run.status);
  return graph.tasks.map((task) => ({
    id: task.id,
    type: 'task',
    position: places.get(task.id) ?? { x: 0, y: 0 },
    width: NODE.width,
    height: NODE.height,
    selected: task.id === selected,
    draggable: false,
    connectable: false,
    ariaLabel: task.key,
    data: {
      task,
      waitsFor:
        task.status === 'blocked'
          ? listText(
              waitsFor(task.id, graph.tasks, graph.dependencies).map(({ key }) => key),
              2,
            )
          : '',
      faded: isActive && isTerminalTask(task.status) && task.status !== 'failed',
    },
  }));
}

/** Lines for the canvas. */
export function flowEdges(graph: RunGraph): TaskFlowEdge[] {
  const statusOf = new Map(graph.tasks.map(({ id, status }) => [id, status]));
  const isActive = !isTerminalRun(graph.run.status);
  return graph.dependencies.map((dependency) => {
    const end = statusOf.get(dependency.downstream);
    return {
      id: dependency.id,
      type: 'dependency',
      source: dependency.upstream,
      target: dependency.downstream,
      focusable: false,
      data: { dependency, faded: isActive && end !== undefined && isTerminalTask(end) },
    };
  });
}
