import { BaseEdge, EdgeLabelRenderer, getBezierPath, type EdgeProps } from '@xyflow/react';
import { memo } from 'react';
import { S } from '../../../strings.ts';
import type { TaskFlowEdge } from './flow-model.ts';

/** A dependency: solid with the contract's name for data, a diamond for a gate, dotted for a hint. */
export const DependencyEdge = memo(function DependencyEdge(props: EdgeProps<TaskFlowEdge>) {
  const { data } = props;
  const [path, x, y] = getBezierPath({
    sourceX: props.sourceX,
    sourceY: props.sourceY,
    sourcePosition: props.sourcePosition,
    targetX: props.targetX,
    targetY: props.targetY,
    targetPosition: props.targetPosition,
  });
  if (data === undefined) return <BaseEdge id={props.id} path={path} />;
  const { dependency, faded } = data;
  const className = ['edge', `edge-${dependency.type}`];
  if (dependency.satisfied) className.push('edge-satisfied');
  if (faded) className.push('edge-faded');
  const label = labelOf(dependency.type, dependency.as ?? dependency.contract_key);
  return (
    <>
      <BaseEdge id={props.id} path={path} className={className.join(' ')} />
      {label !== undefined && (
        <EdgeLabelRenderer>
          <div
            className={`edge-label ${className.join(' ')}`}
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          >
            {label}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
});

function labelOf(type: string, contract: string | null) {
  if (type === 'input') return <span className="edge-pill mono">{contract}</span>;
  if (type !== 'gate') return undefined;
  return (
    <span className="edge-diamond" title={S.graph.gate}>
      <span className="sr-only">{S.graph.gate}</span>
    </span>
  );
}
