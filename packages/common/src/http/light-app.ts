/** For small processes: the router of Express without the rest of it. */
import { Registry } from 'prom-client';
import newRouter from 'router';
import { createLogger } from '../process/log.ts';
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

const open: AppOptions['access'] = {
  admit() {
    throw new TypeError('nobody can sign in to this command');
  },
};

/** For a command: without log, metrics and audit log. @param access default: only routes of `anyone` */
export function commandApp(
  routes: readonly BoundRoute[],
  own: readonly Stage[] = [],
  access = open,
): App {
  const log = createLogger({ service: 'skolo', level: 'silent' });
  return lightApp({ log, metrics: new Registry(), access }, routes, own);
}
