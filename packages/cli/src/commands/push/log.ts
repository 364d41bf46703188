import { openRepository, pushesInGit } from '@skolo/fleet/push';
import { limitOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { printJson } from '../../io.ts';
import { printTable } from '../../output/table.ts';
import { timestamp } from '../../output/time.ts';
import { loadFleet } from '../../reach/racks.ts';
import { namedRacks, ownRecords, racksOption } from './open-push.ts';

interface Options {
  racks?: string[];
  limit: number;
  json?: true;
}

interface Entry {
  at: string;
  rack: string;
  state: string;
  by: string;
  what: string;
  why: string;
}

/** `skolo push log`: lists everybody's pushes. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Lists pushes, newest first. For pushes from this workstation, the list includes failed ones and the reason. Other users' pushes are read from git, which records only pushes that changed versions.",
    )
    .summary('list past pushes')
    .addOption(racksOption())
    .addOption(limitOption())
    .option('--json', 'print JSON')
    .uses('clusters')
    .example('skolo push log --racks rack4');

  command.interruptible(async (signal, { racks, limit, json }: Options) => {
    const { io } = command;
    const fleet = await loadFleet(command);
    const names = new Set(namedRacks(fleet, racks));
    const repository = await openRepository(fleet.file, signal, { mayBeDirty: true });
    const inGit = await pushesInGit(repository, 10 * limit, signal);
    const known = new Set(inGit.map(({ id, rack }) => `${id} ${rack}`));
    const own = (await ownRecords(io).all()).flatMap(({ request, racks: all }) =>
      all
        .filter(({ rack }) => !known.has(`${request.id} ${rack}`))
        .map(({ rack, state, why, at }): Entry => {
          const { by, services, version = '' } = request;
          const what = `${services.join(', ')} ${version}`.trim() || 'the overlay';
          return { at, rack, state, by, what, why: why ?? request.why };
        }),
    );
    const entries = [
      ...inGit.map(({ at, rack, by, versions, why }) => {
        return { at, rack, state: 'done', by, what: versions, why };
      }),
      ...own,
    ]
      .filter(({ rack }) => names.has(rack))
      .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
      .slice(0, limit);
    if (json) return printJson(io, entries);
    printTable(
      io,
      [
        { title: 'TIME', cell: ({ at }) => timestamp(at) },
        { title: 'RACK', cell: ({ rack }) => rack },
        {
          title: 'STATE',
          cell: ({ state }) => state,
          style: ({ state }) => (state === 'done' ? 'green' : 'red'),
        },
        { title: 'BY', cell: ({ by }) => by.replace(/ <.*/, ''), leaveOut: 1 },
        { title: 'WHAT', cell: ({ what }) => what, shrinkTo: 20 },
        { title: 'WHY', cell: ({ why }) => why, shrinkTo: 20 },
      ],
      entries,
    );
    return undefined;
  });
}
