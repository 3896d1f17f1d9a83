import { open } from 'node:fs/promises';
import { extname, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

/** How long browsers may keep a file: for good when its name has a hash, else never unasked. */
export type Caching = 'immutable' | 'revalidate';

/**
 * Sends a file from below `root`; undefined when there is none, or the path leads out of it.
 * `path` is the decoded path of a URL.
 */
export async function sendFile(
  root: string,
  path: string,
  caching: Caching,
): Promise<Response | undefined> {
  const file = resolve(root, `.${path}`);
  if (!file.startsWith(root + sep) || /[\0\\]/.test(path)) return undefined;
  const type = types[extname(file)];
  if (type === undefined) return undefined;
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return undefined;
  const stats = await handle.stat();
  if (!stats.isFile()) {
    await handle.close();
    return undefined;
  }
  const body = Readable.toWeb(handle.createReadStream()) as ReadableStream<Uint8Array>;
  return new Response(body, {
    headers: {
      'content-type': type,
      'content-length': String(stats.size),
      'cache-control': caching === 'immutable' ? 'public, max-age=31536000, immutable' : 'no-cache',
    },
  });
}

/** The path of a URL as text; undefined when its escapes are no UTF-8. */
export function decodePath(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
