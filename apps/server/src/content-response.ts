/** Bytes that somebody stored here. */
export interface StoredContent {
  readonly body: ReadableStream<Uint8Array>;
  readonly size: number;
  readonly name: string;
  readonly mediaType: string;
}

/**
 * Stored bytes as a download. They come from agents and repositories: a browser may save them, never
 * show or run them here. Types that a browser could run are named octet-stream.
 */
export function contentResponse({ body, size, name, mediaType }: StoredContent): Response {
  return new Response(body, {
    headers: {
      'content-type': harmlessType(mediaType),
      'content-length': String(size),
      'content-disposition': attachment(name),
      'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
      'cache-control': 'no-store',
    },
  });
}

function harmlessType(mediaType: string): string {
  const plain =
    /^(?:text\/(?:plain|x-diff|csv|markdown)|application\/(?:json|x-ndjson|gzip|zip|x-tar)|image\/(?:png|jpeg|gif|webp))(?:; ?charset=utf-8)?$/i;
  return plain.test(mediaType) ? mediaType : 'application/octet-stream';
}

/** RFC 6266: a plain name for old clients, the exact one in UTF-8. Only the last part of a path is a name. */
function attachment(name: string): string {
  const base = name.split(/[/\\]/).at(-1) || 'artifact';
  const plain = base.replace(/[^\w.() -]/g, '_').slice(0, 150);
  const exact = encodeURIComponent(base.slice(0, 150).replace(/\p{Surrogate}/gu, '')).replace(
    /['()*]/g,
    percent,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
}
