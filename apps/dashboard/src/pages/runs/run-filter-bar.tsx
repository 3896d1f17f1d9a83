import { RUN_STATUSES } from '@baton/contract';
import { useEffect, useState } from 'react';
import { paths } from '../../paths.ts';
import type { RunFilter } from '../../queries/keys.ts';
import { S } from '../../strings.ts';
import { useGo } from '../go.ts';

const SHOWN = ['running', 'waiting', 'completed', 'failed', 'cancelled'] as const;
const TYPING_MS = 250;

/** Narrows the list by status and text; the address says how. */
export function RunFilterBar({ filter }: { readonly filter: RunFilter }) {
  const other = RUN_STATUSES.find((status) => status === filter.status);
  const extra = other === undefined || SHOWN.some((status) => status === other) ? [] : [other];
  const chips = [
    { id: '', name: S.runs.all },
    { id: 'active', name: S.runs.active },
    ...[...SHOWN, ...extra].map((id) => ({ id, name: S.runStatus[id] })),
  ];
  return (
    <search className="run-filter">
      <TextFilter filter={filter} />
      <ul className="chips">
        {chips.map(({ id, name }) => (
          <li key={id}>
            <a
              className="chip"
              href={paths.runs({ ...filter, status: id })}
              data-replace
              aria-current={id === filter.status ? 'true' : undefined}
            >
              {name}
            </a>
          </li>
        ))}
      </ul>
    </search>
  );
}

function TextFilter({ filter }: { readonly filter: RunFilter }) {
  const go = useGo();
  const [typed, setTyped] = useState<string>();
  useEffect(() => {
    if (typed === undefined) return;
    const timer = setTimeout(() => {
      go(paths.runs({ status: filter.status, text: typed }), { replace: true });
      setTyped(undefined);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, filter.status, go]);
  return (
    <input
      type="search"
      data-filter
      aria-label={S.runs.filterText}
      placeholder={S.runs.filterText}
      value={typed ?? filter.text}
      maxLength={200}
      onChange={(event) => setTyped(event.target.value)}
      onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
    />
  );
}
