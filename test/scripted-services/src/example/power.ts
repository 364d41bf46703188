/**
 * What the power-cycle daemon of the tests knows. Times are some half minutes away from where the words for them
 * change, so that a slow computer sees the same.
 */
import type { ControllerStatus, Hold, MachinePower, PowerCycle, Refusal } from '@skolo/api';
import { ago } from '../ago.ts';
import type { PowerWorld } from '../worlds.ts';

const minutes = 60;
const hours = 3600;
const days = 86_400;

const machineNames = ['001', '002', '003', '004'].map(
  (number) => `skia-rpi2-rack4-shelf1-${number}`,
);
const phoneNames = machineNames.map((name) => `${name}-device`);

/** All that may be asked for. */
const knownNames = new Set([
  ...machineNames,
  ...phoneNames,
  'skia-e-linux-01',
  'skia-e-linux-01-left',
  'skia-e-linux-01-right',
  'spare',
  'switch-1',
  'pdu-1',
  'pdu-1/1',
  'rack4',
]);

/** Why it is not done, whoever asks. */
function refusalOf(target: string, force: boolean): Refusal | undefined {
  if (!knownNames.has(target)) {
    const detail = `${target}: rack.yaml knows nothing of that name; did you mean spare?`;
    return { target, code: 'unknown', detail };
  }
  if (target === 'spare') {
    const detail = 'spare: rack.yaml does not say where its power comes from';
    return { target, code: 'no-outlet', detail };
  }
  if (target === 'switch-1' && !force) {
    const detail =
      'switch-1: others lose power or network with it; with force they are taken along';
    return {
      target,
      code: 'others-go-dark',
      detail,
      dark: [...machineNames, ...phoneNames, 'pdu-1'],
    };
  }
  if (target.endsWith('-device')) {
    const detail = `${target}: its power was cut less than 300 s ago; possible again in 252 s, or for an operator with --ignore-limits`;
    return { target, code: 'cooling-down', detail, until: ago(-4.5 * minutes) };
  }
  return undefined;
}

type Outlets = MachinePower['outlets'];

function outlet(name: string, feeds: string, more: Partial<Outlets[number]> = {}): Outlets[number] {
  const [controller = ''] = name.split('/');
  const on = { state: 'on', delivering: true, watts: 3.21 } as const;
  return {
    outlet: name,
    controller,
    feeds: [feeds],
    ...on,
    readAt: ago(20),
    stuckOff: false,
    ...more,
  };
}

const failing = {
  name: 'switch-1',
  state: 'failing',
  detail:
    'switch-1/3 is stuck off: switch-1: ERROR: PoE controller busy; nothing else on it is turned off',
} as const;
const down = {
  name: 'pdu-1',
  state: 'down',
  detail: 'no answer to SNMP within 5 s, tried 12 times',
} as const;

function machinePowers(): MachinePower[] {
  const [first = '', second = '', third = '', fourth = ''] = machineNames;
  const rpi = { kind: 'machine' as const, shelf: 'shelf1', controllers: [failing] };
  return [
    {
      ...rpi,
      name: third,
      outlets: [
        outlet('switch-1/3', third, {
          state: 'off',
          delivering: false,
          watts: 0,
          stuckOff: true,
          owedSince: ago(7.5 * minutes),
        }),
      ],
      last: {
        id: 'c0902',
        action: 'cycle',
        outcome: 'stuck-off',
        detail: 'switch-1/3: reads off after 40 attempts to turn it on',
        finishedAt: ago(7.5 * minutes),
        by: 'ann',
        reason: 'offline',
      },
      needsHands: 'cycled 3 times in 3 h without coming back',
    },
    {
      ...rpi,
      name: first,
      label: '3B',
      outlets: [outlet('switch-1/1', first)],
      last: {
        id: 'c0901',
        action: 'cycle',
        outcome: 'back',
        finishedAt: ago(5.5 * hours),
        by: 'ann',
        reason: 'offline',
      },
    },
    {
      ...rpi,
      name: second,
      outlets: [
        outlet('switch-1/2', second, {
          state: 'off',
          delivering: false,
          watts: 0,
          switchedOff: { by: 'bob', at: ago(3.5 * days), reason: 'smells burnt' },
        }),
      ],
      hold: { id: 'h2', by: 'bob', until: ago(-30.5 * hours), reason: 'waits for a new PoE hat' },
    },
    {
      ...rpi,
      name: fourth,
      outlets: [outlet('switch-1/4', fourth, { delivering: false, fault: 'Fault', watts: 0 })],
      cycle: {
        id: 'c0903',
        action: 'cycle',
        step: 'see-back',
        detail: 'on, and reads on; not seen yet',
      },
    },
    {
      name: `${first}-device`,
      kind: 'device',
      outlets: [outlet(`${first}/1-1.2`, `${first}-device`, { watts: 0.4 })],
      controllers: [{ name: first, state: 'up' }],
      last: {
        id: 'c0900',
        action: 'cycle',
        outcome: 'failed',
        detail: 'turn-off: the hub still reads on after 3 attempts',
        finishedAt: ago(90),
        by: 'agent',
        reason: 'adb: offline',
      },
      possibleAt: ago(-3.5 * minutes),
    },
    {
      name: 'skia-e-linux-01-left',
      kind: 'device',
      outlets: [outlet('skia-e-linux-01/2-1', 'skia-e-linux-01-left', { state: 'unknown' })],
      controllers: [{ name: 'skia-e-linux-01', state: 'unknown' }],
      last: {
        id: 'c0899',
        action: 'cycle',
        outcome: 'stuck-off',
        detail: 'skia-e-linux-01/2-1: no answer, after 3 attempts to turn it on',
        finishedAt: ago(5.5 * days),
        by: 'ann',
        reason: 'adb: offline',
      },
    },
    {
      name: 'skia-e-linux-01',
      kind: 'machine',
      outlets: ['pdu-1/5', 'pdu-1/6'].map((name) =>
        outlet(name, 'skia-e-linux-01', { state: 'unknown', watts: 41 }),
      ),
      controllers: [down],
    },
    { name: 'spare', kind: 'machine', outlets: [], controllers: [] },
    {
      name: 'switch-1',
      kind: 'infrastructure',
      outlets: [outlet('pdu-1/2', 'switch-1', { state: 'unknown' })],
      controllers: [down],
    },
  ];
}

function controllers(): ControllerStatus[] {
  return [
    {
      ...failing,
      model: 'edgeswitch',
      since: ago(7.5 * minutes),
      stuckOutlets: ['switch-1/3'],
      experimental: false,
      queue: 3,
      lastContact: ago(20),
    },
    {
      name: 'skia-rpi2-rack4-shelf1-001',
      model: 'usb-hub',
      state: 'unknown',
      experimental: true,
      queue: 0,
    },
    {
      ...down,
      model: 'apc-rpdu2',
      since: ago(12.5 * minutes),
      experimental: false,
      queue: 0,
      lastContact: ago(12.5 * minutes),
    },
  ];
}

function firstHolds(): Hold[] {
  return [
    {
      id: 'h2',
      target: 'skia-rpi2-rack4-shelf1-002',
      by: 'bob',
      since: ago(3.5 * days),
      until: ago(-30.5 * hours),
      reason: 'waits for a new PoE hat',
    },
    {
      id: 'h3',
      target: 'pdu-1',
      by: 'ann',
      since: ago(20.5 * minutes),
      until: ago(-99.5 * minutes),
      reason: 'firmware',
    },
  ];
}

/** The newest first. */
export function pastCycles(): PowerCycle[] {
  const [first = '', , third = ''] = machineNames;
  const common = {
    action: 'cycle',
    mode: 'auto',
    by: 'ann',
    origin: 'person',
    offSeconds: 5,
    force: false,
  } as const;
  return [
    {
      ...common,
      id: 'c0902',
      target: third,
      outlets: ['switch-1/3'],
      reason: 'offline since 2:00',
      requestedAt: ago(600),
      startedAt: ago(598),
      finishedAt: ago(450),
      step: 'turn-on',
      outcome: 'stuck-off',
      failedStep: 'turn-on',
      detail: 'switch-1/3: reads off after 40 attempts to turn it on',
      steps: [
        { at: ago(600), step: 'queued', text: 'asked for by ann' },
        { at: ago(598), step: 'turn-off', text: 'switch-1/3: turning off' },
        { at: ago(596), step: 'off', text: 'switch-1/3: off, and reads off' },
        { at: ago(591), step: 'turn-on', text: 'switch-1/3: turning on' },
      ],
    },
    {
      ...common,
      id: 'c0901',
      target: first,
      outlets: ['switch-1/1'],
      reason: 'requested at the command line',
      requestedAt: ago(5.5 * hours),
      startedAt: ago(5.5 * hours),
      finishedAt: ago(5.5 * hours - 41),
      step: 'see-back',
      outcome: 'back',
      detail: 'a new boot, seen over ssh',
      steps: [{ at: ago(5.5 * hours), step: 'queued', text: 'asked for by ann' }],
    },
    {
      ...common,
      id: 'c0800',
      target: 'pdu-1/8',
      action: 'off',
      by: 'bob',
      outlets: ['pdu-1/8'],
      reason: 'the new jumphost\nis not in yet',
      requestedAt: ago(2.5 * days),
      finishedAt: ago(2.5 * days),
      step: 'queued',
      outcome: 'cancelled',
      steps: [],
    },
  ];
}

function hostKeys() {
  return [
    {
      device: 'switch-2',
      fingerprint: 'SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDqXbnJmYxMMWTUzuM',
      firstSeen: ago(40 * days),
    },
    {
      device: 'switch-1',
      fingerprint: 'SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM',
      firstSeen: ago(2 * days),
    },
  ];
}

export const examplePower: PowerWorld = {
  machines: machinePowers,
  controllers,
  holds: firstHolds,
  cycles: pastCycles,
  hostKeys,
  isKnown: (target) => knownNames.has(target),
  refusalOf: (target, { force }) => refusalOf(target, force),
};
