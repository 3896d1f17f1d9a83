/** The known name that a mistyped one most probably means; undefined when none is close. */
export function nearestName(typed: string, known: readonly string[]): string | undefined {
  const best = known
    .map((name) => ({ name, distance: editDistance(typed, name) }))
    .toSorted((one, other) => one.distance - other.distance)[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(typed.length / 3))
    ? best.name
    : undefined;
}

/** Letters to add, drop or change, from one word to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line += 1) {
    const next = [line];
    for (let column = 1; column <= to.length; column += 1) {
      const change = (row[column - 1] ?? 0) + (from[line - 1] === to[column - 1] ? 0 : 1);
      next.push(Math.min(change, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
