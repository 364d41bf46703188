import { type Nfs, nodeUrl, type PartResult, testbedUp } from '@skolo/fleet/testbed';
import { InvalidArgumentError } from 'commander';
import { timeOption } from '../../../arguments.ts';
import type { SkoloCommand } from '../../../command.ts';
import { failPartly } from '../../../errors.ts';
import { printTable } from '../../../output/table.ts';
import { plain } from '../../../output/text.ts';
import {
  type ClusterOptions,
  clusterOption,
  openTestbed,
  pollMs,
  testbedFolder,
} from './open-testbed.ts';

interface Options extends ClusterOptions {
  nfs?: Nfs;
  jenkins?: true;
  within: number;
}

const colours = { ready: 'green', skipped: 'dim', failed: 'red' } as const;

/** `skolo pi testbed up`: installs the testbed in a cluster. */
export function defineUp(command: SkoloCommand): void {
  command
    .description(
      'Applies the parts of kube/testbed that differ, waits until their pods are ready, and lists the state of each part. If one part fails, the others continue. If k3s already provides a metrics server or a default StorageClass, the testbed uses it. With --nfs, volumes are directories on an NFS server. The first run generates a random password for Grafana. Exit codes: 0 all parts are ready or were skipped; 3 some parts failed; 1 all parts failed.',
    )
    .summary('install or update the testbed')
    .addOption(clusterOption())
    .option('--nfs <server:path>', 'NFS export for volumes; remembered for later runs', nfsExport)
    .option(
      '--jenkins',
      'also install Jenkins, with a job that runs the pipeline; later runs keep this setting',
    )
    .addOption(timeOption('--within <time>', 'time limit for pods to become ready', '15m'))
    .uses('clusters')
    .example('skolo pi testbed up --cluster pis --nfs 10.1.1.1:/srv/nfs');

  command.interruptible(async (signal, options: Options) => {
    const { io } = command;
    const open = await openTestbed(command, options, signal);
    const folder = await testbedFolder(command);
    const report = (text: string) => io.out(plain(text));
    const results = await testbedUp(open, {
      folder,
      nfs: options.nfs,
      jenkins: options.jenkins ?? false,
      signal,
      report,
      withinMs: options.within,
      pollMs,
    });
    showParts(command, results);
    const failed = results.filter(({ state }) => state === 'failed');
    if (failed.length > 0) return failPartly(io, failed.length < results.length);
    const { name } = open;
    const grafana = await nodeUrl(open, 'testbed', 'grafana');
    const reports = await nodeUrl(open, 'testbed-build', 'results');
    const kubectl = `skolo kubectl --role admin ${name}`;
    for (const line of [
      `Grafana: ${grafana}, user admin; to print the password:`,
      `  ${kubectl} get secret -n testbed grafana -o go-template='{{.data.password|base64decode}}'`,
      'Dashboard: http://127.0.0.1:8080 while the first command is running; to sign in, use the token that the second command prints:',
      `  ${kubectl} port-forward -n testbed svc/dashboard 8080:80`,
      `  ${kubectl} create token -n testbed dashboard-viewer`,
      ...(results.some(({ part, state }) => part === 'jenkins' && state === 'ready')
        ? [
            'Jenkins: http://127.0.0.1:8081 while this command runs, user admin; the password is in the Secret jenkins:',
            `  ${kubectl} port-forward -n testbed svc/jenkins 8081:80`,
          ]
        : []),
      `Pipeline: skolo pi testbed run --cluster ${name}; reports: ${reports}`,
    ]) {
      io.out(plain(line));
    }
  });
}

function nfsExport(text: string): Nfs {
  const [, server, path] = /^([A-Za-z0-9][A-Za-z0-9.-]*):(\/[^\s:]*)$/.exec(text) ?? [];
  if (server !== undefined && path !== undefined) return { server, path };
  throw new InvalidArgumentError('expected SERVER:/PATH, such as 10.1.1.1:/srv/nfs');
}

function showParts({ io }: SkoloCommand, results: readonly PartResult[]) {
  printTable(
    io,
    [
      { title: 'PART', cell: ({ part }) => part },
      { title: 'STATE', cell: ({ state }) => state, style: ({ state }) => colours[state] },
      { title: 'CHANGED', cell: ({ changed }) => `${changed}`, align: 'right' },
      { title: 'WHY', cell: ({ why }) => why },
    ],
    results,
  );
}
