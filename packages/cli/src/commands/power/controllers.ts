import type { ControllerStatus } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { printJson } from '../../output/json.ts';
import type { Style } from '../../output/style.ts';
import { type Column, printTable } from '../../output/table.ts';
import { count, plain } from '../../output/text.ts';
import { duration, relative } from '../../output/time.ts';

/** `skolo power controllers`: whether switches, PDUs and hubs answer. */
export function addPowerControllers(noun: SkoloCommand, io: Io): void {
  const command = noun
    .command('controllers')
    .description(
      'Switches, PDUs and hubs that turn power on and off: whether they answer, since when and why not, and how many operations they have to do. `failing`: an outlet of it does not come on again, so nothing else on it is turned off. `skolo power cycle --force` tries one more machine on it. One that is down delays only the machines on it. The driver of an experimental one has met nothing but our own simulator.',
    )
    .summary('whether switches and PDUs answer')
    .option('--json', 'print JSON')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo power controllers --rack racks/rack4/rack.yaml');

  command.action(async ({ json }: { json?: true }) => {
    const { powerCycleDaemon } = await import('./daemon.ts');
    const { byNumber } = await import('../../names.ts');
    const daemon = await powerCycleDaemon(command);
    const { controllers } = await daemon.ask((client) => client.controllers());
    const sorted = controllers.toSorted((a, b) => byNumber(a.name, b.name));
    if (json) printJson(io, { controllers: sorted });
    else print(io, sorted);
  });
}

/** The reasons are below the table, in full: they are what one came for. Hubs that nobody has asked would only hide it. */
function print(io: Io, controllers: readonly ControllerStatus[]) {
  const isAsked = ({ model, state, queue }: ControllerStatus) =>
    model !== 'usb-hub' || state !== 'unknown' || queue > 0;
  const asked = controllers.filter(isAsked);
  printTable(io, columns(io.now()), asked);
  const others = controllers.length - asked.length;
  if (others > 0) io.out(`\nand ${count(others, 'USB hub')} that nobody has asked yet`);
  const reasons = controllers.flatMap(({ name, state, detail }) =>
    state === 'up' || detail === undefined ? [] : [`${name}: ${plain(detail)}`],
  );
  if (reasons.length > 0) io.out(['', ...reasons].join('\n'));
}

const styles: Record<ControllerStatus['state'], Style | undefined> = {
  up: undefined,
  down: 'red',
  failing: 'red',
  unknown: 'yellow',
};

function columns(now: number): Column<ControllerStatus>[] {
  const age = (time: string | undefined) =>
    time === undefined ? undefined : duration((now - Date.parse(time)) / 1000);
  return [
    { title: 'NAME', cell: ({ name }) => name, shrinkTo: 12 },
    { title: 'MODEL', cell: ({ model }) => model, shrinkTo: 8, leaveOut: 2 },
    { title: 'STATE', cell: ({ state }) => state, style: ({ state }) => styles[state] },
    { title: 'FOR', cell: ({ since }) => age(since) },
    {
      title: 'CONTACT',
      cell: ({ lastContact }) =>
        lastContact === undefined ? 'never' : relative(Date.parse(lastContact), now),
      leaveOut: 1,
    },
    { title: 'QUEUE', cell: ({ queue }) => String(queue), align: 'right' },
    {
      title: 'DRIVER',
      cell: ({ experimental }) => (experimental ? 'experimental' : 'proven'),
      style: ({ experimental }) => (experimental ? 'yellow' : undefined),
      leaveOut: 3,
    },
  ];
}
