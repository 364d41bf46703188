import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { count } from '@skolo/base';
import {
  barOf,
  type Compared,
  compared,
  earlierRuns,
  measure,
  plotOf,
  remarksOn,
  short,
  writeRun,
} from '@skolo/setup/cluster';
import { upTo } from '../../../arguments.ts';
import type { SkoloCommand } from '../../../command.ts';
import { complain, exitCodes, failPartly } from '../../../errors.ts';
import { printTable } from '../../../output/table.ts';
import { plain } from '../../../output/text.ts';
import { userFolder } from '../../../workstation/workstation-files.ts';
import { openCluster } from './open-cluster.ts';

interface Options {
  allPairs?: true;
  seconds: number;
  image?: string;
  folder?: string;
}

/** `skolo pi kubernetes bench`: measures a cluster's performance. */
export function defineBench(command: SkoloCommand): void {
  command
    .description(
      'Measures the disks and CPUs of the nodes, the network between nodes, the API server, and pod startup, one test at a time. Each run is stored with a plot and compared with up to ten previous runs. Once there are five previous runs, a result counts as better or worse if it is outside their range and differs from their median by more than 25%. The tests put load on the nodes, so do not run other tests at the same time. Exit codes: 0 no result is worse; 1 a result is worse, or nothing could be measured; 3 some tests failed.',
    )
    .summary("measure a cluster's performance")
    .argument('<cluster>', 'cluster name, as listed by skolo racks')
    .option('--all-pairs', 'measure the network between every pair of nodes')
    .option('--seconds <n>', 'duration of each measurement', upTo(30), 3)
    .option('--image <image>', 'image for the pods (default: one that k3s includes)')
    .option(
      '--folder <folder>',
      'directory for stored runs (default: ~/.local/share/skolo/bench/CLUSTER)',
    )
    .uses('clusters')
    .example('skolo pi kubernetes bench pis');

  command.interruptible(async (signal, name: string, { allPairs, image, ...options }: Options) => {
    const { io } = command;
    const data = userFolder(io.env, 'XDG_DATA_HOME');
    const folder = resolve(io.folder, options.folder ?? join(data, 'skolo', 'bench', name));
    const earlier = await earlierRuns(folder, name);
    const what = 'pi kubernetes bench';
    const { server, nodes, open } = await openCluster(command, name, { what, signal });
    const versions = [...new Set((await nodes()).map(({ version }) => version))];
    const { figures, failed } = await measure({
      server,
      open,
      signal,
      seconds: options.seconds,
      allPairs: allPairs ?? false,
      ...(image !== undefined && { image }),
      report: (text) => io.err(plain(`${name}: ${text}`)),
    });
    const at = new Date(io.now()).toISOString();
    const all = compared(figures, earlier);
    const path = await writeRun(folder, { cluster: name, at, versions, figures });
    await writeFile(`${path}.svg`, plotOf(`${name}, ${at}, ${versions.join(', ')}`, all));
    print(command, all);
    for (const remark of remarksOn(figures, server.name)) io.err(plain(remark));
    for (const { what, where, why } of failed) complain(io, plain(`${where}: ${what}: ${why}`));
    io.err(plain(`plot: ${path}.svg; results: ${path}.json`));
    if (all.some(({ verdict }) => verdict === 'worse')) io.exitCode = exitCodes.failed;
    if (failed.length > 0) failPartly(io, figures.length > 0);
  });
}

function print({ io }: SkoloCommand, all: readonly Compared[]): void {
  const most = new Map<string, number>();
  for (const { name, value } of all) most.set(name, Math.max(most.get(name) ?? 0, value));
  printTable(
    io,
    [
      { title: 'RESULT', cell: ({ name }) => name },
      { title: 'WHERE', cell: ({ where }) => where },
      { title: 'NOW', cell: ({ value }) => short(value), align: 'right' },
      { title: 'UNIT', cell: ({ unit }) => unit },
      { title: 'EARLIER', cell: ({ earlier }) => earlier && earlierText(earlier) },
      { title: 'RATIO', cell: ({ ratio }) => ratio?.toFixed(2), align: 'right' },
      {
        title: 'IS',
        cell: ({ verdict }) => verdict,
        style: ({ verdict }) =>
          verdict === 'worse' ? 'red' : verdict === 'better' ? 'green' : undefined,
      },
      { title: 'BAR', cell: ({ name, value }) => barOf(value, most.get(name) ?? 0), leaveOut: 1 },
    ],
    [...all].sort((a, b) => order(all, a) - order(all, b)),
  );
}

/** Combines all nodes for one figure. */
function order(all: readonly Compared[], { name }: Compared): number {
  return all.findIndex((each) => each.name === name);
}

/** `3.1 (2.9–3.4, 5 runs)` */
function earlierText({ median, least, most, runs }: NonNullable<Compared['earlier']>): string {
  return `${short(median)} (${short(least)}–${short(most)}, ${count(runs, 'run')})`;
}
