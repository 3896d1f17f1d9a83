import '@xyflow/react/dist/base.css';
import {
  Background,
  BackgroundVariant,
  getViewportForBounds,
  MiniMap,
  Panel,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Viewport,
} from '@xyflow/react';
import type { RunGraph } from '@baton/contract';
import { Maximize, Minus, Plus } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { layoutGraph, NODE, neighbour, structureKey, type Places } from '../../../model/layout.ts';
import { TASK_LOOK } from '../../../model/states.ts';
import { paths, type RunSearch } from '../../../paths.ts';
import { S } from '../../../strings.ts';
import { Button } from '../../../ui/button.tsx';
import { useGo } from '../../go.ts';
import { DependencyEdge } from './dependency-edge.tsx';
import { flowEdges, flowNodes, type TaskFlowNode } from './flow-model.ts';
import { TaskNode } from './task-node.tsx';
import './graph.css';

const nodeTypes = { task: TaskNode };
const edgeTypes = { dependency: DependencyEdge };
const MINIMAP_FROM = 50;
/** At first no smaller than can be read; the button shows all there is. */
const READABLE = { from: 0.55, to: 1.1 } as const;
const WHOLE = { from: 0.1, to: 1.1 } as const;
const PADDING = 0.1;

interface GraphViewProps {
  readonly graph: RunGraph;
  readonly search: RunSearch;
}

/** The graph of a run. It is laid out once per structure; states change in place. */
export function GraphView(props: GraphViewProps) {
  return (
    <ReactFlowProvider>
      <Canvas {...props} />
    </ReactFlowProvider>
  );
}

function Canvas({ graph, search }: GraphViewProps) {
  const go = useGo();
  const canvas = useRef<HTMLDivElement>(null);
  const places = usePlaces(graph);
  const nodes = useMemo(() => flowNodes(graph, places, search.task), [graph, places, search.task]);
  const edges = useMemo(() => flowEdges(graph), [graph]);
  const open = (task: string): void => {
    go(paths.run(graph.run.id, { tab: search.tab, task }), { replace: search.task !== undefined });
  };
  useKeepInView(search.task, places, canvas);
  return (
    <div ref={canvas} className="graph">
      <ReactFlow
        aria-label={S.graph.label}
        onKeyDown={(event) => onGraphKey(event, graph, places, open)}
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        onInit={(flow) => void flow.setViewport(viewportOf(places, canvas.current, READABLE))}
        minZoom={0.1}
        maxZoom={1.6}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        nodesFocusable
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionKeyCode={null}
        onlyRenderVisibleElements={graph.tasks.length > MINIMAP_FROM}
        onNodeClick={(_, node) => open(node.id)}
      >
        <Background variant={BackgroundVariant.Dots} gap={24} size={1} />
        <ZoomButtons onFit={() => viewportOf(places, canvas.current, WHOLE)} />
        {graph.tasks.length > MINIMAP_FROM && (
          <MiniMap<TaskFlowNode>
            pannable
            zoomable
            nodeClassName={(node) => `tone-${TASK_LOOK[node.data.task.status].tone}`}
          />
        )}
      </ReactFlow>
    </div>
  );
}

function usePlaces(graph: RunGraph): Places {
  const key = structureKey(graph.tasks, graph.dependencies);
  const [laidOut, setLaidOut] = useState(() => layOut(key, graph));
  if (laidOut.key === key) return laidOut.places;
  const anew = layOut(key, graph);
  setLaidOut(anew);
  return anew.places;
}

function layOut(key: string, graph: RunGraph): { readonly key: string; readonly places: Places } {
  return { key, places: layoutGraph(graph.tasks, graph.dependencies) };
}

/** Enter opens the task that has the focus; arrows move the focus along the edges. */
function onGraphKey(
  event: React.KeyboardEvent,
  graph: RunGraph,
  places: Places,
  open: (task: string) => void,
): void {
  const node = (event.target as Element).closest<HTMLElement>('.react-flow__node');
  const id = node?.dataset['id'];
  if (id === undefined) return;
  const { key } = event;
  if (key === 'Enter' || key === ' ') {
    event.preventDefault();
    open(id);
    return;
  }
  if (key !== 'ArrowLeft' && key !== 'ArrowRight' && key !== 'ArrowUp' && key !== 'ArrowDown')
    return;
  event.preventDefault();
  const next = neighbour(id, key, places, graph.dependencies);
  if (next === undefined) return;
  event.currentTarget
    .querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(next)}"]`)
    ?.focus();
}

/** A task that is opened is moved into view, but only if it is not there already. */
function useKeepInView(
  task: string | undefined,
  places: Places,
  canvas: React.RefObject<HTMLDivElement | null>,
): void {
  const { getViewport, setViewport } = useReactFlow();
  useEffect(() => {
    const place = task === undefined ? undefined : places.get(task);
    const box = canvas.current;
    if (place === undefined || box === null) return;
    // After the panel has taken its room.
    const frame = requestAnimationFrame(() => {
      const { x, y, zoom } = getViewport();
      const dx = shift(place.x * zoom + x, NODE.width * zoom, box.clientWidth);
      const dy = shift(place.y * zoom + y, NODE.height * zoom, box.clientHeight);
      if (dx !== 0 || dy !== 0) void setViewport({ x: x + dx, y: y + dy, zoom }, { duration: 140 });
    });
    return () => cancelAnimationFrame(frame);
  }, [task, places, canvas, getViewport, setViewport]);
}

const MARGIN = 16;

function shift(start: number, size: number, room: number): number {
  if (room === 0) return 0;
  if (start < MARGIN) return MARGIN - start;
  const over = start + size - (room - MARGIN);
  return over > 0 ? -over : 0;
}

/** What shows all places in the middle of the canvas, as large as the zoom allows. */
function viewportOf(
  places: Places,
  box: HTMLElement | null,
  zoom: { readonly from: number; readonly to: number },
): Viewport {
  const all = [...places.values()];
  const left = Math.min(...all.map(({ x }) => x));
  const top = Math.min(...all.map(({ y }) => y));
  const bounds = {
    x: left,
    y: top,
    width: Math.max(...all.map(({ x }) => x)) + NODE.width - left,
    height: Math.max(...all.map(({ y }) => y)) + NODE.height - top,
  };
  const { clientWidth = 0, clientHeight = 0 } = box ?? {};
  return getViewportForBounds(bounds, clientWidth, clientHeight, zoom.from, zoom.to, PADDING);
}

function ZoomButtons({ onFit }: { readonly onFit: () => Viewport }) {
  const { zoomIn, zoomOut, setViewport } = useReactFlow();
  const icon = { size: 15, 'aria-hidden': true } as const;
  return (
    <Panel position="bottom-left" className="graph-zoom">
      <Button look="bare" label={S.graph.zoomIn} onClick={() => void zoomIn()}>
        <Plus {...icon} />
      </Button>
      <Button look="bare" label={S.graph.zoomOut} onClick={() => void zoomOut()}>
        <Minus {...icon} />
      </Button>
      <Button
        look="bare"
        label={S.graph.fit}
        onClick={() => void setViewport(onFit(), { duration: 140 })}
      >
        <Maximize {...icon} />
      </Button>
    </Panel>
  );
}
