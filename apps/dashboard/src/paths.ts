import type { RunFilter } from './queries/keys.ts';

export const RUN_TABS = ['graph', 'tasks', 'events'] as const;
export type RunTab = (typeof RUN_TABS)[number];

export const TASK_VIEWS = ['live', 'log', 'diff', 'result', 'attempts', 'why'] as const;
export type TaskView = (typeof TASK_VIEWS)[number];

/** What of a run is looked at. Undefined: as fits the screen and the task's status. */
export interface RunSearch {
  readonly tab?: RunTab | undefined;
  readonly task?: string | undefined;
  readonly view?: TaskView | undefined;
  readonly attempt?: string | undefined;
}

/** Address of every page: the only place where one is put together. */
export const paths = {
  home: () => '/',
  login: (from?: string) => `/login${query({ from })}`,
  runs: (filter: Partial<RunFilter> = {}) =>
    `/runs${query({ status: filter.status, text: filter.text })}`,
  run: (run: string, search: RunSearch = {}) =>
    `/runs/${encodeURIComponent(run)}${query({
      tab: search.tab,
      task: search.task,
      view: search.task === undefined ? undefined : search.view,
      attempt: search.task === undefined ? undefined : search.attempt,
    })}`,
  inbox: () => '/inbox',
};

function query(fields: Readonly<Record<string, string | undefined>>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined && value !== '') search.set(key, value);
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** Search parameters of a run's page; what makes no sense is left out. */
export function parseRunSearch(raw: Readonly<Record<string, unknown>>): RunSearch {
  return {
    tab: RUN_TABS.find((tab) => tab === raw['tab']),
    task: textOf(raw['task']),
    view: TASK_VIEWS.find((view) => view === raw['view']),
    attempt: textOf(raw['attempt']),
  };
}

/** Search parameters of the list of runs. */
export function parseRunFilter(raw: Readonly<Record<string, unknown>>): RunFilter {
  return { status: textOf(raw['status']) ?? '', text: textOf(raw['text']) ?? '' };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
