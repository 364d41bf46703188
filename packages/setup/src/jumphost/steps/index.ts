/** Lists all steps that prepare a jumphost, in their order. */

import type { Rack } from '@skolo/rack';
import {
  clockStep,
  journalStep,
  nameStep,
  nodeStep,
  packagesStep,
  sshStep,
  systemStep,
  updatesStep,
} from '@skolo/setup/debian';
import { ComputerError, type Download, type Step } from '@skolo/setup/engine';
import {
  type AskedService,
  accountsStep,
  imageStoreStep,
  imagesStep,
  k3sConfigStep,
  k3sStep,
  type ServerPlace,
} from '@skolo/setup/k3s';
import { bootStep } from '../effective/boot.ts';
import { changesStep } from '../effective/changes.ts';
import { clusterStep } from '../effective/cluster.ts';
import { type EffectNeeds, effectsOf } from '../effective/effects.ts';
import { inEffect } from '../effective/index.ts';
import { recorded } from '../effective/record.ts';
import { activeStep } from './active.ts';
import { addressStep } from './address.ts';
import { labelStep, overlayStep, type Part, partStep, servicesStep } from './cluster.ts';
import { existingSystemStep } from './existing-system.ts';
import { firewallStep } from './firewall.ts';
import { hardwareStep } from './hardware.ts';
import { networkStep } from './network.ts';
import { nfsStep } from './nfs.ts';
import { packagesOf } from './packages.ts';
import { type ProgramSources, programsStep, unitsStep } from './programs.ts';
import { fsckStep, watchdogStep } from './recovery.ts';

/** Everything that the workstation provides for a jumphost. */
interface JumphostNeeds extends EffectNeeds {
  /** Of the rack: public, PEM. */
  rackKey(): Promise<string>;
  download: Download;
  sources: ProgramSources;
  k3sVersion: string;
  /** A file of our images, from save-images. */
  ownImages?: string | undefined;
  /** The overlay contains the `nfs` component. */
  hasNfs: boolean;
  /** Namespaces and accounts of kube/base, rendered. */
  accounts(): Promise<string>;
  secretFiles: Part;
  secrets: Part;
  overlay: Part;
  services: readonly AskedService[];
  /** What others have changed, and the operator confirms. */
  kept?: readonly string[];
  now(): number;
}

const gib = 1024 ** 3;

/** Requirements of a jumphost. */
export const jumphostSystem = {
  architectures: ['amd64', 'arm64'],
  freeBytes: 5 * gib,
  /** Metrics, images, state and archives take up to 28 GB, and a full disk needs 10% free. */
  diskGb: 64,
  /** A 2 GB jumphost has less, because the kernel reserves some of it. */
  memoryBytes: 1.7 * gib,
} as const;

/** @throws ComputerError rack.yaml does not contain everything that a jumphost requires. */
export function subnetOf({ name, network: { subnet } }: Rack): string {
  if (subnet !== undefined) return subnet;
  throw new ComputerError(
    `${name}: rack.yaml does not contain network.subnet, which the jumphost's firewall requires`,
  );
}

/** Steps that are skipped if another one fails. All steps also depend on `system`. */
const dependencies: Readonly<Record<string, readonly string[]>> = {
  clock: ['packages'],
  hardware: ['packages'],
  active: ['node', 'address', 'units'],
  network: ['address'],
  firewall: ['packages'],
  units: ['packages', 'node', 'programs'],
  'secret-files': ['units'],
  // Its initial settings cannot be changed later, and without a firewall, anybody can reach it.
  'k3s-config': ['secret-files'],
  k3s: ['clock', 'address', 'active', 'firewall', 'k3s-config', 'image-store', 'images'],
  accounts: ['k3s'],
  label: ['k3s'],
  secrets: ['accounts'],
  'existing-system': ['node', 'units', 'k3s'],
  nfs: ['packages', 'address'],
  // Prevents two power controllers from running.
  overlay: ['label', 'secrets', 'existing-system', 'nfs'],
  cluster: ['k3s'],
  services: ['overlay'],
};

/** @throws ComputerError rack.yaml does not contain everything that a jumphost requires. */
export function stepsOf(needs: JumphostNeeds): Step[] {
  const { rack, guard, hasClockPod } = needs;
  const place = { ...rack.jumphost, labels: ['svccontroller.k3s.cattle.io/enablelb=true'] };
  const effects = effectsOf({ rack, guard, hasClockPod });
  const [system, ...others] = allSteps(needs, place);
  return [
    { ...system, needs: [] },
    ...others.map((step) => ({
      ...recorded(inEffect(step, effects[step.name] ?? {})),
      needs: ['system', ...(dependencies[step.name] ?? [])],
    })),
    // Last, because the others record what they change.
    {
      ...changesStep({ kept: needs.kept ?? [], now: needs.now }),
      needs: ['system'],
    },
  ];
}

function allSteps(needs: JumphostNeeds, place: ServerPlace): [Step, ...Step[]] {
  const { rack, download, guard, sources, now } = needs;
  const subnet = subnetOf(rack);
  const k3s = { version: needs.k3sVersion, download };
  return [
    systemStep({ ...jumphostSystem, now }),
    nameStep(rack.jumphost.name),
    packagesStep(packagesOf(needs)),
    clockStep({ subnet, isPod: needs.hasClockPod }),
    journalStep('disk'),
    updatesStep(),
    watchdogStep(),
    fsckStep(),
    hardwareStep(rack),
    nodeStep(download),
    addressStep(rack.jumphost.address, subnet, guard),
    networkStep(rack, subnet),
    firewallStep(rack, subnet, guard),
    sshStep(guard),
    programsStep(sources),
    unitsStep(),
    activeStep({ rack: rack.name, address: rack.jumphost.address, rackKey: needs.rackKey }),
    // k3s's token is one of them, and must exist before k3s first starts.
    partStep('secret-files', 'secrets for systemd units match the secret store', needs.secretFiles),
    k3sConfigStep(place),
    imageStoreStep('server'),
    imagesStep(k3s, { own: needs.ownImages, rack: rack.name }),
    k3sStep(k3s),
    accountsStep(needs.accounts),
    labelStep(rack.jumphost.name),
    partStep('secrets', 'secrets in the cluster match the secret store', needs.secrets),
    existingSystemStep(rack.name),
    ...(needs.hasNfs ? [nfsStep({ address: rack.jumphost.address, subnet })] : []),
    overlayStep(needs.overlay),
    clusterStep(rack.jumphost.name),
    servicesStep(needs.services),
    bootStep(),
  ];
}
