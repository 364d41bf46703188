/** The services' states for a generated rack. */
import type { BackupVersion, Machine, OutletStatus, PowerCycle } from '@skolo/api';
import { ago } from '../ago.ts';
import type { AlertWorld } from '../alert-to-pubsub.ts';
import { exampleBackups } from '../example/backups.ts';
import type { MachineWorld } from '../machine-state.ts';
import type { PowerWorld } from '../power-cycle-daemon.ts';
import type { BackupWorld, Version } from '../router-backup.ts';
import type { Answers, ApiOf } from '../service.ts';
import { generatedCurves, generatedHistory } from './history.ts';
import type { GeneratedRack } from './rack.ts';

const minutes = 60;

/** @param show notifies the followers of changes */
export function generatedMachines(
  { machines, rack }: GeneratedRack,
  show: (machine: Machine) => void,
): MachineWorld {
  return {
    machines: () => machines,
    rack: () => rack,
    history: generatedHistory,
    curves: generatedCurves,
    downtime: () =>
      machines.slice(0, 20).map(({ name }, i) => ({
        name,
        times: 40 - i,
        seconds: 90_000 - i * 3000,
        codes: [
          { code: 'battery-low', times: 30 - i },
          { code: 'device-missing', times: 10 },
        ],
      })),
    show,
  };
}

export function generatedPower({ machines, rack }: GeneratedRack): PowerWorld {
  const off = new Map<string, string>();
  const cycles = machines.slice(0, 6).map(cycleOf);

  function outletOf({ name, wiring, cause }: Machine, i: number): OutletStatus {
    const [outlet = ''] = wiring.power;
    const by = off.get(outlet);
    return {
      outlet,
      controller: outlet.split('/')[0] ?? '',
      feeds: [name],
      state: by !== undefined ? 'off' : cause ? 'unknown' : 'on',
      ...(by !== undefined && { switchedOff: { by, at: ago(0), reason: 'as ordered' } }),
      watts: 4.1 + (i % 9) / 10,
      stuckOff: false,
      ...(i === 3 && { pendingOnSince: ago(2 * minutes) }),
    };
  }

  return {
    machines: () => [],
    outlets: () => machines.map(outletOf),
    controllers: () =>
      rack.equipment.slice(1).map(({ name, model, state, why, since }) => ({
        name,
        model,
        state,
        level: 'never seen',
        queue: 0,
        lastContact: ago((state === 'up' ? 0.2 : 12) * minutes),
        ...(since && { since }),
        ...(why && { detail: why }),
      })),
    holds: () => [],
    cycles: () => cycles,
    hostKeys: () => [],
    rejectionOf(target, { force, action }) {
      if (force) return undefined;
      if (machines.find(({ name }) => name === target)?.cause !== undefined) {
        return {
          target,
          code: 'controller-failing',
          detail: `${target}: its switch is not responding`,
        };
      }
      const isBusy = target.startsWith('switch-1/') && action === 'off';
      return isBusy
        ? { target, code: 'others-go-dark', detail: `${target}: a task is running on it` }
        : undefined;
    },
    switched(outlet, state, by) {
      if (state === 'off') off.set(outlet, by);
      else off.delete(outlet);
    },
  };
}

function cycleOf({ name, wiring }: Machine, i: number): PowerCycle {
  const isRunning = i < 2;
  const begun = ago((i * 30 + 1) * minutes);
  return {
    id: `87e7096${i}-0000-4000-8000-000000000000`,
    target: name,
    action: 'cycle',
    mode: 'auto',
    outlets: wiring.power,
    reason: 'the phone is missing',
    by: i % 2 ? 'ann@example.com' : 'repair',
    origin: i % 2 ? 'person' : 'repair',
    requestedAt: begun,
    startedAt: begun,
    ...(!isRunning && { finishedAt: ago(i * 30 * minutes), outcome: 'back' }),
    offSeconds: 5,
    force: false,
    step: isRunning ? 'off' : 'see-back',
    detail: isRunning ? 'off, verified; waiting 5 s' : 'ssh answers again',
    steps: [{ at: begun, step: 'off', text: 'turned off, and reads off' }],
  };
}

export function generatedBackups({ rack }: GeneratedRack): BackupWorld {
  return {
    ...exampleBackups,
    equipment: () =>
      rack.equipment.map(({ name, model, state }) => ({
        name,
        model,
        state: state === 'down' ? ('failed' as const) : ('ok' as const),
        lastSuccess: ago(310 * minutes),
        changedAt: ago(190 * minutes),
        versions: 3,
        reading: false,
        offsite: 'stored' as const,
        ...(state === 'down' && { detail: 'no connection: timeout' }),
      })),
    versionsOf: (device) =>
      [190, 2900, 12_400].map((age, i): Version => {
        const content = `interface 0/12\n vlan participation include ${30 - i * 10}\n exit\n`;
        const version: BackupVersion = {
          id: (i + 10).toString(16).repeat(8),
          equipment: device,
          time: ago(age * minutes),
          size: content.length,
          changedBy: i === 0 ? 'admin' : 'ann',
        };
        return { version, content };
      }),
  };
}

export function generatedAlerts({ rack }: GeneratedRack): AlertWorld {
  return {
    knownAlerts: () =>
      rack.alerts.map(({ name, summary = '', firstCommand, severity = '', since, about }, i) => ({
        fingerprint: `f${i}`,
        status: 'firing',
        labels: { alertname: name, severity, rack: rack.rack, ...(about && { device: about }) },
        annotations: { summary, ...(firstCommand && { first_command: firstCommand }) },
        startsAt: since,
        endpoint: 'v2',
        first: since,
        last: ago(minutes),
        count: 12,
      })),
    deadLetters: () => [],
  };
}

export function generatedClients({
  machines,
}: Pick<GeneratedRack, 'machines'>): Answers<ApiOf<'metadata-server'>> {
  return {
    clients: () => ({
      clients: machines.map(({ name, address }, i) => ({
        name,
        kind: 'machine',
        ...(address !== undefined && { address }),
        identity: 'bots',
        lastAsked: ago((i % 30) * minutes),
        lastTokenAsked: ago((i % 30) * minutes),
        requests: 1200 + i,
      })),
    }),
    identities: () => ({
      identities: [
        {
          name: 'bots',
          email: 'bots@my-project.iam.gserviceaccount.com',
          project: 'my-project',
          scopes: [],
          tokenRemainingSeconds: 3120,
          lastSuccess: ago(8 * minutes),
        },
      ],
    }),
  };
}
