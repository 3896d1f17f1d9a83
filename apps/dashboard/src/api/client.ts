import { createClient } from '@baton/sdk';

/** The control plane that served this page. The browser sends the session cookie by itself. */
export const client = createClient({ baseUrl: window.location.origin, retriesMax: 1 });
