import { verifyTestbed } from '@skolo/fleet/testbed';
import type { SkoloCommand } from '../../../command.ts';
import { exitCodes } from '../../../errors.ts';
import { printTable } from '../../../output/table.ts';
import { type ClusterOptions, clusterOption, openTestbed } from './open-testbed.ts';

/** `skolo pi testbed verify`. */
export function defineVerify(command: SkoloCommand): void {
  command
    .description(
      'Tests each part of the testbed: nodes, pods, volumes, the metrics server, Prometheus targets, the dashboard, and the last pipeline run. The command also checks that Grafana rejects the password "admin". It does not change anything. Exit codes: 0 no problems; 1 problems found.',
    )
    .summary('test each part of the testbed')
    .addOption(clusterOption())
    .uses('clusters')
    .example('skolo pi testbed verify --cluster pis');

  command.interruptible(async (signal, options: ClusterOptions) => {
    const { io } = command;
    const open = await openTestbed(command, options, signal);
    const checks = await verifyTestbed(open, { fetch: open.fetch, signal });
    printTable(
      io,
      [
        { title: 'CHECK', cell: ({ name }) => name },
        {
          title: 'STATE',
          cell: ({ isOk }) => (isOk ? 'ok' : 'wrong'),
          style: ({ isOk }) => (isOk ? 'green' : 'red'),
        },
        { title: 'FOUND', cell: ({ text }) => text },
      ],
      checks,
    );
    if (!checks.every(({ isOk }) => isOk)) io.exitCode = exitCodes.failed;
  });
}
