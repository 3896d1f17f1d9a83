import './zod-jitless.ts';
import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { client } from './api/client.ts';
import { createFeed } from './live/feed.ts';
import { FeedContext } from './live/feed-context.ts';
import { applyTheme } from './pages/frame/theme.ts';
import { router } from './routes.tsx';

applyTheme();

/** The feed says when something is stale, so nothing grows old by itself; the client retries. */
const cache = new QueryClient({
  defaultOptions: {
    queries: { staleTime: Number.POSITIVE_INFINITY, retry: false, refetchOnWindowFocus: false },
    mutations: { retry: false },
  },
});
const feed = createFeed(client, cache);

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');
createRoot(root).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={cache}>
        <FeedContext value={feed}>
          <RouterProvider router={router} />
        </FeedContext>
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
