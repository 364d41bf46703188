import type { ControllerStatus } from '@skolo/api';
import { levelText } from '@skolo/api/level-text';
import { count } from '@skolo/base';
import type { SkoloCommand } from '../../command.ts';
import {
  addFilters,
  type Filter,
  type FilterOptions,
  isFiltered,
  selected,
} from '../../filters.ts';
import { type Io, printJson } from '../../io.ts';
import { byNumber } from '../../names.ts';
import { headline, printOverview } from '../../output/overview.ts';
import type { Column } from '../../output/table.ts';
import type { Style } from '../../output/text.ts';
import { age, lastSeen } from '../../output/time.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';

interface Options extends FilterOptions {
  json?: true;
}

/** Most urgent first. */
const states: ControllerStatus['state'][] = ['failing', 'down', 'unknown', 'up'];

const filters: Filter<ControllerStatus>[] = [
  {
    name: 'state',
    description: 'show only controllers in these states',
    values: states,
    of: ({ state }) => state,
  },
  { name: 'model', description: 'show only controllers of these models', of: ({ model }) => model },
];

/** `skolo power controllers`: shows whether switches, PDUs and hubs respond. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Lists the switches, PDUs and hubs that control power, and shows whether each is responding and how many operations are queued. Controllers with problems come first. A controller is `failing` while it cannot turn on one of its outlets again; the service then does not turn off its other outlets, unless you use `skolo power cycle --force`. LEVEL shows how thoroughly the model has been verified on real hardware. If the terminal is too small, controllers that are up share one line; list them with --state up.',
    )
    .summary('show whether switches and PDUs are responding');
  addFilters(command, filters);
  command
    .option('--json', 'print JSON')
    .example('skolo power controllers --rack racks/rack4/rack.yaml');

  command.action(async (options: Options) => {
    const { controllers } = await powerCycleDaemon(command).ask((client) => client.controllers());
    const sorted = controllers.toSorted((a, b) => byNumber(a.name, b.name));
    const shown = selected(command.io, sorted, filters, options);
    if (options.json) return printJson(command.io, { controllers: shown });
    return print(command.io, shown, sorted.length, isFiltered(filters, options));
  });
}

/** Hubs that were never read would only hide the others. A filter shows them. */
function print(
  io: Io,
  controllers: readonly ControllerStatus[],
  all: number,
  isSelection: boolean,
) {
  const isAsked = ({ model, state, queue }: ControllerStatus) =>
    isSelection || model !== 'usb-hub' || state !== 'unknown' || queue > 0;
  const rank = ({ state }: ControllerStatus) => states.indexOf(state);
  const rows = controllers.filter(isAsked).sort((a, b) => rank(a) - rank(b));
  const others = controllers.length - rows.length;
  const more = others > 0 ? `; ${count(others, 'USB hub')} not queried yet` : '';
  const verdict = ({ state }: ControllerStatus) => state;
  const totals = { rows, all: all - others, noun: 'controller', verdict, order: states, more };
  printOverview(io, {
    head: [headline(totals)],
    rows,
    columns,
    remarks: rows.flatMap(({ name, state, detail }) =>
      state === 'up' || detail === undefined ? [] : [{ name, text: detail }],
    ),
    verdict,
    isFoldable: ({ state, queue }) => state === 'up' && queue === 0,
    isSelection,
  });
}

const styles: Record<ControllerStatus['state'], Style | undefined> = {
  up: undefined,
  down: 'red',
  failing: 'red',
  unknown: 'yellow',
};

const columns: Column<ControllerStatus>[] = [
  { title: 'NAME', cell: ({ name }) => name, shrinkTo: 12 },
  { title: 'MODEL', cell: ({ model }) => model, shrinkTo: 8, leaveOut: 3 },
  { title: 'STATE', cell: ({ state }) => state, style: ({ state }) => styles[state] },
  { title: 'FOR', cell: ({ since }, now) => since && age(since, now) },
  {
    title: 'CONTACT',
    cell: ({ lastContact }, now) => lastSeen(lastContact, now),
    leaveOut: 1,
  },
  { title: 'QUEUE', cell: ({ queue }) => queue },
  { title: 'LEVEL', cell: ({ level }) => levelText(level), leaveOut: 2 },
];
