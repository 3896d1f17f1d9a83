import { cutPower } from './power.ts';
import { play, replayFile, replayOnSql, replaySeed, soak } from './runs.ts';
import { writeTestingPage } from './testing-page.ts';

const HELP = `Plays seeds of the simulator.

  npx tsx --conditions=source sim/src/main.ts --seed <seed>       plays one seed, tells what failed, shrinks it
  npx tsx --conditions=source sim/src/main.ts --seed <seed> --save    and keeps it in sim/regressions
  npx tsx --conditions=source sim/src/main.ts --sql --seed <seed>     plays its beginning on SQL
  npx tsx --conditions=source sim/src/main.ts --file <file>       plays a kept failure
  npx tsx --conditions=source sim/src/main.ts play <count>        plays the first seeds
  npm run soak -- --minutes <n>                                   plays random seeds, on SQL too, and cuts the power
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
  if (seed !== undefined && args.includes('--sql')) return replayOnSql(seed, tell);
  if (seed !== undefined) return replaySeed(seed, args.includes('--save'), tell);
  if (file !== undefined) return replayFile(file, tell);
  if (args[0] === 'soak') {
    const minutes = Number(option('minutes') ?? 10);
    const isWell = await soak(minutes * 0.9, tell);
    return (await cutPower(minutes * 0.1, process.env, tell)) && isWell;
  }
  if (args[0] === 'play') return play(Number(args[1] ?? 20), tell);
  if (args[0] === 'docs') {
    writeTestingPage();
    return true;
  }
  tell(HELP);
  return true;
}

process.exitCode = (await main()) ? 0 : 1;
