/** The steps of a jumphost of a test, for the test and for a process that it kills. */
import { fileURLToPath } from 'node:url';
import { parseRack } from '@skolo/rack';
import { downloader, type Guard, type Step } from '@skolo/setup/engine';
import { k3sVersion } from '@skolo/setup/k3s';
import {
  accounts,
  address,
  openTestHost,
  subnet,
  type TestWorkstation,
} from '@skolo/setup/k3s/testing';
import { stepsOf } from '../steps/index.ts';

const repository = fileURLToPath(new URL('../../../../../', import.meta.url));

export const rackYaml = rackYamlOf(address, subnet);

/** @param subnet of 256 addresses */
export function rackYamlOf(address: string, subnet: string): string {
  const network = subnet.replace(/\.0\/24$/, '');
  return `
rack: rack4
timezone: UTC
network: { subnet: ${subnet} }
jumphost: { name: jumphost-rack4, address: ${address}, aliases: [metadata] }
machines: { rpi-1: { kind: rpi, address: ${network}.101 } }
equipment: { switch-1: { model: edgeswitch, address: ${network}.11 } }
`;
}

const nothing = { differs: async () => [], apply: async () => {} };

/** All but those that need a repository of racks: the command has a test of them. */
export function testSteps(
  workstation: TestWorkstation,
  signal: AbortSignal,
  guard: Partial<Guard> = {},
  { yaml = rackYaml, ...options }: { kept?: readonly string[]; yaml?: string } = {},
): Step[] {
  const steps = stepsOf({
    accounts,
    k3sVersion,
    services: [],
    hasClockPod: false,
    hasNfs: false,
    now: Date.now,
    ...options,
    secretFiles: nothing,
    secrets: nothing,
    overlay: nothing,
    rackKey: async () => workstation.rackKey,
    rack: parseRack(yaml, { file: 'rack.yaml' }),
    download: downloader({ folder: workstation.files, fetch, signal, confirm: async () => false }),
    guard: {
      returnSeconds: workstation.returnSeconds,
      signal,
      newSession: (stop, server) => openTestHost(workstation, stop, server),
      ...guard,
    },
    sources: { bundles: workstation.bundles, deploy: `${repository}deploy` },
  });
  const ofRepository = ['secret-files', 'secrets', 'overlay'];
  return steps.filter(({ name }) => !ofRepository.includes(name));
}
