import type { SkoloCommand } from '../../../command.ts';
import { defineBench } from './bench.ts';
import { defineDeploy } from './deploy.ts';
import { defineReset } from './reset.ts';
import { defineSetUp } from './set-up.ts';

/** `skolo pi kubernetes`: clusters of Raspberry Pis. */
export function define(command: SkoloCommand): void {
  command
    .description('Creates, measures and resets clusters of Raspberry Pis.')
    .summary('manage clusters of Raspberry Pis')
    .example("skolo pi kubernetes setup --master host01 --worker 'host[02-10]'");
  command.group({
    deploy: defineDeploy,
    setup: defineSetUp,
    bench: defineBench,
    reset: defineReset,
  });
}
