// Rows as parameters: an array a column, and beside it one value for all rows, because most columns of a
// batch hold the same in every row. An element costs the database about as much as writing it does.

/** How a column of the rows is given. */
export interface GivenColumn {
  /** What the column is called in SQL. */
  readonly name: string;
  /** SQL type of one element of its array. */
  readonly arrayOf: string;
  /** SQL type of its value. */
  readonly type: string;
}

/** Rows in SQL, whose parameters `rowParameters` makes. */
export interface RowSource {
  /** What stands in a `from` list, under the name `u`. */
  readonly from: string;
  /** The value of each column, in the order of the columns. */
  readonly values: readonly string[];
  /** How many parameters they take, from `$1` on. */
  readonly parameterCount: number;
}

/**
 * Columns given as arrays `$1` to `$n`, then all but the first again as one value. The first is always
 * an array, as long as there are rows; another one is empty when its value is the same in all rows.
 * Numbered rows have `u.place` as well, from 1.
 */
export function rowSource(
  columns: readonly GivenColumn[],
  { isNumbered = false }: { readonly isNumbered?: boolean } = {},
): RowSource {
  const count = columns.length;
  const [first] = columns;
  if (first === undefined) throw new TypeError('rows without columns');
  // In a select list they are taken in step, without a copy; short ones are filled with null.
  const arrays = columns.map(
    ({ name, arrayOf }, at) => `unnest($${at + 1}::${arrayOf}[]) as ${name}`,
  );
  if (isNumbered) arrays.push(`generate_subscripts($1::${first.arrayOf}[], 1) as place`);
  return {
    from: `(select ${arrays.join(',\n                     ')}) as u`,
    values: columns.map(({ name, arrayOf, type }, at) => {
      const element = arrayOf === type ? `u.${name}` : `u.${name}::${type}`;
      return at === 0 ? element : `coalesce(${element}, $${count + at}::${type})`;
    }),
    parameterCount: 2 * count - 1,
  };
}

/** Values of each column, one a row, as the parameters of a `rowSource` of these columns. */
export function rowParameters(columns: readonly (readonly unknown[])[]): unknown[] {
  const parameters: unknown[] = [...columns];
  for (let at = 1; at < columns.length; at++) {
    const values = columns[at] ?? [];
    const isSame = isConstant(values);
    if (isSame) parameters[at] = [];
    parameters.push(isSame ? values[0] : null);
  }
  return parameters;
}

function isConstant(values: readonly unknown[]): boolean {
  const [first] = values;
  for (let index = 1; index < values.length; index++) {
    if (values[index] !== first) return false;
  }
  return values.length > 0;
}
