/** Possible knowledge of an agent, for tests of its answers. */

import { anyCharacter } from '@skolo/base/durable/any-character';
import { AuditLog, ConnectionLimits, DegradedList, systemClock } from '@skolo/common/light';
import { type MachinePart, machinePartOf, parseRack } from '@skolo/rack';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import type { DeviceView } from '../../devices/device.ts';
import { verdicts } from '../../health/health.ts';
import { errorLog } from '../../testing/error-log.ts';
import { createHookServer } from '../hook-server.ts';
import type { AgentView } from '../state.ts';

const since = new Date('2026-01-02T03:04:05Z');

/** `entry` is the machine's entry in rack.yaml; as text, a flow map. */
export function machinePartWith(entry = '{ kind: rpi, identity: bots }'): MachinePart {
  const rack = parseRack(
    `rack: rack4
jumphost: { name: jumphost, address: 192.168.1.8 }
identities: { bots: { project: p, credentials: { fixed: secrets/token } } }
machines: { rpi-1: ${entry} }
`,
    { file: '/etc/skolo/rack.yaml' },
  );
  const machine = rack.machines.get('rpi-1');
  if (machine === undefined) throw new Error('no rpi-1');
  return machinePartOf(rack, machine);
}

export function viewWith(more: Partial<AgentView> = {}): AgentView {
  return {
    machine: 'rpi-1',
    machinePart: machinePartWith(),
    devices: [],
    host: { os: ['Linux', 'Debian-13'], cores: ['4'] },
    health: { verdict: 'ok', since, reasons: [] },
    version: '1.2.3',
    ...more,
  };
}

export function phone(more: Partial<DeviceView> = {}): DeviceView {
  return {
    name: 'device',
    fullName: 'rpi-1-device',
    kind: 'android',
    state: 'present',
    since,
    readAt: since,
    reading: {
      dimensions: { os: ['Android'], android_devices: ['1'], device_type: ['walleye'] },
      serial: 'R58M1',
      batteryPercent: 83,
      temperatures: { battery: 24.5, cpu0: 31 },
      thermalStatus: 0,
      uptimeSeconds: 3600,
    },
    ...more,
  };
}

export function reason(
  verdict: AgentView['health']['reasons'][number]['verdict'],
  text: string,
  device?: string,
  code: AgentView['health']['reasons'][number]['code'] = 'missing',
): AgentView['health']['reasons'][number] {
  return { verdict, code, text, since, ...(device !== undefined && { device }) };
}

/** Everything that a phone could report. */
const anyText = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 300 }),
  fc.constantFrom('', ' ', '\u0000', '\u0085', '\ud800', ' a ', 'é'.repeat(200), '😀'.repeat(100)),
  fc.string({ minLength: 250, maxLength: 260, unit: 'grapheme' }),
);
const anyKey = fc.oneof(anyText, fc.stringMatching(/^[a-zA-Z_.-][0-9a-zA-Z_.-]{0,70}$/));
export const anyDimensions = fc.dictionary(anyKey, fc.array(anyText, { maxLength: 4 }), {
  maxKeys: 6,
});

const anyDevice = fc
  .record({
    name: fc.constantFrom('device', 'left', 'right'),
    kind: fc.constantFrom<DeviceView['kind']>('android', 'ios', 'linux', 'none'),
    state: fc.constantFrom<DeviceView['state']>('present', 'missing', 'unknown'),
    dimensions: anyDimensions,
    isRead: fc.boolean(),
  })
  .map(({ name, kind, state, dimensions, isRead }) =>
    phone({
      name,
      kind,
      state,
      ...(isRead ? { reading: { dimensions, temperatures: { a: 1 } } } : {}),
    }),
  );

const anyReason = fc
  .record({ verdict: fc.constantFrom(...verdicts), text: anyText })
  .map(({ verdict, text }) => reason(verdict === 'ok' ? 'recovering' : verdict, text));

const known = machinePartWith();

export const anyView = fc
  .record({
    isKnown: fc.boolean(),
    devices: fc.array(anyDevice, { maxLength: 3 }),
    host: anyDimensions,
    verdict: fc.constantFrom(...verdicts),
    reasons: fc.array(anyReason, { maxLength: 3 }),
    dimensions: anyDimensions,
    zone: fc.option(anyText, { nil: undefined }),
  })
  .map(({ isKnown, devices, host, verdict, reasons, dimensions, zone }) => {
    const machinePart = {
      ...known,
      metadata: { ...known.metadata, ...(zone !== undefined && { zone }) },
      swarming: { ...known.swarming, dimensions },
    };
    return viewWith({
      machinePart: isKnown ? machinePart : undefined,
      devices,
      host,
      health: { verdict, since, reasons },
    });
  });

/** Hooks whose calls and tasks are noted in the order in which they come. */
export function recordedHooks(view: () => AgentView = viewWith) {
  const calls: string[] = [];
  const errors: string[] = [];
  const create = () =>
    createHookServer({
      ...serverParts(errorLog((line) => errors.push(line))),
      emit: (event) => event.type === 'hook' && calls.push(`${event.hook} ${event.ok}`),
      work: {
        view,
        task: {
          start: (id) => calls.push(`before ${id}`),
          end: (outcome) => calls.push(`after, ${outcome}`),
        },
        jobs: {
          start: (job) => calls.push(`job ${JSON.stringify(job)}`),
          end: (job, outcome) => calls.push(`job ${JSON.stringify(job)}, ${outcome}`),
        },
      },
    });
  return { calls, errors, create };
}

/** What a hook server needs besides its hooks, which are not in the audit log. */
function serverParts(log: ReturnType<typeof errorLog>) {
  const degraded = new DegradedList({ clock: systemClock, log });
  const metrics = new Registry();
  const audit = new AuditLog('/nonexistent', { clock: systemClock, degraded, metrics });
  const access = {
    admit() {
      throw new Error('a hook needs no role');
    },
  };
  const connections = new ConnectionLimits({ ownerOf: () => ({ kind: 'machine', most: 256 }) });
  return { core: { log, metrics, audit, access }, connections };
}
