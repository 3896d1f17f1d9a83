// Prepared statements that travel with one Sync behind the last, so that the server answers them in one
// piece. The classes extend `pg.Query`, whose methods the client calls with what the server answers,
// because the client in pipeline mode takes no other class.
import pg from 'pg';
import { typeParsers } from './type-parsers.ts';
import type { WireValue } from '../parameters.ts';

/** A statement that is prepared under its name. */
export interface NamedQuery {
  readonly text: string;
  readonly name: string;
  readonly values?: WireValue[];
}

/** Called once for each query, in their order; `result` is the driver's. */
export type OnAnswer = (error: Error | null, result: unknown) => void;

interface ProtocolConnection {
  readonly parsedStatements: Readonly<Record<string, string>>;
  readonly submittedNamedStatements: Record<string, string>;
  parse(query: { text: string; name: string; types: readonly number[] }): void;
  sync(): void;
}

/** What the driver's own query does with answers; its types do not tell. */
interface QueryPart {
  submit(connection: object): unknown;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: unknown): void;
  handleReadyForQuery(connection: unknown): void;
  handleError(error: Error, connection: unknown): void;
}

/** True when the server has been given the statement under its name. */
export function isPrepared(connection: pg.Connection, { name }: NamedQuery): boolean {
  const { parsedStatements, submittedNamedStatements } =
    connection as unknown as ProtocolConnection;
  return name in parsedStatements || name in submittedNamedStatements;
}

/** Prepares one statement and nothing else: outside a transaction, where no other failure prevents it. */
export class PrepareQuery extends pg.Query {
  constructor({ text, name }: NamedQuery, onAnswer: OnAnswer) {
    super({ text, name }, onAnswer as () => void);
    this.submit = (given) => {
      const connection = given as unknown as ProtocolConnection;
      connection.parse({ text, name, types: [] });
      connection.sync();
      connection.submittedNamedStatements[name] = text;
    };
  }
}

/** Runs prepared statements one behind the other; the first error skips the rest, which fail with it. */
export class TrainQuery extends pg.Query {
  readonly #parts: readonly QueryPart[];
  #at = 0;

  constructor(queries: readonly NamedQuery[], onAnswer: OnAnswer) {
    super('', () => {});
    this.#parts = queries.map(
      (query) =>
        new pg.Query(
          { ...query, types: typeParsers },
          onAnswer as () => void,
        ) as unknown as QueryPart,
    );
    this.submit = (connection) => {
      const unsynced = Object.create(connection, { sync: { value: () => {} } }) as object;
      for (const part of this.#parts) part.submit(unsynced);
      (connection as unknown as ProtocolConnection).sync();
    };
  }

  handleRowDescription(message: unknown): void {
    this.#parts[this.#at]?.handleRowDescription(message);
  }

  handleDataRow(message: unknown): void {
    this.#parts[this.#at]?.handleDataRow(message);
  }

  handleCommandComplete(message: unknown, connection: unknown): void {
    const part = this.#parts[this.#at];
    part?.handleCommandComplete(message, connection);
    this.#at += 1;
    part?.handleReadyForQuery(connection);
  }

  /** Every part has been answered by then. */
  handleReadyForQuery(): void {}

  handleError(error: Error, connection: unknown): void {
    const rest = this.#parts.slice(this.#at);
    this.#at = this.#parts.length;
    for (const part of rest) part.handleError(error, connection);
  }
}
