/** Runs the preparations of one connection one after another; those of no connection run at once. */
export function createTurns(): (
  connection: string | undefined,
  prepare: () => Promise<void>,
) => Promise<void> {
  const last = new Map<string, Promise<void>>();
  return async (connection, prepare) => {
    if (connection === undefined) return prepare();
    const mine = (last.get(connection) ?? Promise.resolve()).catch(() => undefined).then(prepare);
    last.set(connection, mine);
    try {
      await mine;
    } finally {
      if (last.get(connection) === mine) last.delete(connection);
    }
  };
}
