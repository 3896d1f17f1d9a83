import {
  createRootRoute,
  createRoute,
  createRouter,
  Navigate,
  Outlet,
} from '@tanstack/react-router';
import { parseRunFilter, parseRunSearch } from './paths.ts';
import { Frame } from './pages/frame/frame.tsx';
import { InboxPage } from './pages/inbox/inbox-page.tsx';
import { LoginPage } from './pages/login/login-page.tsx';
import { NotFoundPage } from './pages/not-found-page.tsx';
import { RunPage } from './pages/run/run-page.tsx';
import { RunsPage } from './pages/runs/runs-page.tsx';

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage });

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  validateSearch: (raw: Record<string, unknown>): { readonly from?: string } => {
    const { from } = raw;
    // Only our own pages: `//host` would lead away.
    return typeof from === 'string' && /^\/(?!\/)/.test(from) ? { from } : {};
  },
  component: function LoginRoute() {
    return <LoginPage from={login.useSearch().from} />;
  },
});

const frame = createRoute({ getParentRoute: () => root, id: 'frame', component: Frame });

const home = createRoute({
  getParentRoute: () => frame,
  path: '/',
  component: () => <Navigate to="/runs" search={{ status: '', text: '' }} replace />,
});

const runs = createRoute({
  getParentRoute: () => frame,
  path: '/runs',
  validateSearch: parseRunFilter,
  component: function RunsRoute() {
    return <RunsPage filter={runs.useSearch()} />;
  },
});

const run = createRoute({
  getParentRoute: () => frame,
  path: '/runs/$runId',
  validateSearch: parseRunSearch,
  component: function RunRoute() {
    const { runId } = run.useParams();
    return <RunPage key={runId} runId={runId} search={run.useSearch()} />;
  },
});

const inbox = createRoute({ getParentRoute: () => frame, path: '/inbox', component: InboxPage });

/** The pages by address. Search parameters are plain text, so that people can write them. */
export const router = createRouter({
  routeTree: root.addChildren([login, frame.addChildren([home, runs, run, inbox])]),
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const entries = Object.entries(search).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '',
    );
    const text = new URLSearchParams(entries).toString();
    return text === '' ? '' : `?${text}`;
  },
  scrollRestoration: false,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
