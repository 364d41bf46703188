/** History and curves of any machine of the fixture. */

import type { Curve, HistoryEntry, Machine } from '@skolo/api';
import { seeded } from '@skolo/base/durable/fault-injection';

const hourMs = 3_600_000;

interface Span {
  from: number;
  to: number;
}

/** Battery and temperature of any machine. */
export function generatedCurves({ from, to }: Span): Curve[] {
  const count = 240;
  const chance = seeded(11);
  const points = (value: (part: number) => number) =>
    Array.from({ length: count }, (_, i): [number, number] => [
      Math.round((from + ((to - from) * i) / count) / 1000),
      Math.round(value(i / count) * 10) / 10,
    ]);
  const battery = points((part) => Math.round(72 + 24 * Math.cos(part * 14)));
  const heat = points((part) => 31 + 4 * Math.sin(part * 14) + chance());
  return [
    { device: 'device', quantity: 'battery', unit: 'percent', points: battery },
    { device: 'device', quantity: 'dumpsys_battery', unit: 'celsius', points: heat },
  ];
}

/** Newest first. */
export function generatedHistory(machine: Machine, { from, to }: Span): HistoryEntry[] {
  const of = { machine: machine.name };
  const chance = seeded(5);
  const at = (hoursAgo: number) => new Date(Math.max(from, to - hoursAgo * hourMs)).toISOString();
  const entries: HistoryEntry[] = [];
  for (let time = from; time < to - hourMs / 4; time += (0.4 + chance()) * hourMs) {
    const endedAt = new Date(time + (0.1 + chance() * 0.3) * hourMs).toISOString();
    const id = `68f${Math.floor(chance() * 1e9).toString(16)}10`;
    const begun = new Date(time).toISOString();
    entries.push({ ...of, kind: 'task', at: begun, id, endedAt, outcome: 'ended' });
  }
  const conditions = [
    [24, 'ok', 'waiting for a task'],
    [15, 'recovering', 'battery at 24%, charging to 40%', 'battery-low'],
    [13.5, 'ok', 'battery at 41%'],
    [6, 'quarantined', 'the phone is missing', 'device-missing'],
    [4.9, machine.condition, machine.sentence],
  ] as const;
  for (const [hours, condition, text, ...codes] of conditions) {
    entries.push({ ...of, kind: 'condition', at: at(hours), condition, text, codes });
  }
  const repair = { ...of, kind: 'repair' as const, device: 'device' };
  entries.push(
    { ...repair, at: at(5.9), step: 'adb-reconnect', outcome: 'failed' },
    { ...repair, at: at(5.5), step: 'usb-cycle', outcome: 'done' },
    {
      ...of,
      kind: 'cycle',
      at: at(5.2),
      id: '87e70961',
      action: 'cycle',
      by: 'repair',
      reason: 'the phone is missing',
      endedAt: at(5),
      outcome: 'back',
    },
    { ...of, kind: 'boot', at: at(5.05), bootId: 'b2' },
    {
      ...of,
      kind: 'alert',
      at: at(5.7),
      name: 'SkoloDeviceMissing',
      severity: 'warning',
      endedAt: at(4.9),
    },
    { ...of, kind: 'note', at: at(3), by: 'ann@example.com', text: 'cable replaced; watch it' },
  );
  return entries.sort((a, b) => b.at.localeCompare(a.at));
}
