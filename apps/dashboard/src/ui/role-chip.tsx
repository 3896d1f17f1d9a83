import type { Role } from '@baton/contract';
import { S } from '../strings.ts';
import './role-chip.css';

/** The role of a task, by its colour and always by its name. */
export function RoleChip({ role }: { readonly role: Role | undefined }) {
  if (role === undefined) return null;
  return <span className={`role role-${role.replace('_', '-')}`}>{S.role[role]}</span>;
}
