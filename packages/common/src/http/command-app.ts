import { Registry } from 'prom-client';
import { createLogger } from '../process/log.ts';
import { type App, httpApp } from './app.ts';
import type { Stage } from './options.ts';
import type { BoundRoute } from './routes.ts';

function admit(): never {
  throw new TypeError('nobody can sign in to this command');
}

/** For a command: without log, metrics and audit log. Only routes of `anyone`. */
export function commandApp(routes: readonly BoundRoute[], stages: readonly Stage[] = []): App {
  const log = createLogger({ service: 'skolo', level: 'silent' });
  return httpApp({ log, metrics: new Registry(), access: { admit } }, routes, { stages });
}
