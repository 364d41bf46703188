/** The state of the example's machine-state. */

import {
  type AgentStatus,
  HistoryEntry,
  type Machine,
  MachineDowntime,
  RackView,
} from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { z } from 'zod';
import { ago } from '../ago.ts';
import type { MachineWorld } from '../machine-state.ts';
import { exampleAgents } from './agents.ts';
import { load } from './load.ts';

const minutes = 60;
const hours = 3600;
const shelf1 = ['rpi-001', 'rpi-002', 'rpi-003'];

const journal = 'skolo run linux-1 -- sudo journalctl -b -u skolo-image-store';

const data = load(
  'machines.yaml',
  z.object({ rack: RackView, history: z.array(HistoryEntry), downtime: z.array(MachineDowntime) }),
);

function machines(): Machine[] {
  const [one, two, three, four] = exampleAgents().statuses;
  const text = 'device: missing: not attached: adb does not list any devices';
  return [
    machine('rpi-001', one, { sentence: 'runs task 67e8a4c01f2b3d10' }),
    machine('rpi-002', two, {
      sentence: text,
      needsAttention: text,
      alerts: [{ name: 'MachineQuarantined', severity: 'warning', since: ago(2.5 * hours) }],
    }),
    machine('rpi-003', three, { sentence: 'device: battery low: 12%, recovers at 40%' }),
    machine('rpi-004', four, { sentence: 'waiting for a task' }),
    machine('rpi-005', undefined, {
      condition: 'gone',
      since: ago(20.5 * minutes),
      lastSeen: ago(30.5 * minutes),
      // Of its last answer.
      devices: one?.devices ?? [],
      taskWhenLastSeen: { id: '67e8a4c01f2b3d11', since: ago(34.5 * minutes) },
      sentence: `${data().rack.causes[0]?.why}`,
      cause: equipmentCause(['switch-2']),
      wiring: { power: ['switch-2/5'], uplink: 'switch-2/5' },
      flapping: { changes: 8, since: ago(50.5 * minutes) },
    }),
    machine('linux-1', undefined, {
      condition: 'never-reported',
      sentence: 'image store damaged; the agent has never responded: \u001b[2Jconnection refused',
      needsAttention: `image store damaged; to find the image, run ${journal}`,
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

export const exampleMachines: MachineWorld = {
  machines,
  rack: () => data().rack,
  history: ({ name }) => data().history.filter(({ machine }) => machine === name),
  downtime: () => data().downtime,
  isAway: (machine) => machine === 'rpi-005',
};
