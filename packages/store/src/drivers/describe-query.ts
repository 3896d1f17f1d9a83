import pg from 'pg';
import type { StatementShape } from '../db.ts';

interface ProtocolConnection {
  readonly stream: { cork(): void; uncork(): void };
  parse(query: { text: string; name: string; types: readonly number[] }): void;
  describe(what: { type: 'S' | 'P'; name: string }): void;
  sync(): void;
  once(event: 'parameterDescription', listener: (message: ParameterDescription) => void): void;
}

interface ParameterDescription {
  readonly dataTypeIDs: readonly number[];
}

interface RowDescription {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

/**
 * Parse and Describe without Execute. Extends `pg.Query`, whose methods the client calls with what the
 * server answers, because the client in pipeline mode takes no other class.
 */
export class DescribeQuery extends pg.Query {
  readonly #sql: string;
  readonly #done: (error: Error | undefined, shape?: StatementShape) => void;
  #parameters: readonly number[] = [];
  #columns: StatementShape['columns'] = [];

  constructor(sql: string, done: (error: Error | undefined, shape?: StatementShape) => void) {
    super(sql, () => {});
    this.#sql = sql;
    this.#done = done;
    this.submit = (connection) => this.#submit(connection as unknown as ProtocolConnection);
  }

  handleRowDescription(message: RowDescription): void {
    this.#columns = message.fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID }));
  }

  handleReadyForQuery(): void {
    this.#done(undefined, { parameters: this.#parameters, columns: this.#columns });
  }

  handleError(error: Error): void {
    this.#done(error);
  }

  #submit(connection: ProtocolConnection): void {
    connection.once('parameterDescription', ({ dataTypeIDs }) => {
      this.#parameters = dataTypeIDs;
    });
    connection.stream.cork();
    connection.parse({ text: this.#sql, name: '', types: [] });
    connection.describe({ type: 'S', name: '' });
    connection.sync();
    connection.stream.uncork();
  }
}
