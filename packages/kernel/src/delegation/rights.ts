import { PRIORITIES, type PermissionMode, type TaskSpec } from '@baton/contract';
import { wantedEngine } from '../matching/hard-needs.ts';
import { refuse, type Refused } from '../refuse.ts';

/** From the least freedom to the most. */
const FREEDOM: readonly PermissionMode[] = ['deny', 'ask', 'auto'];

/**
 * What an agent's task may not have that its own task does not: more freedom, other credentials, a
 * directory of the user's own. Null when it asks for no more than it has.
 */
export function excessOf(parent: TaskSpec, child: TaskSpec): Refused | null {
  const own = parent.permissions;
  const isFreer =
    own !== undefined &&
    child.permissions !== undefined &&
    FREEDOM.indexOf(child.permissions) > FREEDOM.indexOf(own);
  if (isFreer) return beyond(`permissions ${child.permissions}`, `its own task has ${own}`);
  const credentials = new Set((parent.credentials ?? []).map(({ name }) => name));
  const foreign = (child.credentials ?? []).find(({ name }) => !credentials.has(name));
  if (foreign !== undefined) {
    return beyond(`the credential ${foreign.name}`, 'its own task was not given it');
  }
  if (child.workspace?.mode === 'in_place' && parent.workspace?.mode !== 'in_place') {
    return beyond('a workspace in_place', 'its own task does not work in place');
  }
  const paths = parent.workspace?.allowed_paths;
  const outside = (child.workspace?.allowed_paths ?? []).find(
    (it) => !(paths ?? [it]).includes(it),
  );
  if (outside !== undefined) {
    return beyond(
      `the path ${outside}`,
      `its own task may change only ${(paths ?? []).join(', ')}`,
    );
  }
  return null;
}

function beyond(what: string, why: string): Refused {
  return refuse(
    'forbidden',
    `An agent cannot hand on ${what}: ${why}. Ask a person to create that task.`,
  );
}

/**
 * A child's spec with what it takes over from its parent where it says nothing: engine, model and
 * repository, and each bound that its parent is under.
 */
export function inherit(parent: TaskSpec, child: TaskSpec): TaskSpec {
  const permissions = child.permissions ?? parent.permissions;
  return {
    ...child,
    priority: PRIORITIES[
      Math.max(PRIORITIES.indexOf(parent.priority), PRIORITIES.indexOf(child.priority))
    ] as TaskSpec['priority'],
    needs: needsOf(parent, child),
    ...workspaceOf(parent, child),
    ...(permissions === undefined ? {} : { permissions }),
    ...(parent.approval?.dispatch === true
      ? { approval: { plan: false, ...child.approval, dispatch: true } }
      : {}),
  };
}

function needsOf(parent: TaskSpec, child: TaskSpec): TaskSpec['needs'] {
  const isAgent = child.kind === 'agent' || child.kind === 'verify' || child.kind === 'integrate';
  const saysItself = child.needs.engine !== undefined || child.needs.model !== undefined;
  const engine = wantedEngine(parent);
  if (!isAgent || saysItself || engine === null) return child.needs;
  const { model } = parent.needs;
  return { ...child.needs, engine, ...(model === undefined ? {} : { model }) };
}

function workspaceOf(parent: TaskSpec, child: TaskSpec): Pick<TaskSpec, 'workspace'> {
  const paths = parent.workspace?.allowed_paths;
  const bound = paths === undefined ? {} : { allowed_paths: paths };
  if (child.workspace !== undefined) return { workspace: { ...bound, ...child.workspace } };
  const { workspace } = parent;
  if (workspace === undefined) return {};
  // A directory of the user's own is worked in by one at a time: the parent is there.
  if (workspace.mode === 'in_place') return {};
  return { workspace: { ...workspace, on_retry: 'fresh' } };
}
