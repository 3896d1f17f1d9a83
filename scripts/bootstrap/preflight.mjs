import { capture } from './process.mjs';

/**
 * What must be on the machine before anything can be installed. Node was checked by the entry point.
 * @returns {Promise<string | undefined>} what is missing and how to get it
 */
export async function missingPrerequisite() {
  const git = await capture(['git', '--version']);
  if (git.code === 0) return undefined;
  return [
    'Baton needs git, which was not found on PATH: every agent works in a git worktree.',
    'Install it (Debian, Ubuntu: apt-get install git; macOS: xcode-select --install), then try again.',
  ].join('\n');
}
