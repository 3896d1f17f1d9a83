import type { EffectClass } from '@baton/contract';

/** Names that the agent programs give to their own tools, lower case. */
const KNOWN: readonly (readonly [EffectClass, RegExp])[] = [
  [
    'local_read',
    /^(read|glob|grep|ls|list|view|find|search_files?|read_file|read_many_files|list_directory|notebookread|todowrite|todoread|todo|think|task_?output|bashoutput|exitplanmode)$/,
  ],
  [
    'local_write',
    /^(write|edit|multiedit|notebookedit|apply_patch|patch|file_change|write_file|replace|create|str_replace.*|bash|shell|run_shell_command|exec|local_shell|terminal|killshell|killbash|task|agent)$/,
  ],
  ['external_read', /^(webfetch|web_fetch|websearch|web_search|google_web_search|fetch)$/],
];

/** Commands of a shell that reach beyond the machine, and cannot be taken back or may change things. */
const REACHES_OUT: readonly (readonly [EffectClass, RegExp])[] = [
  [
    'external_irreversible',
    /\b(npm|yarn|pnpm|cargo|gem|twine)\s+publish\b|\bterraform\s+(apply|destroy)\b/,
  ],
  [
    'external_write',
    /\bgit\s+push\b|\bgh\s+(pr|issue|release)\s+\w+|\bkubectl\s+(apply|delete)\b|\bcurl\b.*\s-(X\s*(POST|PUT|PATCH|DELETE)|d|F|-data)\b|\b(scp|rsync)\b.*:/,
  ],
  ['external_read', /\b(curl|wget)\b|\bgit\s+(clone|fetch|pull)\b/],
];

const SHELL = /^(bash|shell|run_shell_command|exec|local_shell|terminal)$/;

/**
 * What a tool call may have changed, told by its name and, for a shell, by its command. An estimate for
 * the ledger and no guard: what nobody knows counts as a change to the outside.
 */
export function effectOf(name: string, target: string): EffectClass {
  const word = name.toLowerCase();
  if (/^(mcp__)?baton(__|_|$)/.test(word)) return 'local_write';
  if (SHELL.test(word)) {
    return REACHES_OUT.find(([, pattern]) => pattern.test(target))?.[0] ?? 'local_write';
  }
  return KNOWN.find(([, pattern]) => pattern.test(word))?.[0] ?? 'external_write';
}
