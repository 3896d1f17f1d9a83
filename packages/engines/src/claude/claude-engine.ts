import { defaultStop } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { openJsonlReader } from '../jsonl-reader.ts';
import { claudeTestedVersion, detectClaude } from './detect.ts';
import { planClaude } from './launch.ts';
import { ClaudeStream } from './stream.ts';

/** Claude Code, headless: one prompt, events as JSON lines. */
export const claudeEngine: Engine = {
  name: 'claude',
  aliases: ['claude-code', 'claude_code', 'claudecode', 'anthropic'],
  title: 'Claude Code',
  testedVersion: claudeTestedVersion,
  traits: { prompt: true, resume: true, commits: true, reachesSocket: true },
  stop: defaultStop,
  detect: detectClaude,
  plan: planClaude,
  openReader: (start = {}) => openJsonlReader(new ClaudeStream(start)),
};
