import { defaultStop } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { openJsonlReader } from '../jsonl-reader.ts';
import { codexTestedVersion, detectCodex } from './detect.ts';
import { planCodex } from './launch.ts';
import { CodexStream } from './stream.ts';

/**
 * Codex, headless. Its sandbox makes `.git` read-only and cuts every socket, loopback and Unix ones
 * alike: the supervisor commits, and calls go through files in the workspace.
 */
export const codexEngine: Engine = {
  name: 'codex',
  aliases: ['codex-cli', 'codex_cli', 'openai-codex', 'openai'],
  title: 'Codex',
  testedVersion: codexTestedVersion,
  traits: { prompt: true, resume: true, commits: false, reachesSocket: false },
  stop: defaultStop,
  detect: detectCodex,
  plan: planCodex,
  openReader: (start = {}) => openJsonlReader(new CodexStream(start)),
};
