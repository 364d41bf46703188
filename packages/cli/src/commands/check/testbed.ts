import { verifyTestbed } from '@skolo/fleet/testbed';
import type { SkoloCommand } from '../../command.ts';
import { openTestbed } from '../pi/testbed/open-testbed.ts';
import { defineCheck } from './check.ts';

/** `skolo check testbed`: whether each part of a testbed works. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Tests each part of the testbed: nodes, pods, volumes, the metrics server, Prometheus targets, the dashboard, and the last pipeline run. The command also checks that Grafana rejects the password "admin". It does not change anything.',
    )
    .summary('test each part of the testbed')
    .argument('[cluster]', 'cluster name, as listed by skolo racks (default: the only one)')
    .uses('clusters')
    .example('skolo check testbed pis');

  defineCheck(command, async (signal, cluster: string | undefined) => {
    const open = await openTestbed(command, cluster === undefined ? {} : { cluster }, signal);
    const findings = await verifyTestbed(open, { fetch: open.fetch, signal });
    return { name: open.name, findings };
  });
}
