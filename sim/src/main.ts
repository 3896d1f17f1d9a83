import { play, replayFile, replaySeed, soak } from './runs.ts';
import { writeTestingPage } from './testing-page.ts';

const HELP = `Plays seeds of the simulator.

  npx tsx --conditions=source sim/src/main.ts --seed <seed>       plays one seed, tells what failed, shrinks it
  npx tsx --conditions=source sim/src/main.ts --seed <seed> --save    and keeps it in sim/regressions
  npx tsx --conditions=source sim/src/main.ts --file <file>       plays a kept failure
  npx tsx --conditions=source sim/src/main.ts play <count>        plays the first seeds
  npm run soak -- --minutes <n>                                   plays random seeds
  npx tsx --conditions=source sim/src/main.ts docs                writes the tables of docs/testing.md
`;

const args = process.argv.slice(2);
const tell = (text: string): void => void process.stdout.write(`${text}\n`);

function option(name: string): string | undefined {
  const at = args.indexOf(`--${name}`);
  return at < 0 ? undefined : args[at + 1];
}

async function main(): Promise<boolean> {
  const seed = option('seed');
  const file = option('file');
  if (seed !== undefined) return replaySeed(seed, args.includes('--save'), tell);
  if (file !== undefined) return replayFile(file, tell);
  if (args[0] === 'soak') return soak(Number(option('minutes') ?? 10), tell);
  if (args[0] === 'play') return play(Number(args[1] ?? 20), tell);
  if (args[0] === 'docs') {
    writeTestingPage();
    return true;
  }
  tell(HELP);
  return true;
}

process.exitCode = (await main()) ? 0 : 1;
