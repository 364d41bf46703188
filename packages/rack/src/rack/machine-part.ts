/**
 * Decides which part of rack.yaml a machine's agent gets: its entry, its devices, settings of its agent, and URLs of services. The metadata
 * server serves it as the attribute `skolo-machine`. Tasks on the machine can read it as root, so it does not contain wiring (not
 * even the machine's own outlet), logins or secrets.
 */
import { z } from 'zod';
import { check } from '../issues/describe.ts';
import { issuesOf, type Problem, RackError } from '../issues/issues.ts';
import { withoutUnknown } from '../schema/lenient.ts';
import { swarmingClient } from '../schema/settings/swarming-client.ts';
import { whyNotActing } from './acts.ts';
import { swarmingSettings } from './overrides.ts';
import type { Machine, Rack } from './rack.ts';
import { serviceUrl } from './service-urls.ts';

const devicePart = z.object({
  name: z.string(),
  fullName: z.string(),
  kind: z.enum(['android', 'ios', 'chromeos', 'linux', 'pyocd', 'auto', 'none']),
  serial: z.string().exactOptional(),
  power: z.object({ hub: z.string(), port: z.number().int() }).exactOptional(),
  powerVerified: z.boolean().exactOptional(),
  address: z.string().exactOptional(),
});

const machinePart = z.object({
  rack: z.string(),
  timezone: z.string(),
  /** Absent: skolo acts. */
  acts: z.literal(false).exactOptional(),
  domain: z.string(),
  name: z.string(),
  kind: z.enum(['rpi', 'host']),
  shelf: z.string().exactOptional(),
  label: z.string().exactOptional(),
  address: z.string().exactOptional(),
  identity: z.string().exactOptional(),
  devices: z.array(devicePart),
  metadata: z.object({
    id: z.string().exactOptional(),
    zone: z.string().exactOptional(),
    machineType: z.string().exactOptional(),
    image: z.string().exactOptional(),
    cpuPlatform: z.string().exactOptional(),
    description: z.string().exactOptional(),
    tags: z.array(z.string()),
    attributes: z.record(z.string(), z.string()),
  }),
  swarming: swarmingClient,
  services: z.object({ 'metadata-server': z.string(), 'power-cycle-daemon': z.string() }),
  /** Access to its agent: signatures of this key (base64url); these networks may read. */
  agent: z.object({
    publicKey: z.string().exactOptional(),
    anonymousRead: z.array(z.string()),
  }),
});

/** Plain JSON. */
export type MachinePart = z.output<typeof machinePart>;

/** The part of rack.yaml that a machine may see. */
export function machinePartOf(rack: Rack, machine: Machine): MachinePart {
  const { name, kind, shelf, label, address, identity = rack.defaultIdentity, metadata } = machine;
  const { agents: { publicKey } = {}, anonymousRead } = rack.access;
  return {
    rack: rack.name,
    timezone: rack.timezone,
    ...(whyNotActing(rack, machine) !== undefined && { acts: false }),
    domain: rack.network.domain,
    name,
    kind,
    ...(shelf !== undefined && { shelf }),
    ...(label !== undefined && { label }),
    ...(address !== undefined && { address }),
    ...(identity !== undefined && { identity }),
    devices: machine.devices.map(({ login: _, power, ...device }) => ({
      ...device,
      ...(power !== undefined && 'hub' in power && { power }),
    })),
    metadata,
    swarming: swarmingSettings(rack, machine),
    services: {
      'metadata-server': serviceUrl(rack, 'metadata-server'),
      'power-cycle-daemon': serviceUrl(rack, 'power-cycle-daemon'),
    },
    agent: { ...(publicKey !== undefined && { publicKey }), anonymousRead },
  };
}

/**
 * Reads the result of machinePartOf, possibly from another version, and ignores unknown keys and settings.
 *
 * @param from for messages
 * @throws RackError
 */
export function readMachinePart(value: unknown, from: string): MachinePart {
  const settings = z.object({ swarming: z.unknown() }).safeParse(value);
  const kept = settings.success
    ? {
        ...settings.data,
        ...Object(value),
        swarming: withoutUnknown(swarmingClient, settings.data.swarming),
      }
    : value;
  const { value: read, problems } = check(machinePart, kept, []);
  if (problems === undefined) return read;
  throw new RackError(
    issuesOf(problems satisfies Problem[], (path) => ({ line: 1, column: 1, path }), from),
  );
}
