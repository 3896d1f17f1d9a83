import { bench, build, check, dev, start, test } from './commands.mjs';

const COMMANDS = { start, test, check, dev, bench, build };

/**
 * Runs one command of `scripts/bootstrap.mjs`.
 * @param {string[]} argv command name, then its own arguments
 * @returns {Promise<number>} exit code
 */
export async function main(argv) {
  const [name = '', ...args] = argv;
  const command = Object.hasOwn(COMMANDS, name)
    ? COMMANDS[/** @type {keyof typeof COMMANDS} */ (name)]
    : undefined;
  if (command === undefined) {
    process.stderr.write(
      `usage: node scripts/bootstrap.mjs ${Object.keys(COMMANDS).join('|')} [arguments]\n`,
    );
    return 64;
  }
  return command(args);
}
