import { command } from '../command.ts';
import { ENGINE_CHECKS } from '../doctor/engine-checks.ts';
import type { Finding } from '../doctor/finding.ts';
import { lockCheck } from '../doctor/lock-check.ts';
import { MACHINE_CHECKS } from '../doctor/machine-checks.ts';
import { SERVICE_CHECKS } from '../doctor/service-checks.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { paint, show, stack, type Shown } from '../terminal/shown.ts';

const CHECKS = [...MACHINE_CHECKS, lockCheck, ...SERVICE_CHECKS, ...ENGINE_CHECKS];

export const doctor = command({
  name: ['doctor'],
  summary: 'look whether everything is in place, and say how to mend what is not',
  async run(context) {
    context.activity.say('looking');
    const findings = await Promise.all(
      CHECKS.map(async ({ name, look }) => ({ name, ...(await look(context)) })),
    );
    const isWell = findings.every(({ level }) => level !== 'fail');
    return {
      json: { ok: isWell, findings },
      text: stack(
        ...findings.map(({ name, level, text, fix }) =>
          stack(
            show`${MARKS[level]} ${paint.bold(name.padEnd(15))} ${text}`,
            fix !== undefined && show`  ${paint.dim(`${' '.repeat(15)} ${fix}`)}`,
          ),
        ),
      ),
      exitCode: isWell ? EXIT_CODES.ok.code : EXIT_CODES.failed.code,
    };
  },
});

const MARKS: Readonly<Record<Finding['level'], Shown>> = {
  ok: paint.green('ok  '),
  note: paint.dim('-   '),
  warn: paint.yellow('warn'),
  fail: paint.red('FAIL'),
};
