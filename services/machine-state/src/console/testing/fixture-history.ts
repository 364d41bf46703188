/** History and curves of any machine of the fixture. */
import type { HistoryEntry, Machine, machineStateApi } from '@skolo/api';
import type { RouteHandlers } from '@skolo/common';
import { seeded } from '@skolo/durable/campaign';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export function fixtureHistory(
  find: (name: string) => Machine,
): Pick<RouteHandlers<typeof machineStateApi>, 'history' | 'curves'> {
  return {
    history({ params, query }) {
      const machine = find(params.name);
      const to = Date.parse(query.to ?? new Date().toISOString());
      const from = query.from ? Date.parse(query.from) : to - dayMs;
      return { status: 200, body: { entries: entriesOf(machine, from, to), truncated: false } };
    },
    curves({ params, query }) {
      find(params.name);
      const to = Date.parse(query.to ?? new Date().toISOString());
      const from = query.from ? Date.parse(query.from) : to - dayMs;
      const count = 240;
      const chance = seeded(11);
      const points = (value: (part: number) => number) =>
        Array.from({ length: count }, (_, i): [number, number] => [
          Math.round((from + ((to - from) * i) / count) / 1000),
          Math.round(value(i / count) * 10) / 10,
        ]);
      const battery = points((part) => Math.round(72 + 24 * Math.cos(part * 14)));
      const heat = points((part) => 31 + 4 * Math.sin(part * 14) + chance());
      return {
        status: 200,
        body: {
          curves: [
            { device: 'device', quantity: 'battery', unit: 'percent', points: battery },
            { device: 'device', quantity: 'dumpsys_battery', unit: 'celsius', points: heat },
          ],
        },
      };
    },
  };
}

function entriesOf(machine: Machine, from: number, to: number): HistoryEntry[] {
  const { name } = machine;
  const chance = seeded(5);
  const at = (hoursAgo: number) => new Date(Math.max(from, to - hoursAgo * hourMs)).toISOString();
  const entries: HistoryEntry[] = [];
  for (let time = from; time < to - hourMs / 4; time += (0.4 + chance()) * hourMs) {
    const endedAt = new Date(time + (0.1 + chance() * 0.3) * hourMs).toISOString();
    const id = `68f${Math.floor(chance() * 1e9).toString(16)}10`;
    entries.push({
      kind: 'task',
      at: new Date(time).toISOString(),
      machine: name,
      id,
      endedAt,
      outcome: 'ended',
    });
  }
  entries.push(
    {
      kind: 'condition',
      at: at(24),
      machine: name,
      condition: 'ok',
      text: 'waits for a task',
      codes: [],
    },
    {
      kind: 'condition',
      at: at(15),
      machine: name,
      condition: 'recovering',
      text: 'battery at 24 %, charging to 40 %',
      codes: ['battery-low'],
    },
    {
      kind: 'condition',
      at: at(13.5),
      machine: name,
      condition: 'ok',
      text: 'battery at 41 %',
      codes: [],
    },
    {
      kind: 'condition',
      at: at(6),
      machine: name,
      condition: 'quarantined',
      text: 'the phone is missing',
      codes: ['device-missing'],
    },
    {
      kind: 'repair',
      at: at(5.9),
      machine: name,
      device: 'device',
      step: 'adb-reconnect',
      outcome: 'failed',
    },
    {
      kind: 'repair',
      at: at(5.5),
      machine: name,
      device: 'device',
      step: 'usb-cycle',
      outcome: 'done',
    },
    {
      kind: 'cycle',
      at: at(5.2),
      machine: name,
      id: '87e70961',
      action: 'cycle',
      by: 'repair',
      reason: 'the phone is missing',
      endedAt: at(5),
      outcome: 'back',
    },
    { kind: 'boot', at: at(5.05), machine: name, bootId: 'b2' },
    {
      kind: 'alert',
      at: at(5.7),
      machine: name,
      name: 'SkoloDeviceMissing',
      severity: 'warning',
      endedAt: at(4.9),
    },
    {
      kind: 'condition',
      at: at(4.9),
      machine: name,
      condition: machine.condition,
      text: machine.sentence,
      codes: [],
    },
    {
      kind: 'note',
      at: at(3),
      machine: name,
      by: 'ann@example.com',
      text: 'cable replaced; watch it',
    },
  );
  return entries.sort((a, b) => b.at.localeCompare(a.at));
}
