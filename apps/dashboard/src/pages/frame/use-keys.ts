import { useEffect } from 'react';
import { paths } from '../../paths.ts';
import type { Go } from '../go.ts';

const CHORD_MS = 1_200;
const BUSY = 'input, textarea, select, [contenteditable], [role="dialog"], [role="alertdialog"]';

/** Keys that work everywhere: `?`, `g r`, `g i`, `j`, `k`, `/`. Never while somebody types. */
export function useKeys(go: Go, onHelp: () => void): void {
  useEffect(() => {
    let chordUntil = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || isTyping(event) || hasModifier(event)) return;
      const afterG = event.timeStamp < chordUntil;
      chordUntil = 0;
      const action = afterG ? chord(event.key, go) : single(event.key, onHelp);
      if (event.key === 'g' && !afterG) chordUntil = event.timeStamp + CHORD_MS;
      if (action === undefined) return;
      event.preventDefault();
      action();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [go, onHelp]);
}

function chord(key: string, go: Go): (() => void) | undefined {
  if (key === 'r') return () => go(paths.runs());
  if (key === 'i') return () => go(paths.inbox());
  return undefined;
}

function single(key: string, onHelp: () => void): (() => void) | undefined {
  if (key === '?') return onHelp;
  if (key === 'j') return () => moveRow(1);
  if (key === 'k') return () => moveRow(-1);
  if (key === '/') return () => document.querySelector<HTMLElement>('[data-filter]')?.focus();
  return undefined;
}

/** Focus goes to the next or previous row of the list on screen. */
function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')];
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const next = here === -1 ? (step === 1 ? 0 : rows.length - 1) : here + step;
  const row = rows[Math.min(Math.max(next, 0), rows.length - 1)];
  const target = row?.matches('a, button') ? row : row?.querySelector<HTMLElement>('a, button');
  target?.focus();
  row?.scrollIntoView({ block: 'nearest' });
}

function hasModifier({ metaKey, ctrlKey, altKey }: KeyboardEvent): boolean {
  return metaKey || ctrlKey || altKey;
}

/** Whether the key goes into a field, or a dialog has the floor. */
export function isTyping(event: KeyboardEvent): boolean {
  const { target } = event;
  return target instanceof Element && target.closest(BUSY) !== null;
}
