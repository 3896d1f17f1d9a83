import type { RepoCapability } from '@baton/contract';

/** A repository's address without what does not tell repositories apart: scheme, user, `.git`, case. */
export function normaliseRepo(text: string): string {
  const trimmed = text.trim().replace(/\/+$/, '');
  if (isLocalPath(trimmed)) return trimmed;
  return trimmed
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .replace(/^[^@/]+@/, '')
    .replace(/^([^/:]+):(?!\d+\/)/, '$1/')
    .replace(/\.git$/i, '')
    .toLowerCase();
}

/** Whether a repository is given as a path on the machine that works on it. */
function isLocalPath(text: string): boolean {
  return /^(?:[/~.]|[A-Za-z]:[\\/]|file:)/.test(text);
}

/** Whether an advertised repository is the wanted one: by name, URL, or path. */
export function isSameRepo(wanted: string, repo: RepoCapability): boolean {
  const name = normaliseRepo(wanted);
  return [repo.name, repo.url, repo.path].some(
    (known) => known !== undefined && normaliseRepo(known) === name,
  );
}
