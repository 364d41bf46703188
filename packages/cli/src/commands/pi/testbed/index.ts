import type { SkoloCommand } from '../../../command.ts';
import { defineDown } from './down.ts';
import { defineRun } from './run.ts';
import { defineUp } from './up.ts';

/** `skolo pi testbed`: turns a cluster of Pis into a testbed. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Installs a testbed on a cluster of Raspberry Pis: Headlamp, a metrics server, Prometheus, Grafana, volumes, and a pipeline that builds, deploys and measures a service.',
    )
    .summary('run a testbed on a cluster')
    .example('skolo pi testbed up --cluster pis');
  command.group({ up: defineUp, run: defineRun, down: defineDown });
}
