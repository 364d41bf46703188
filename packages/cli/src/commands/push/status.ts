import { closing, errorText } from '@skolo/base';
import { askEachRack, type FleetRack, type OnNextWay, type RackAnswer } from '@skolo/fleet';
import {
  hasEnded,
  type Last,
  type Running,
  readLease,
  readRunning,
  stoppable,
} from '@skolo/fleet/push';
import type { RolledBack } from '@skolo/rack/jumphost';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { printTable } from '../../output/table.ts';
import { relative } from '../../output/time.ts';
import { loadFleet, openerToRead } from '../../reach/racks.ts';
import { namedRacks, ownRecords, racksOption, unfinished } from './open-push.ts';

interface Options {
  racks?: string[];
  json?: true;
}

interface RackStatus {
  rack: string;
  running: Running[];
  last?: Last | undefined;
  /** Who pushes now. */
  holder?: string | undefined;
  /** The push that skolo-fallback has rolled back. */
  rolledBack?: RolledBack | undefined;
  /** Why the rack could not be read. */
  problem?: string;
}

/** `skolo push status`: versions and last push of racks. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists the versions on each rack, the last push, any push in progress, and interrupted pushes from this workstation.',
    )
    .summary('show versions and the last push of racks')
    .addOption(racksOption())
    .option('--json', 'print JSON')
    .uses('clusters')
    .example('skolo push status');

  command.interruptible(async (signal, { racks, json }: Options) => {
    const { io } = command;
    const fleet = await loadFleet(command);
    const open = await openerToRead(io);
    const ask = async (rack: FleetRack, deadline: AbortSignal, onNextWay: OnNextWay) => {
      await using opened = closing(await open(rack, deadline, onNextWay));
      const { kubectl } = opened;
      const [lease, running] = await Promise.all([
        readLease(kubectl, deadline),
        readRunning(stoppable({ name: rack.name, kubectl }, deadline)),
      ]);
      return { ...lease, running };
    };
    const names = namedRacks(fleet, racks);
    const asked = fleet.racks.filter(({ name }) => names.includes(name));
    const all = (await askEachRack(asked, ask, { signal })).map(statusOf);
    if (json) printJson(io, all);
    else {
      show(command, all);
      for (const { request, racks: open } of await unfinished(ownRecords(io))) {
        const names = open.filter((each) => !hasEnded(each)).map(({ rack }) => rack);
        io.err(`push ${request.id} is unfinished on ${names.join(', ')}; run skolo push resume`);
      }
    }
    if (all.some(({ problem }) => problem)) io.exitCode = exitCodes.failed;
  });
}

function statusOf({ rack, answer, error }: RackAnswer<Omit<RackStatus, 'rack'>>): RackStatus {
  return { rack: rack.name, running: [], ...answer, ...(error && { problem: errorText(error) }) };
}

function show({ io }: SkoloCommand, all: readonly RackStatus[]): void {
  printTable(
    io,
    [
      { title: 'RACK', cell: ({ rack }) => rack },
      { title: 'VERSIONS', cell: ({ running }) => versionTexts(running), shrinkTo: 30 },
      { title: 'PUSHED', cell: ({ last }) => last && relative(last.at, io.now()) },
      { title: 'BY', cell: ({ last }) => last?.by.replace(/ <.*/, ''), leaveOut: 1 },
      {
        title: 'NOW',
        cell: ({ holder, problem, rolledBack }) =>
          problem ?? (holder || (rolledBack && `push ${rolledBack.push} was rolled back`)),
        style: ({ problem }) => (problem ? 'red' : 'yellow'),
      },
    ],
    all,
  );
}

/** Versions of our services; services with the same version share a text. */
function versionTexts(running: readonly Running[]): string[] {
  const ours = running.filter(({ image }) => /\/skolo\//.test(image));
  const byTag = Map.groupBy(ours, ({ image }) => /:([\w.-]+)(?:@|$)/.exec(image)?.[1] ?? image);
  if (byTag.size === 1) return [...byTag.keys()];
  return [...byTag].map(([tag, all]) => `${all.map(({ name }) => name).join(' ')} ${tag}`);
}
