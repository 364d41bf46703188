/** One machine, once the ranges of its entry are expanded. Keys with `each` take a list in an entry of many names. */

import { seconds } from '@skolo/models';
import { z } from 'zod';
import { object, section, text } from './fields.ts';
import { address, digits64, hostName, mac, portOrRange } from './network-fields.ts';
import { seenBackWithin } from './seen-back.ts';
import { overridesOf, swarmingClient } from './settings/swarming-client.ts';
import { each } from './spreading.ts';
import { attributes, line, ownPower, ports, power, uplink } from './wiring-fields.ts';

const id = text(/^[A-Za-z0-9][\w.:/-]{0,200}$/, 'an id', 'us-skolo-1');
const tag = text(
  /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
  'a tag that GCE takes (lower-case letters, digits, hyphens)',
  'bot',
);

export const deviceSchema = object({
  name: hostName
    .exactOptional()
    .describe(
      'Its name on the machine; in full it is MACHINE-NAME. Needed where there are several.',
    ),
  kind: z
    .enum(['android', 'ios', 'chromeos', 'linux', 'pyocd', 'auto', 'none'])
    .default('auto')
    .describe('Kind of device; `auto` detects it and proposes a value.'),
  serial: each(line)
    .exactOptional()
    .describe('Serial number, where a machine has several devices.'),
  power: ownPower
    .exactOptional()
    .describe("The port of the machine's own hub that feeds it, or an outlet."),
  address: each(address).exactOptional().describe('Its address on the network (chromeos, linux).'),
  login: z.string().exactOptional().describe('A name of `logins`.'),
});

const metadata = section({
  id: each(digits64)
    .exactOptional()
    .describe('Number of 64 bits; derived from the name where it is not given.'),
  zone: id.exactOptional().describe('Zone, say us-skolo-1.'),
  machineType: id.exactOptional().describe('Machine type, say rpi4.'),
  image: id.exactOptional().describe('Image.'),
  cpuPlatform: line.exactOptional().describe('CPU platform.'),
  description: line.exactOptional().describe('Description.'),
  tags: z.array(tag).max(64).default([]).describe('Tags.'),
  attributes: attributes.describe('Attributes: text by key.'),
}).describe('Facts that the metadata server serves the machine about itself.');

export const machineSchema = object({
  kind: z
    .enum(['rpi', 'host'])
    .describe('`rpi`: a Raspberry Pi, a node of k3s. `host`: any other computer.'),
  shelf: each(line).exactOptional().describe('Its shelf in the room.'),
  label: each(line).exactOptional().describe('Text printed on it.'),
  address: each(address)
    .exactOptional()
    .describe('Its address. The metadata server knows it by this.'),
  port: each(portOrRange).exactOptional().describe('Short for `ports: { ssh: … }`.'),
  ports,
  mac: each(mac)
    .exactOptional()
    .describe('Its MAC address. With it, a neighbour that took its IP address gets no token.'),
  power,
  uplink: each(uplink).exactOptional().describe('The port that it is plugged into.'),
  identity: each(z.string())
    .exactOptional()
    .describe('A name of `identities`, or `none`: cut off. Without it, `defaultIdentity`.'),
  login: z
    .string()
    .exactOptional()
    .describe(
      'A name of `logins`, for a soft reboot and its USB hub: `token` for its agent, user and key for ssh.',
    ),
  offSeconds: seconds(0.5, 3600)
    .exactOptional()
    .describe('How long off, in a cycle; by default what is right for the model of the outlet.'),
  seenBack: seenBackWithin
    .exactOptional()
    .describe(
      'How it is seen to be back after a cycle: { ssh: 22 }, { http: URL } or { icmp: true }.',
    ),
  device: deviceSchema
    .exactOptional()
    .describe('The phone attached to it; its full name is MACHINE-device.'),
  devices: z
    .array(deviceSchema)
    .min(1)
    .max(32)
    .exactOptional()
    .describe('Several of them, each with a name.'),
  metadata,
  swarming: object(overridesOf(swarmingClient.unwrap().shape))
    .default({})
    .describe('Settings of its agent that differ from `services.swarming-client`.'),
}).refine((machine) => machine.device === undefined || machine.devices === undefined, {
  error: 'has `device` and `devices`; write all of them under `devices`',
});
