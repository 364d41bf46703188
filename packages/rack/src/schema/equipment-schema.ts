/** The schema of `equipment` in rack.yaml, after ranges were expanded: common keys, and keys of its model. */
import { isObject } from '@skolo/base';
import { literal, type Model, modelNamed, seconds, whole } from '@skolo/equipment/models';
import { z } from 'zod';
import { each, type Spread, spreadOf } from '../ranges/spreading.ts';
import { object } from './fields.ts';
import { address, hostKey, mac, portOrRange } from './network-fields.ts';
import { equipmentUplink, line, ports, power } from './wiring-fields.ts';

/** Common keys; each model adds its own. */
export const equipmentShape = {
  model: literal(z.string()).describe('Equipment model.'),
  transport: z
    .string()
    .exactOptional()
    .describe('Transport to use, if the model supports more than one.'),
  address: each(address).exactOptional().describe('IP address.'),
  port: each(portOrRange)
    .exactOptional()
    .describe("Port to connect to; default: the transport's standard port."),
  ports,
  mac: each(mac).exactOptional().describe('MAC address.'),
  login: z.string().exactOptional().describe('Name of an entry in `logins`.'),
  uplink: equipmentUplink
    .exactOptional()
    .describe(
      "Switch port that it is connected to (only the switch's name if the port is unknown), or `internet`.",
    ),
  power,
  hostKey: each(hostKey)
    .exactOptional()
    .describe('SSH host key fingerprint; by default, skolo pins the key on the first connection.'),
  serial: each(line)
    .exactOptional()
    .describe('Serial number; backups fail if a different one is reported, or none.'),
  backup: z
    .union([
      z.boolean(),
      object({
        idleSeconds: seconds(1, 600)
          .exactOptional()
          .describe('Overrides `services.router-backup.idleSeconds`.'),
        totalSeconds: seconds(5, 7200)
          .exactOptional()
          .describe('Overrides `services.router-backup.totalSeconds`.'),
        maxBytes: whole(2 ** 20, 2 ** 50)
          .exactOptional()
          .describe('Overrides `services.router-backup.maxBytes`.'),
      }),
    ])
    .default(true)
    .describe(
      'Whether to back it up; `{ idleSeconds, totalSeconds, maxBytes }` overrides the limits.',
    ),
  allowPartial: z
    .boolean()
    .default(false)
    .describe('Whether to store the part that the login is shown; by default, the backup fails.'),
} as const;

/** For a device with an unknown model. */
export const equipmentSchema = object(equipmentShape);

const entriesByModel = new Map<Model, ReturnType<typeof entryOf>>();

function entryOf(model: Model) {
  return object({ ...model.options, ...equipmentShape });
}

export function equipmentEntry(model: Model): ReturnType<typeof entryOf> {
  const entry = entriesByModel.get(model) ?? entryOf(model);
  entriesByModel.set(model, entry);
  return entry;
}

/** The marks of a device as it is written. */
export function spreadOfEquipment(raw: unknown): Spread {
  const model = isObject(raw) ? modelNamed(String(raw.model)) : undefined;
  return spreadOf(model ? equipmentEntry(model) : equipmentSchema);
}
