/** The schema of an expanded device of the infrastructure: common keys, and keys of its model. */

import { literal, type Model, models, seconds } from '@skolo/models';
import { z } from 'zod';
import { each, type Spread, spreadOf } from '../ranges/spreading.ts';
import { isMap } from '../yaml/plain.ts';
import { object, text } from './fields.ts';
import { address, mac, portOrRange } from './network-fields.ts';
import { infrastructureUplink, line, ports, power } from './wiring-fields.ts';

/** Common keys; each model adds its own. */
export const infrastructureShape = {
  model: literal(z.string()).describe('Model of the device; see Models.'),
  transport: z.string().exactOptional().describe('Transport, if the model supports several.'),
  address: each(address).exactOptional().describe('Address.'),
  port: each(portOrRange)
    .exactOptional()
    .describe('Port of the transport; default: the standard port.'),
  ports,
  mac: each(mac).exactOptional().describe('MAC address.'),
  login: z.string().exactOptional().describe('A name of `logins`.'),
  uplink: infrastructureUplink
    .exactOptional()
    .describe(
      'The switch port that it is plugged into, the switch alone if the port is unknown, or `internet`.',
    ),
  power,
  hostKey: each(
    text(
      /^SHA256:[A-Za-z0-9+/]{43}$/,
      'a fingerprint in the form of ssh-keygen -l',
      `SHA256:${'A'.repeat(43)}`,
    ),
  )
    .exactOptional()
    .describe('Pinned fingerprint of the ssh host key; default: pinned at the first connection.'),
  serial: each(line)
    .exactOptional()
    .describe('Serial number; a backup rejects a device with another one.'),
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
      }),
    ])
    .default(true)
    .describe('`false`: no backup. `{ idleSeconds, totalSeconds }`: own time-outs of the backup.'),
} as const;

/** For a device with an unknown model. */
export const infrastructureSchema = object(infrastructureShape);

const entriesByModel = new Map<Model, ReturnType<typeof entryOf>>();

function entryOf(model: Model) {
  return object({ ...model.options, ...infrastructureShape });
}

export function infrastructureEntry(model: Model): ReturnType<typeof entryOf> {
  const entry = entriesByModel.get(model) ?? entryOf(model);
  entriesByModel.set(model, entry);
  return entry;
}

/** The marks of a device as it is written. */
export function spreadOfDevice(raw: unknown): Spread {
  const model = isMap(raw) ? models.get(String(raw.model)) : undefined;
  return spreadOf(model ? infrastructureEntry(model) : infrastructureSchema);
}
