/** An upgrade of one rack, from the files on this workstation. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { closing, lazily } from '@skolo/base';
import { askPrometheus, type K3sRack, type Kubectl, openRack, readHealth } from '@skolo/fleet';
import { missing, takeLease, whyIncomparable, worsened } from '@skolo/fleet/push';
import { type Host, openHost, type Step } from '@skolo/setup/engine';
import { rebootJumphost, upgradeSteps } from '@skolo/setup/jumphost';
import type { AgentMachine, HealthDeps, OtherHealth } from '@skolo/setup/k3s';
import { z } from 'zod';
import type { SkoloCommand } from '../../../command.ts';
import { CliError } from '../../../errors.ts';
import { powerDaemonAt, taskPolls, tasksOf } from '../../../reach/machine-tasks.ts';
import {
  audit,
  machineOptions,
  openJumphostHost,
  targetOf,
  workstationName,
} from '../../../reach/machine-way.ts';
import { readRackOf } from '../../../reach/racks.ts';
import { thisWorkstation } from '../../push/open-push.ts';
import { downloadOf, programSources, services } from './open-steps.ts';
import { overlayOf } from './overlay.ts';

export interface UpgradeOptions {
  /** Releases, oldest first. */
  k3s?: readonly string[];
  skolo?: string;
  os?: true;
  reason: string;
  files?: string;
  bundles?: string;
  machines: number;
  /** Milliseconds. */
  taskLimit: number;
  soak: number;
}

export interface OpenUpgrade {
  host: Host;
  steps: Step[];
  /** Logs on the jumphost who does what. */
  audit(): Promise<void>;
}

interface Given {
  signal: AbortSignal;
  report(text: string): void;
  /** A machine that is not upgraded, although it should be. */
  left(name: string, why: string): void;
}

const second = 1000;
const minute = 60 * second;
/** The API server is down while k3s starts. */
const leaseTimes = { durationMs: 15 * minute, renewMs: 15 * second };

/** @throws FleetError @throws RackError @throws ComputerError @throws CliError */
export async function openUpgrade(
  command: SkoloCommand,
  entry: K3sRack,
  options: UpgradeOptions,
  given: Given,
): Promise<OpenUpgrade> {
  const { io } = command;
  const { signal, report } = given;
  const { k3s: versions, skolo, os, reason } = options;
  const version = versions?.at(-1);
  const rack = await readRackOf(entry);
  const { jumphost, host } = await openJumphostHost(command, entry, { signal });
  const download = downloadOf(command, options, signal);
  const power = await powerDaemonAt(command, rack, jumphost);
  const cluster = openCluster(command, entry, given);
  const health: HealthDeps = {
    services,
    report,
    signal,
    other: cluster.health,
    times: { soakMs: options.soak, wellMs: 5 * minute, pollMs: 5 * second },
  };
  const { fetch } = jumphost;
  const { now } = io;
  const tasks = { rack, power, fetch, now, report, reason: 'upgrading k3s' };
  const machines = [...rack.machines.values()].map((machine): [string, AgentMachine] => {
    const open = lazily(() => openHost(machineOptions(jumphost, targetOf(rack, machine), signal)));
    return [machine.name, { ...tasksOf(machine, tasks), open }];
  });
  const { underLease } = cluster;
  const steps = upgradeSteps({
    ...(os && {
      os: { reboot: () => rebootJumphost({ rack, host, power, signal, report, fetch, now }) },
    }),
    ...(versions !== undefined && {
      k3s: {
        versions,
        download,
        health,
        underLease,
        node: rack.jumphost.name,
        by: `${workstationName()}: ${reason}`,
      },
    }),
    ...(skolo !== undefined && {
      skolo: {
        overlay: overlayOf(command, rack.name, {
          reason,
          version: skolo,
          soakMs: options.soak,
          signal,
          report,
        }),
        sources: await sourcesOf(command, options, skolo),
      },
    }),
    agents: {
      ...(version !== undefined && { version }),
      download,
      health,
      underLease,
      report,
      left: given.left,
      server: rack.jumphost.name,
      machines: new Map(machines),
      atOnce: options.machines,
      times: { ...taskPolls, taskMs: options.taskLimit, readyMs: 5 * minute },
    },
  });
  return {
    host,
    steps,
    audit: () => audit(jumphost, rack.name, `upgrade (${whatOf(options)}): ${reason}`, signal),
  };
}

/** `k3s v1.33.1+k3s1, Debian` */
export function whatOf({ k3s, skolo, os }: UpgradeOptions): string {
  const parts = [
    ...(os ? ['Debian'] : []),
    ...(k3s === undefined ? [] : [`k3s ${k3s.at(-1)}`]),
    ...(skolo === undefined ? [] : [`skolo ${skolo}`]),
  ];
  return parts.join(', ') || 'certificates';
}

/** Opens the cluster when something changes it: its API server may be down before. */
function openCluster(command: SkoloCommand, entry: K3sRack, { signal, report }: Given) {
  const { io } = command;
  let kubectl: Kubectl | undefined;
  const ask = async () => {
    if (kubectl === undefined) throw new Error('the cluster is not connected');
    // The jumphost's figures are not compared.
    return await askPrometheus(kubectl, '', signal);
  };
  let said: string | undefined;
  const health: OtherHealth = {
    read: ask,
    async worsened(before) {
      const [was, is] = [readHealth(before), readHealth(await ask())];
      const why = whyIncomparable(was);
      if (why !== undefined && why !== said) report(why);
      said = why;
      return [...worsened(was, is), ...missing(was, is)];
    },
  };
  async function underLease(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const how = { role: 'admin', env: io.env, mayAsk: io.canAsk, signal } as const;
    await using open = closing(await openRack(entry, how));
    kubectl = open.kubectl;
    const rack = { name: entry.name, kubectl };
    const workstation = {
      workstation: thisWorkstation(),
      signal,
      now: io.now,
      times: { lease: leaseTimes },
    };
    const lease = await takeLease(rack, 'upgrade', workstation);
    try {
      await work(AbortSignal.any([signal, lease.signal]));
    } finally {
      await lease
        .release()
        .catch(() => report('the lease could not be released, but it will expire automatically'));
    }
  }
  return { health, underLease };
}

const Manifest = z.object({ version: z.string() });

/** @throws CliError The bundles are missing, or of another version. */
async function sourcesOf(command: SkoloCommand, options: UpgradeOptions, version: string) {
  const sources = await programSources(command, options);
  const file = join(sources.bundles, 'fallback/opt/skolo/packages/fallback/package.json');
  const is = Manifest.parse(JSON.parse(await readFile(file, 'utf8'))).version;
  if (is === version) return sources;
  throw new CliError(
    `${sources.bundles}: contains version ${is}, not ${version}; check out version ${version}, then run npm run bundle -- --version ${version}`,
  );
}
