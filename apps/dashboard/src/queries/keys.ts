/** What a list of runs is narrowed to. `status` is one status, `active`, or empty for all. */
export interface RunFilter {
  readonly status: string;
  readonly text: string;
}

/** Keys of the query cache; what begins alike is made stale together. */
export const keys = {
  session: ['session'] as const,
  runLists: ['run-lists'] as const,
  runList: (filter: RunFilter) => ['run-lists', filter.status, filter.text] as const,
  run: (run: string) => ['runs', run] as const,
  runGraph: (run: string) => ['runs', run, 'graph'] as const,
  runEvents: (run: string) => ['runs', run, 'events'] as const,
  checkpoints: ['checkpoints'] as const,
  inbox: ['checkpoints', 'open'] as const,
  task: (task: string) => ['tasks', task] as const,
  taskDetail: (task: string) => ['tasks', task, 'detail'] as const,
  taskAttempts: (task: string) => ['tasks', task, 'attempts'] as const,
  taskArtifacts: (task: string) => ['tasks', task, 'artifacts'] as const,
  taskDiff: (task: string) => ['tasks', task, 'diff'] as const,
  taskExplain: (task: string) => ['tasks', task, 'explain'] as const,
};
