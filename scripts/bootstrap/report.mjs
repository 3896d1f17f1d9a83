/**
 * @typedef {{ ok: boolean, output?: string, note?: string }} StepResult `output` is shown when the step failed
 */

/** Steps of one run: a line each, with its seconds, and a count in the end. */
export class Report {
  passed = 0;
  failed = 0;
  skipped = 0;
  /** @type {string[]} */
  flaky = [];

  /**
   * @param {(text: string) => void} [write]
   * @param {boolean} [isLive] a terminal: shows the name of a step while it runs
   */
  constructor(write = (text) => void process.stdout.write(text), isLive = false) {
    this.write = write;
    this.isLive = isLive;
  }

  /**
   * Runs a step and prints its line. Whatever it throws is a failure of the step, not of the run.
   * @param {string} name
   * @param {() => StepResult | Promise<StepResult>} work
   * @param {{ counts?: boolean }} [options] `counts: false` for preparation, which is only counted when it fails
   */
  async step(name, work, { counts = true } = {}) {
    const startedMs = performance.now();
    // The line of the end is the longer one and takes its place.
    if (this.isLive) this.write(`...     ${name}\r`);
    const result = await settle(work);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const note = result.note === undefined ? '' : `  ${result.note}`;
    this.write(`${result.ok ? 'ok    ' : 'FAILED'}  ${name}  ${seconds} s${note}\n`);
    if (!result.ok) {
      this.failed += 1;
      if (result.output) this.write(`${indent(result.output)}\n`);
    } else if (counts) {
      this.passed += 1;
    }
    return result.ok;
  }

  /**
   * @param {{ passed: number, failed: number, skipped: number, flaky?: readonly string[] }} counts
   * `flaky`: names of tests among the passed that needed a second try
   */
  add({ passed, failed, skipped, flaky = [] }) {
    this.passed += passed;
    this.failed += failed;
    this.skipped += skipped;
    this.flaky.push(...flaky);
  }

  /** Prints what needed a second try, then the last line, which other programs read; gives the exit code. */
  finish() {
    for (const name of this.flaky) this.write(`flaky: ${name}\n`);
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : '';
    this.write(`${this.passed} passed, ${this.failed} failed${skipped}\n`);
    return this.failed > 0 ? 1 : 0;
  }
}

/**
 * @param {() => StepResult | Promise<StepResult>} work
 * @returns {Promise<StepResult>}
 */
async function settle(work) {
  try {
    return await work();
  } catch (error) {
    return {
      ok: false,
      output: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

/** @param {string} text */
function indent(text) {
  return text.trimEnd().replace(/^/gm, '        ');
}
