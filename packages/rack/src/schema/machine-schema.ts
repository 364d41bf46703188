/** The schema of a machine in rack.yaml, after ranges were expanded. A key with `each` accepts a list in an entry with a range. */

import { seconds } from '@skolo/equipment/models';
import { z } from 'zod';
import { each } from '../ranges/spreading.ts';
import { seenBackWithin } from './back-check.ts';
import { object, section, text } from './fields.ts';
import { address, boardSerial, digits64, hostName, mac, portOrRange } from './network-fields.ts';
import { overridesOf, swarmingClient } from './settings/swarming-client.ts';
import { attributes, line, ownPower, ports, power, uplink } from './wiring-fields.ts';

const id = text(/^[A-Za-z0-9][\w.:/-]{0,200}$/, 'an ID', 'us-skolo-1');
const tag = text(
  /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'a GCE tag (lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen)',
  'bot',
);

export const attachedDeviceSchema = object({
  name: hostName
    .exactOptional()
    .describe('Short name; the full name is MACHINE-NAME. Required in `devices`.'),
  kind: z
    .enum(['android', 'ios', 'chromeos', 'linux', 'pyocd', 'auto', 'none'])
    .default('auto')
    .describe('Kind of device. If `auto`, the agent detects the kind and suggests a value.'),
  serial: each(line)
    .exactOptional()
    .describe(
      'Serial number; required if the machine has several devices of the same kind. Android phones with the same serial number are distinguished by `power`. An Android device that is not on USB requires its entry in `adb devices`, such as 192.168.1.70:5555.',
    ),
  power: ownPower
    .exactOptional()
    .describe('USB hub port of the machine, or outlet, that powers the device.'),
  powerVerified: z
    .boolean()
    .exactOptional()
    .describe(
      'Whether `skolo check outlets` has verified that turning off the USB port affects only this phone. Unless this is `true`, all ports on a built-in hub count as one outlet.',
    ),
  address: each(address).exactOptional().describe('IP address (`chromeos` and `linux` only).'),
  login: z.string().exactOptional().describe('Name of an entry in `logins`.'),
});

const metadata = section({
  id: each(digits64)
    .exactOptional()
    .describe("Instance ID; default: derived from the machine's name."),
  zone: id
    .exactOptional()
    .describe('Zone, such as us-skolo-1; default us-RACK-a, with the name of the rack.'),
  machineType: id.exactOptional().describe('Machine type, such as rpi4.'),
  image: id.exactOptional().describe('Image name.'),
  cpuPlatform: line.exactOptional().describe('CPU platform.'),
  description: line.exactOptional().describe('Description.'),
  tags: z.array(tag).max(64).default([]).describe('Network tags, as in GCE.'),
  attributes: attributes.describe('Attributes, as key-value pairs.'),
}).describe('Metadata that the metadata server serves to the machine.');

export const machineSchema = object({
  kind: z
    .enum(['rpi', 'host'])
    .describe('`rpi`: a Raspberry Pi that is a k3s node. `host`: any other computer.'),
  shelf: each(line).exactOptional().describe('Shelf that the machine is on.'),
  label: each(line).exactOptional().describe("Text on the machine's label."),
  address: each(address)
    .exactOptional()
    .describe('IP address by which the metadata server identifies the machine.'),
  port: each(portOrRange).exactOptional().describe('Short form of `ports: { ssh: … }`.'),
  ports,
  mac: each(mac)
    .exactOptional()
    .describe(
      "MAC address. If set, other computers that use the machine's IP address do not receive tokens.",
    ),
  serial: each(boardSerial)
    .exactOptional()
    .describe(
      "Board serial number of a Raspberry Pi. With a shared image, this number or the MAC address determines the machine's name.",
    ),
  power,
  uplink: each(uplink)
    .exactOptional()
    .describe(
      'Switch port that the machine is connected to. Default: the port that powers the machine, if there is one feed and it is a PoE port.',
    ),
  identity: each(z.string())
    .exactOptional()
    .describe('A name from `identities`, or `none`. Default: `defaultIdentity`.'),
  login: z
    .string()
    .exactOptional()
    .describe(
      'Name of the entry in `logins` that skolo uses to reboot the machine and switch its USB ports over SSH.',
    ),
  acts: z
    .boolean()
    .exactOptional()
    .describe(
      "Whether skolo may act on the machine and its phones, rather than only observe them. Default: the rack's `acts`.",
    ),
  offSeconds: seconds(0.5, 3600)
    .exactOptional()
    .describe(
      "How long the power stays off during a power cycle; the default depends on the controller's model.",
    ),
  seenBack: seenBackWithin
    .exactOptional()
    .describe(
      'How to check that the machine is up again after a power cycle: `{ ssh: 22 }`, `{ http: URL }` or `{ icmp: true }`.',
    ),
  device: attachedDeviceSchema
    .exactOptional()
    .describe('Attached phone. Without a `name`, its full name is MACHINE-device.'),
  devices: z
    .array(attachedDeviceSchema)
    .min(1)
    .max(32)
    .exactOptional()
    .describe('Attached phones, each with a name.'),
  metadata,
  swarming: object(overridesOf(swarmingClient.unwrap().shape))
    .default({})
    .describe("Settings for the machine's agent that override `services.swarming-client`."),
}).refine((machine) => machine.device === undefined || machine.devices === undefined, {
  error: 'has both `device` and `devices`; move all devices to `devices`',
});
