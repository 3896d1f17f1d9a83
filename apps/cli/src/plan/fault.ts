/** Something wrong with a plan file, and where: the path of keys to it. */
export interface PlanFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** The key itself is wrong, not its value. */
  readonly atKey?: string;
}
