/** A look at whether everything works: small, and nothing is written down. */
export const isQuick = process.argv.includes('--quick');
/** By this all numbers of jobs are multiplied. */
export const scale = isQuick ? 0.05 : 1;
/** How often what is compared is measured, in turns. */
export const rounds = isQuick ? 1 : 3;
/** Runs of each side before the one that counts. */
export const warmUps = isQuick ? 0 : 4;
/** Tasks of a measurement of lifecycles on PostgreSQL. */
export const lifecycleCount = 10_000 * scale;
/** Tasks that hang on one; with it, as many as a run may have. */
export const leaves = Math.floor(9_999 * scale);
/** Samples of a latency. */
export const samples = isQuick ? 20 : 300;
/** The PostgreSQL server to measure on; it is started by `npm run bench`. */
export const serverUrl = process.env['BATON_TEST_DATABASE_URL'] ?? '';
