import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { App } from '../app.ts';
import type { Handlers } from '../call.ts';
import { openApiDocument } from '../openapi/document.ts';
import { sendFile } from './files.ts';

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Baton API</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <script src="/docs/swagger-ui-bundle.js" defer></script>
    <script src="/docs/start.js" defer></script>
  </head>
  <body><div id="reference"></div></body>
</html>
`;

const start = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  syntaxHighlight: { activated: false },
});
`;

const shipped: ReadonlySet<string> = new Set(['swagger-ui.css', 'swagger-ui-bundle.js']);

/** Handlers of `/openapi.json` and `/docs`. */
export function referenceHandlers(app: Pick<App, 'version'>): Pick<Handlers, 'openapi' | 'docs'> {
  const document = openApiDocument(app.version);
  return {
    openapi: async () => document,
    docs: async () =>
      new Response(page, {
        headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' },
      }),
  };
}

/** The files of the reference page, all our own: no foreign host is asked for anything. */
export function referenceFiles(): (path: string) => Promise<Response | undefined> {
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return async (path) => {
    if (path === '/docs/start.js') {
      return new Response(start, {
        headers: { 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-cache' },
      });
    }
    const name = path.startsWith('/docs/') ? path.slice('/docs/'.length) : '';
    return shipped.has(name) ? sendFile(root, `/${name}`, 'revalidate') : undefined;
  };
}
