import { join } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { routesForPages } from './routes-for-pages.ts';

/** The service, or `npm run fixture -w services/machine-state`. */
const service = process.env.SKOLO_CONSOLE_SERVICE ?? 'http://127.0.0.1:8004';

/**
 * Method and path of each route. The pages have the types of `@skolo/api`, but not its schemas: the service has checked
 * what it sends, and zod would be larger than all pages, and needs `unsafe-eval`.
 */
function routes(): Plugin {
  const id = 'virtual:routes';
  return {
    name: 'skolo-routes',
    resolveId: (wanted) => (wanted === id ? `\0${id}` : undefined),
    load: (wanted) =>
      wanted === `\0${id}`
        ? `export const routes = ${JSON.stringify(routesForPages())};`
        : undefined,
  };
}

export default defineConfig({
  root: import.meta.dirname,
  // Relative: the pages may be below a path.
  base: './',
  plugins: [routes()],
  // Not what NODE_ENV says: the other form names the folders of the sources.
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    // Of a rack, and of `skolo console` for several.
    rolldownOptions: {
      input: ['index.html', 'racks.html'].map((name) => join(import.meta.dirname, name)),
    },
    target: 'es2023',
    // A `data:` URL would need a weaker policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/v1': service, '/services': service } },
});
