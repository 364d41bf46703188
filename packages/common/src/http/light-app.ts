/** For small processes: the router of Express without the rest of it. */
import newRouter from 'router';
import { type App, httpApp } from './app.ts';
import type { AppOptions, Stage } from './options.ts';
import type { BoundRoute } from './routes.ts';

export function lightApp(
  options: AppOptions,
  routes: readonly BoundRoute[],
  own?: readonly Stage[],
): App {
  return httpApp(newRouter(), options, routes, own);
}
