import { fileURLToPath } from 'node:url';
import { decodePath, sendFile } from './files.ts';

/** Where the build puts the dashboard: beside this package, from its sources and its build alike. */
export const builtDashboard = fileURLToPath(new URL('../../../dashboard/dist', import.meta.url));

const notBuilt = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Baton</title></head>
  <body>
    <h1>The dashboard is not built</h1>
    <p>The control plane works. Run <code>npm run build</code> in the checkout and load this page again.</p>
    <p>The API is described at <a href="/docs">/docs</a>.</p>
  </body>
</html>
`;

/**
 * The dashboard's files. Every path without a file ending is a view of the one page; files with a hash
 * in their name lie under `/assets/`.
 */
export function dashboardFiles(root: string): (path: string) => Promise<Response | undefined> {
  return async (encoded) => {
    const path = decodePath(encoded);
    if (path === undefined) return undefined;
    if (path.startsWith('/assets/')) return sendFile(root, path, 'immutable');
    const last = path.slice(path.lastIndexOf('/') + 1);
    const isView = !last.includes('.');
    const file = isView ? undefined : await sendFile(root, path, 'revalidate');
    if (file !== undefined || !isView) return file;
    return (await sendFile(root, '/index.html', 'revalidate')) ?? plainPage();
  };
}

function plainPage(): Response {
  return new Response(notBuilt, {
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
  });
}
