import type { ControllerStatus } from '@skolo/api';
import { levelText } from '@skolo/api/level-text';
import { count } from '@skolo/base';
import { byNumber } from '../../names.ts';
import { list } from '../../output/list.ts';
import { age, lastSeen } from '../../output/time.ts';
import { powerCycleDaemon } from '../../reach/service-client.ts';

/** Most urgent first. */
const states: ControllerStatus['state'][] = ['failing', 'down', 'unknown', 'up'];

const styles = { up: undefined, down: 'red', failing: 'red', unknown: 'yellow' } as const;

/** `skolo power controllers`: shows whether switches, PDUs and hubs respond. */
export const define = list<ControllerStatus>({
  description:
    'Lists the switches, PDUs and hubs that control power, and shows whether each is responding and how many operations are queued. Controllers with problems come first. A controller is `failing` while it cannot turn on one of its outlets again; the service then does not turn off its other outlets, unless you use `skolo power cycle --force`. LEVEL shows how thoroughly the model has been verified on real hardware. If the terminal is too small, controllers that are up share one line; list them with --state up.',
  summary: 'show whether switches and PDUs are responding',
  example: 'skolo power controllers --rack racks/rack4/rack.yaml',
  filters: [
    {
      name: 'state',
      description: 'show only controllers in these states',
      values: states,
      of: ({ state }) => state,
    },
    {
      name: 'model',
      description: 'show only controllers of these models',
      of: ({ model }) => model,
    },
  ],
  async find({ command }) {
    const { controllers } = await powerCycleDaemon(command).ask((client) => client.controllers());
    return { rows: controllers.toSorted((a, b) => byNumber(a.name, b.name)) };
  },
  noun: 'controller',
  verdict: ({ state }) => state,
  verdicts: states,
  isFoldable: ({ state, queue }) => state === 'up' && queue === 0,
  // Hubs that were never read would only hide the others.
  isHidden: ({ model, state, queue }) => model === 'usb-hub' && state === 'unknown' && queue === 0,
  more: (_, hidden) => (hidden > 0 ? `; ${count(hidden, 'USB hub')} not queried yet` : ''),
  remarks: ({ name, state, detail: text }) =>
    state === 'up' || text === undefined ? [] : [{ name, text }],
  columns: [
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
  ],
});
