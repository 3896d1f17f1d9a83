import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError, type RepoCapability } from '@baton/contract';

/** Where code comes from. */
export interface RepoSource {
  readonly kind: 'local' | 'remote';
  readonly name: string;
  /** What git is given. */
  readonly address: string;
  /**
   * Equal for equal repositories. Remote: `host/path` in small letters for the host, without scheme,
   * user, port 22 or 443, `.git` and trailing slash. Local: the absolute path.
   */
  readonly identity: string;
}

const SCP_FORM = /^(?:([\w.-]+)@)?([\w.-]+):(?!\/\/)(.+)$/;
const REMOTE_SCHEMES = new Set(['https:', 'ssh:']);

/**
 * Reads what a task says in `workspace.repo`: a local path, a file://, https:// or ssh:// address, the
 * short ssh form, or the name of a repository this worker declared.
 * @throws {AppError} repo_not_found for a name nobody declared or a transport that is not allowed
 */
export function parseRepoSource(text: string, known: readonly RepoCapability[] = []): RepoSource {
  const trimmed = text.trim();
  const declared = known.find((repo) => repo.name === trimmed);
  const place = declared?.path ?? declared?.url;
  if (place !== undefined) return { ...parseAddress(place), name: trimmed };
  return parseAddress(trimmed);
}

function parseAddress(text: string): RepoSource {
  if (text.startsWith('file://')) return localSource(fileURLToPath(text));
  if (text.startsWith('~/')) return localSource(join(homedir(), text.slice(2)));
  if (isAbsolute(text) || text.startsWith('./') || text.startsWith('../') || text === '.') {
    return localSource(text);
  }
  if (text.startsWith('-') || /[\s\p{Cc}]/u.test(text)) throw notFound(text);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return remoteFromUrl(text);
  const scp = SCP_FORM.exec(text);
  if (scp === null) throw notFound(text);
  const [, , host = '', path = ''] = scp;
  if (host.startsWith('-') || path.startsWith('-')) throw notFound(text);
  return remote(text, host, path);
}

function localSource(path: string): RepoSource {
  const address = resolve(path).replace(/\/\.git$/, '');
  return { kind: 'local', name: repoNameOf(address), address, identity: address };
}

function remoteFromUrl(text: string): RepoSource {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw notFound(text);
  }
  if (!REMOTE_SCHEMES.has(url.protocol) || url.hostname === '' || url.hostname.startsWith('-')) {
    throw notFound(text, ' Repositories are reached by https, ssh or a local path.');
  }
  const port = ['', '22', '443'].includes(url.port) ? '' : `:${url.port}`;
  return remote(text, `${url.hostname}${port}`, decodeURI(url.pathname));
}

function remote(address: string, host: string, path: string): RepoSource {
  const clean = path
    .replace(/^\/+/, '')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');
  const identity = `${host.toLowerCase()}/${clean}`;
  return { kind: 'remote', name: repoNameOf(clean), address, identity };
}

/** What a repository is called by the last part of its path or address, without `.git`. */
export function repoNameOf(path: string): string {
  return (path.split('/').at(-1) ?? '').replace(/\.git$/, '') || 'repo';
}

function notFound(text: string, hint = ''): AppError {
  const shown = text.replace(/\/\/[^/@]*@/, '//').slice(0, 200);
  return new AppError(
    'repo_not_found',
    `Repository "${shown}" is neither a path, an address nor a name this worker declared.${hint}`,
    { detail: { repo: shown } },
  );
}
