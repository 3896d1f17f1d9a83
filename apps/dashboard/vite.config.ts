import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

const api = process.env['BATON_DEV_API_URL'] ?? 'http://127.0.0.1:4665';

export default defineConfig({
  plugins: [react()],
  // Workspaces are bundled from their sources: no build step stands before this one.
  resolve: { conditions: ['source', ...defaultClientConditions] },
  build: {
    target: ['chrome123', 'firefox128', 'safari17.5'],
    // The page's policy allows no data: fonts and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: {
    proxy: {
      '/api': {
        target: api,
        changeOrigin: true,
        // The control plane takes unsafe calls from its own origin only.
        configure: (proxy) => {
          proxy.on('proxyReq', (request) => {
            if (request.hasHeader('origin')) request.setHeader('origin', api);
          });
        },
      },
    },
  },
});
