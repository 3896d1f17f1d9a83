import { paint, show, Shown, stack, type Showable } from './shown.ts';

/** Rows under headings, columns as wide as they must be; the last one is cut to what is left. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly Showable[])[],
  columnsMax = Number.POSITIVE_INFINITY,
): Shown {
  const cells = rows.map((row) => row.map((value) => show`${value}`));
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.width ?? 0)),
  );
  const lastWidth = Math.max(
    8,
    columnsMax - widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0),
  );
  const line = (row: readonly Shown[]): Shown =>
    new Shown(
      row
        .map((cell, column) =>
          column === row.length - 1
            ? cell.cut(lastWidth).encode(true)
            : pad(cell, widths[column] ?? 0),
        )
        .join(GAP),
    );
  return stack(line(headings.map((heading) => paint.dim(heading))), ...cells.map(line));
}

/** Names and values below each other, the values in one column. */
export function facts(rows: readonly (readonly [string, Showable])[]): Shown {
  const known = rows.filter(([, value]) => show`${value}`.width > 0);
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return stack(
    ...known.map(([name, value]) => show`${paint.dim(name)}${gap(width - name.length)}${value}`),
  );
}

const GAP = '  ';

function gap(columns: number): Shown {
  return new Shown(' '.repeat(columns + GAP.length));
}

function pad(cell: Shown, width: number): string {
  return cell.encode(true) + ' '.repeat(Math.max(0, width - cell.width));
}
