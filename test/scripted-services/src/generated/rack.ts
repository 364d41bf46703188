/** A plausible rack of any size, as machine-state shows it; deterministic. */

import type { DeviceStatus, Machine, MachineCondition, RackEquipment, RackView } from '@skolo/api';
import { equipmentCause } from '@skolo/api/cause';
import { words } from '@skolo/api/words';
import { seeded } from '@skolo/base/durable/fault-injection';
import { ago } from '../ago.ts';
import { incidentId } from '../example/incident.ts';

export interface GeneratedRack {
  machines: Machine[];
  rack: RackView;
}

const perShelf = 40;
const models = ['Pixel 6', 'Pixel 8', 'Galaxy S22', 'Moto G Power'];

/** The reason, and what a person must do. */
const troubles: readonly {
  condition: MachineCondition;
  code: string;
  text: string;
  person?: string;
}[] = [
  { condition: 'recovering', code: 'battery-low', text: 'battery at 21%, charging to 40%' },
  { condition: 'recovering', code: 'too-hot', text: 'battery at 41 °C, cooling to 36 °C' },
  {
    condition: 'quarantined',
    code: 'device-missing',
    text: 'the phone is missing; three repairs and two power cycles have not restored it',
    person: 'Look at the phone: is it on, and is its cable plugged in?',
  },
  {
    condition: 'quarantined',
    code: 'unauthorized',
    text: 'the phone does not accept the key of adb',
    person: 'Confirm the dialog "Allow USB debugging" on the phone',
  },
  {
    condition: 'gone',
    code: 'silent',
    text: 'no answer of the agent; the port on the switch has no link',
    person: 'Look at the network cable and the SD card',
  },
  { condition: 'stale', code: 'silent', text: 'no answer of the agent' },
];

export function generateRack(count: number): GeneratedRack {
  const chance = seeded(7);
  const names = Array.from({ length: count }, (_, i) => nameOf(i));
  const switches = Math.ceil(count / perShelf);
  const downSwitch = switches > 4 ? `switch-${switches}` : undefined;
  const machines = names.map((name, i) => machineOf(name, i, { chance, downSwitch }));
  const dark = machines.filter(({ cause }) => cause !== undefined).map(({ name }) => name);
  const rack: RackView = {
    rack: 'rack4',
    timezone: 'America/New_York',
    shelves: Array.from({ length: switches }, (_, s) => ({
      name: `shelf${s + 1}`,
      machines: names.slice(s * perShelf, (s + 1) * perShelf),
    })),
    equipment: equipmentOf(names, { switches, downSwitch }),
    causes: [],
    incidents: [],
    services: [
      service('metadata-server'),
      service('router-backup', [
        { what: 'switch-3', why: 'login rejected; check the secret', since: before(95) },
      ]),
      service('power-cycle-daemon'),
      service('alert-to-pubsub'),
      service('machine-state'),
    ],
    rackFile: {
      loadedAt: before(190),
      warnings: ['line 84: skia-rpi2-rack4-shelf2-007 has no internet connection'],
      problems: [],
      changes: ['skia-rpi2-rack4-shelf1-012: power switch-1/12 → switch-1/41'],
    },
    alertPath: {
      state: 'not confirmed',
      text: 'no alert has been received yet; to test alert delivery, run skolo alerts send',
    },
    alerts: [],
  };
  if (downSwitch !== undefined) {
    const text = `${downSwitch} is not responding`;
    const since = before(12);
    rack.incidents.push({ id: incidentId(since, dark[0] ?? ''), since, machines: dark });
    rack.causes.push({
      ...equipmentCause([downSwitch]),
      why: words(text),
      since,
      machines: dark,
    });
    const about = downSwitch;
    const alert = { name: 'SkoloSwitchDown', severity: 'critical', since: before(11), about };
    const firstCommand = `skolo rack show ${downSwitch} --on rack4`;
    rack.alerts.push({ ...alert, summary: `${downSwitch} is down`, firstCommand });
  }
  return { machines, rack };
}

function before(minutes: number): string {
  return ago(minutes * 60);
}

function machineOf(
  name: string,
  i: number,
  { chance, downSwitch }: { chance: () => number; downSwitch: string | undefined },
): Machine {
  const outlet = `switch-${Math.floor(i / perShelf) + 1}/${(i % perShelf) + 1}`;
  const isDark = outlet.startsWith(`${downSwitch}/`);
  const faulty = chance() < 0.07 ? troubles[Math.floor(chance() * troubles.length)] : undefined;
  const kept = !isDark && !faulty && chance() < 0.02;
  const minutes = faulty ? Math.floor(chance() * 600) + 12 : Math.floor(chance() * 9000);
  // One that is silent for more than ten minutes is gone.
  const since = before(isDark ? 12 : faulty?.condition === 'stale' ? 2 + (minutes % 8) : minutes);
  const condition = isDark ? 'gone' : (faulty?.condition ?? (kept ? 'maintenance' : 'ok'));
  const isBusy = condition === 'ok' && chance() < 0.6;
  const isSilent = condition === 'gone' || condition === 'stale';
  const reason = faulty && {
    code: faulty.code,
    text: faulty.text,
    verdict: 'quarantined' as const,
  };
  const by = 'ann@example.com';
  const order = {
    id: `order-${i}`,
    machine: name,
    kind: 'maintenance' as const,
    by,
    reason: 'new battery on its way',
    since,
    deliveredAt: since,
  };
  const alert = {
    name: 'SkoloMachineGone',
    severity: 'warning',
    since,
    firstCommand: `skolo machine list --agents ${name} --on rack4`,
  };
  return {
    name,
    kind: 'rpi',
    shelf: `shelf${Math.floor(i / perShelf) + 1}`,
    address: `192.168.${1 + Math.floor(i / 200)}.${(i % 200) + 20}`,
    mac: `dc:a6:32:${hex(i >> 8)}:${hex(i & 255)}:01`,
    pools: [i % 3 === 0 ? 'gpu' : 'phones'],
    condition,
    since,
    sentence: sentenceOf(condition, isDark ? `${downSwitch} is down` : faulty?.text, isBusy),
    ...(!isDark && faulty?.person && { needsAttention: faulty.person }),
    ...(isDark && downSwitch && { cause: equipmentCause([downSwitch]) }),
    ...(faulty && chance() < 0.15 && { flapping: { changes: 7, since: before(48) } }),
    lastSeen: isSilent ? since : before(0.1),
    health: {
      verdict: isSilent || condition === 'ok' ? 'ok' : verdictOf(condition),
      since,
      reasons: reason ? [{ ...reason, since, device: 'device' }] : [],
    },
    ...(isBusy && { task: { id: `68f${hex(i)}a41${hex(i * 7)}10`, since: before(chance() * 45) } }),
    bot: botOf(isSilent),
    devices: [phoneOf(i, { isMissing: faulty?.code === 'device-missing', since, chance })],
    repairs: [],
    bootId: `boot-${i}`,
    host: { celsius: Math.round(420 + chance() * 140) / 10, diskFreeBytes: 11_000_000_000 },
    versions: { agent: '1.4.0', node: '22.14.0' },
    orders: kept ? [order] : [],
    wiring: { uplink: outlet, power: [outlet] },
    power: { outlets: [{ outlet, state: isDark ? 'unknown' : 'on' }] },
    token: { identity: 'bots', lastAsked: isSilent ? since : before(chance() * 20) },
    alerts:
      condition === 'gone' && !isDark ? [{ ...alert, summary: `${name} is not responding` }] : [],
  };
}

function botOf(isSilent: boolean): Machine['bot'] {
  return {
    state: isSilent ? 'silent' : 'running',
    since: before(4000),
    healthy: !isSilent,
    starts: 3,
    server: 'https://swarming.example.com',
  };
}

function phoneOf(
  i: number,
  { isMissing, since, chance }: { isMissing: boolean; since: string; chance: () => number },
): DeviceStatus {
  return {
    name: 'device',
    kind: 'android',
    state: isMissing ? 'missing' : 'present',
    since,
    readAt: before(0.2),
    serial: `3A${(i * 7919 + 100_003).toString(36).toUpperCase()}`,
    dimensions: {
      device_type: [models[i % models.length] ?? ''],
      device_os: ['AP2A.240805'],
    },
    batteryPercent: Math.round(55 + chance() * 45),
    temperaturesCelsius: { battery: Math.round(280 + chance() * 80) / 10 },
    repairSteps: ['adb-reconnect', 'adb-restart', 'device-reboot', 'usb-cycle', 'power-cycle'],
  };
}

/** A router, a switch for each shelf, and a PDU that powers them. */
function equipmentOf(
  names: readonly string[],
  { switches, downSwitch }: { switches: number; downSwitch: string | undefined },
): RackEquipment[] {
  const own = Array.from({ length: switches }, (_, s) => {
    const name = `switch-${s + 1}`;
    const isDown = name === downSwitch;
    const ports = Array.from({ length: 48 }, (_, p) => {
      const machine = p < perShelf ? names[s * perShelf + p] : undefined;
      const of = machine === undefined ? [] : [machine];
      const state = isDown ? ('unknown' as const) : ('on' as const);
      return { port: `${p + 1}`, powers: of, connects: of, ...(machine && { state }) };
    });
    const why = 'no response to ssh and ping';
    const power = [`pdu-1/${s + 2}`];
    const backup = { state: 'failed' as const, why: 'no connection: timeout' };
    const state = isDown ? { state: 'down' as const, why, since: before(12), backup } : {};
    return { ...pieceOf(name, 'edgeswitch', ports), power, ...state };
  });
  const outlets = Array.from({ length: 16 }, (_, p) => ({
    port: `${p + 1}`,
    powers: p === 0 ? ['router'] : p <= switches ? [`switch-${p}`] : [],
    connects: [],
    ...(p <= switches && { state: 'on' as const }),
  }));
  const eth1 = { port: 'eth1', powers: [], connects: ['switch-1'] };
  return [pieceOf('router', 'edgeos', [eth1]), ...own, pieceOf('pdu-1', 'apc-rpdu2', outlets)];
}

function pieceOf(name: string, model: string, ports: RackEquipment['ports']): RackEquipment {
  const address = `192.168.1.${name.length + ports.length}`;
  const backup = { state: 'ok' as const };
  const lastBackup = before(310);
  return { name, model, address, power: [], state: 'up', lastBackup, backup, ports };
}

function nameOf(i: number): string {
  const number = String((i % perShelf) + 1).padStart(3, '0');
  return `skia-rpi2-rack4-shelf${Math.floor(i / perShelf) + 1}-${number}`;
}

function service(name: string, degraded: { what: string; why: string; since: string }[] = []) {
  const state = degraded.length > 0 ? ('degraded' as const) : ('ready' as const);
  return { name, state, reachable: true, ready: true, version: '0.1.0', degraded };
}

function verdictOf(condition: MachineCondition) {
  return condition === 'recovering' || condition === 'maintenance' ? condition : 'quarantined';
}

function sentenceOf(condition: MachineCondition, text: string | undefined, isBusy: boolean) {
  if (text) return `${text[0]?.toUpperCase()}${text.slice(1)}.`;
  if (condition === 'maintenance') return 'ann@example.com: new battery on its way.';
  return isBusy ? 'It runs a task.' : 'It waits for a task.';
}

function hex(value: number): string {
  return (value & 255).toString(16).padStart(2, '0');
}
