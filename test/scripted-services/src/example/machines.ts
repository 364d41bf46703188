/** What the machine-state of the tests knows. Times are some half minutes away from where the words for them change. */
import type { AgentStatus, HistoryEntry, Machine, RackView, SickMachine } from '@skolo/api';
import { ago } from '../ago.ts';
import type { MachineWorld } from '../worlds.ts';
import { agentStatuses } from './agents.ts';

const minutes = 60;
const hours = 3600;
const shelf1 = ['rpi-001', 'rpi-002', 'rpi-003'];

function rackView(): RackView {
  return {
    rack: 'rack7',
    timezone: 'UTC',
    shelves: [],
    elements: [],
    causes: [
      {
        what: 'switch-1',
        since: ago(12.5 * minutes),
        machines: ['rpi-005'],
        text: 'switch-1 is down (no answer): all 3 machines behind switch-1 are silent',
      },
    ],
    services: [],
    rackFile: { loadedAt: ago(3 * hours), warnings: [], problems: [], changes: [] },
    alerts: [],
  };
}

function machines(): Machine[] {
  const [one, two, three, four, linux] = agentStatuses();
  const text = 'device: missing: adb does not see it';
  return [
    machine('rpi-001', one, { sentence: 'runs task 67e8a4c01f2b3d10' }),
    machine('rpi-002', two, {
      sentence: text,
      needsPerson: text,
      alerts: [{ name: 'MachineQuarantined', severity: 'warning', since: ago(2.5 * hours) }],
    }),
    machine('rpi-003', three, { sentence: 'device: battery low: 12 %, good at 40 %' }),
    machine('rpi-004', four, { sentence: 'waits for a task' }),
    machine('rpi-005', undefined, {
      condition: 'gone',
      since: ago(20.5 * minutes),
      lastSeen: ago(30.5 * minutes),
      sentence: 'switch-1 does not answer; 1 machine is behind it',
      cause: 'switch-1',
      flapping: { changes: 8, since: ago(50.5 * minutes) },
    }),
    machine('linux-1', linux, {
      condition: 'never-reported',
      sentence: 'its agent has never answered: \u001b[2Jconnection refused',
      needsPerson: 'install it, or remove it from rack.yaml',
      power: undefined,
      token: undefined,
    }),
  ];
}

function machine(
  name: string,
  status: AgentStatus | undefined,
  { power, token, ...differently }: Partial<Machine>,
): Machine {
  const { health, task, bot, devices = [], repairs = [] } = status ?? {};
  const outlet = `switch-1/${name.slice(-1)}`;
  return {
    name,
    kind: name.startsWith('rpi') ? 'rpi' : 'host',
    shelf: shelf1.includes(name) ? 'shelf1' : 'shelf2',
    pools: ['phones'],
    condition: health?.verdict ?? 'gone',
    sentence: '',
    ...(health && { since: health.since, health, lastSeen: ago(2.5 * minutes) }),
    ...(task?.running && { task: { id: task.id, since: task.since } }),
    ...(bot && { bot }),
    devices,
    repairs,
    orders: [],
    wiring: { power: [outlet], uplink: outlet },
    ...(name !== 'linux-1' && {
      power: power ?? { outlets: [{ outlet, state: 'on' }] },
      token: token ?? { identity: 'bots', lastAsked: ago(9.5 * minutes) },
    }),
    alerts: [],
    ...differently,
  };
}

/** The newest first. */
function machineHistory(name: string): HistoryEntry[] {
  if (name !== 'rpi-002') return [];
  const of = { machine: name };
  const by = 'ann';
  return [
    { ...of, kind: 'note', at: ago(1.5 * hours), by, text: 'cable looks \u001b[31mburnt' },
    {
      ...of,
      kind: 'alert',
      at: ago(2.5 * hours),
      name: 'MachineQuarantined',
      severity: 'warning',
    },
    {
      ...of,
      kind: 'repair',
      at: ago(2.5 * hours),
      device: 'device',
      step: 'usb-cycle',
      outcome: 'done',
      text: 'port 1-1.2 reported off for 5 s',
    },
    {
      ...of,
      kind: 'cycle',
      at: ago(3 * hours),
      endedAt: ago(3 * hours - 75),
      id: 'c1',
      action: 'cycle',
      by,
      reason: 'offline',
      outcome: 'back',
    },
    {
      ...of,
      kind: 'condition',
      at: ago(3.5 * hours),
      device: 'device',
      condition: 'quarantined',
      text: 'missing: adb does not see it',
      codes: ['missing'],
    },
    {
      ...of,
      kind: 'order',
      at: ago(20 * hours),
      endedAt: ago(18 * hours),
      endedBy: 'bob',
      id: 'o1',
      order: 'maintenance',
      by,
      reason: 'new hub',
    },
    {
      ...of,
      kind: 'task',
      at: ago(22 * hours),
      endedAt: ago(21 * hours),
      id: '67e8a4c01f2b3d10',
      outcome: 'ended',
    },
    { ...of, kind: 'boot', at: ago(23 * hours), bootId: 'b' },
  ];
}

const sickMachines: SickMachine[] = [
  {
    name: 'rpi-002',
    times: 12,
    seconds: 8.5 * hours,
    codes: [
      { code: 'missing', times: 9 },
      { code: 'battery-low', times: 3 },
    ],
  },
  {
    name: 'rpi-003',
    times: 1,
    seconds: 40.5 * minutes,
    codes: [{ code: 'battery-low', times: 1 }],
  },
];

export const exampleMachines: MachineWorld = {
  machines,
  rack: rackView,
  history: ({ name }) => machineHistory(name),
  sick: () => sickMachines,
  isAway: (machine) => machine === 'rpi-005',
};
