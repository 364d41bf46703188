/** Decides the order of the steps of a rack upgrade: Debian, k3s server, skolo, k3s agents. */

import { aptScript, installDeadlineMs } from '@skolo/setup/debian';
import { fewOf, linesOf, type Step } from '@skolo/setup/engine';
import {
  type AgentsNeeds,
  agentsStep,
  certificatesStep,
  serverSteps,
  versionStep,
} from '@skolo/setup/k3s';
import { recorded } from '../effective/record.ts';
import { overlayStep, type Part } from '../steps/cluster.ts';
import { type ProgramSources, programsStep, unitsStep } from '../steps/programs.ts';

interface UpgradeNeeds {
  /** Absent: Debian packages are not upgraded. */
  os?: { reboot(): Promise<void> };
  /** Absent: k3s is not upgraded. */
  k3s?: Parameters<typeof serverSteps>[0];
  /** Absent: skolo's services and programs are not upgraded. */
  skolo?: { overlay: Part; sources: ProgramSources };
  agents: AgentsNeeds;
}

export function upgradeSteps({ os, k3s, skolo, agents }: UpgradeNeeds): Step[] {
  const { underLease } = agents;
  const leased = (step: Step): Step => {
    const { apply } = step;
    return apply ? { ...step, apply: (host) => underLease(() => apply(host)) } : step;
  };
  const steps = [
    versionStep(k3s?.versions ?? []),
    ...(os ? [osPackagesStep(), osRebootStep(os.reboot)].map(leased) : []),
    ...(k3s ? serverSteps(k3s) : []),
    leased(certificatesStep()),
    // It has its own lease. The fallback is last, because it must not be newer than the services that it starts.
    ...(skolo ? [overlayStep(skolo.overlay), programsStep(skolo.sources), unitsStep()] : []),
    agentsStep(agents),
  ];
  return steps.map(recorded);
}

const lists = '/var/lib/apt/lists';

/** Upgrades all packages within the Debian release. Only security updates are installed automatically. */
export function osPackagesStep(): Step {
  return {
    name: 'os-packages',
    about: 'all packages are up to date',
    async check(host) {
      // Package lists are not settings, so even a check fetches them.
      const text = await host.need(
        `export LC_ALL=C.UTF-8
apt-get -q -y update > /dev/null 2>&1 < /dev/null || echo "package lists cannot be downloaded; the current ones are from $(date -u -r ${lists} +%F)"
apt-get -s -o Debug::NoLocking=true full-upgrade | sed -n 's/^Inst \\([^ ]*\\).*/Inst \\1/p'`,
        { deadlineMs: installDeadlineMs },
      );
      const lines = linesOf(text);
      const names = lines.flatMap((line) => /^Inst (.+)$/.exec(line)?.[1] ?? []);
      const note = lines.filter((line) => !line.startsWith('Inst ')).join('; ');
      return { differs: names.length === 0 ? [] : [`outdated: ${fewOf(names)}`], note };
    },
    async apply(host) {
      await host.need(aptScript('full-upgrade'), { deadlineMs: installDeadlineMs });
    },
  };
}

/** @param reboot waits until nothing prevents it, and until all services are ready again */
export function osRebootStep(reboot: () => Promise<void>): Step {
  return {
    name: 'os-reboot',
    about: 'no updated package requires a reboot',
    async check(host) {
      const text = await host.need(
        `[ ! -e /run/reboot-required ] || sort -u /run/reboot-required.pkgs 2>/dev/null || echo unknown`,
      );
      const names = linesOf(text);
      return { differs: names.length === 0 ? [] : [`required by ${names.join(', ')}`] };
    },
    apply: reboot,
  };
}
