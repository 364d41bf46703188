import { defineConfig, type Plugin } from 'vite';
import { routesForPages } from './routes-for-pages.ts';

/** The service, or `npm run fixture -w packages/console`. */
const service = process.env.SKOLO_CONSOLE_SERVICE ?? 'http://127.0.0.1:8004';

/**
 * Method and path of each route. The pages have the types of `@skolo/api`, but not its schemas: the service has validated what it sends,
 * and zod would be larger than all pages and requires `unsafe-eval`.
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
  // Relative, because the pages may be below a path.
  base: './',
  plugins: [routes()],
  // Regardless of NODE_ENV: the development output contains paths of the sources.
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
  build: {
    outDir: '../dist',
    emptyOutDir: true,
    target: 'es2023',
    // A `data:` URL would require a weaker policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { '/v1': service, '/services': service } },
});
