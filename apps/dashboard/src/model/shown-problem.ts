/** An error as a page shows it. */
export interface ShownProblem {
  readonly code: string;
  readonly text: string;
  readonly violations: readonly string[];
}
