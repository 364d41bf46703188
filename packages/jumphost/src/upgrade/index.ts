/** All steps of a rack upgrade, in order. */

import type { Step } from '@skolo/computers';
import {
  type AgentsNeeds,
  agentsStep,
  certificatesStep,
  serverSteps,
  versionStep,
} from '@skolo/k3s';
import { recorded } from '../effective/baseline.ts';
import { overlayStep, type Part } from '../steps/cluster.ts';
import { type ProgramSources, programsStep, unitsStep } from '../steps/programs.ts';
import { osPackagesStep, osRebootStep } from './os.ts';

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
