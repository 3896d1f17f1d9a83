import fc from 'fast-check';

/**
 * Property tests try the same cases in every run of the suite, so that a run says something about the
 * change and not about luck. `BATON_TEST_SEED=random` (or a number) looks elsewhere.
 */
const asked = process.env['BATON_TEST_SEED'];
if (asked !== 'random') fc.configureGlobal({ seed: asked === undefined ? 1 : Number(asked) });
