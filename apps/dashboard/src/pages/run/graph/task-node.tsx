import { Handle, Position, type NodeProps } from '@xyflow/react';
import { memo } from 'react';
import { usdText } from '../../../model/format.ts';
import { TASK_LOOK } from '../../../model/states.ts';
import { S } from '../../../strings.ts';
import { RoleChip } from '../../../ui/role-chip.tsx';
import { StateMark } from '../../../ui/state-mark.tsx';
import { Elapsed } from '../../../ui/time.tsx';
import type { TaskFlowNode } from './flow-model.ts';

/** A task in the graph: state and role, title, and who works on it for how long and how much. */
export const TaskNode = memo(function TaskNode({ data, selected }: NodeProps<TaskFlowNode>) {
  const { task, waitsFor, faded } = data;
  const look = TASK_LOOK[task.status];
  const className = ['node', `tone-${look.tone}`, `node-${task.status}`];
  if (selected) className.push('node-selected');
  if (faded) className.push('node-faded');
  return (
    <div className={className.join(' ')}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <div className="node-line">
        <StateMark look={look} word={S.taskStatus[task.status]} changedAt={task.updated_at} />
        <RoleChip role={task.spec.role} />
      </div>
      <div className="node-title ellipsis" title={task.title}>
        {task.title === '' ? task.key : task.title}
      </div>
      <div className="node-line node-meta">
        <span className="ellipsis">
          {waitsFor === '' ? <Worker data={data} /> : `waits for ${waitsFor}`}
        </span>
        <span className="node-numbers">
          <Elapsed from={task.started_at} to={task.ended_at} />
          {Number(task.usd) > 0 && <span>{usdText(task.usd)}</span>}
        </span>
      </div>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
});

function Worker({ data }: { readonly data: TaskFlowNode['data'] }) {
  const { task } = data;
  const engine =
    task.spec.needs.engine ?? (task.spec.kind === 'agent' ? undefined : task.spec.kind);
  return <>{[task.worker_name ?? task.assigned_worker, engine].filter(Boolean).join(' · ')}</>;
}
