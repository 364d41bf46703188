/** One device of the infrastructure, once the ranges of its entry are expanded: what all have, and what its model adds. */

import { literal, type Model, seconds } from '@skolo/models';
import { z } from 'zod';
import { object, text } from './fields.ts';
import { address, mac, portOrRange } from './network-fields.ts';
import { each } from './spreading.ts';
import { infrastructureUplink, line, ports, power } from './wiring-fields.ts';

/** What all infrastructure has; each model adds its own keys. */
export const infrastructureShape = {
  model: literal(z.string()).describe('Model of the device; see Models.'),
  transport: z.string().exactOptional().describe('Transport, if the model supports several.'),
  address: each(address).exactOptional().describe('Its address.'),
  port: each(portOrRange)
    .exactOptional()
    .describe('Port of its transport, where it is not the usual one.'),
  ports,
  mac: each(mac).exactOptional().describe('Its MAC address.'),
  login: z.string().exactOptional().describe('A name of `logins`.'),
  uplink: infrastructureUplink
    .exactOptional()
    .describe(
      'The port that it is plugged into, the device alone where the port is not known, or `internet`.',
    ),
  power,
  hostKey: each(
    text(
      /^SHA256:[A-Za-z0-9+/]{43}$/,
      'a fingerprint as ssh-keygen -l prints it',
      `SHA256:${'A'.repeat(43)}`,
    ),
  )
    .exactOptional()
    .describe('Fingerprint of its ssh host key, pinned; without it, that of the first connection.'),
  serial: each(line)
    .exactOptional()
    .describe('Its serial number: another one means another device.'),
  backup: z
    .union([
      z.boolean(),
      object({
        idleSeconds: seconds(1, 600)
          .exactOptional()
          .describe('In place of `services.router-backup.idleSeconds`.'),
        totalSeconds: seconds(5, 7200)
          .exactOptional()
          .describe('In place of `services.router-backup.totalSeconds`.'),
      }),
    ])
    .default(true)
    .describe(
      '`false` leaves it out of the backup. `{ idleSeconds, totalSeconds }` are its own time-outs.',
    ),
} as const;

/** The entry of a device whose model is not known. */
export const infrastructureSchema = object(infrastructureShape);

const entriesByModel = new Map<Model, ReturnType<typeof entryOf>>();

function entryOf(model: Model) {
  return object({ ...model.options, ...infrastructureShape });
}

/** The schema of an entry of this model. */
export function infrastructureEntry(model: Model): ReturnType<typeof entryOf> {
  const entry = entriesByModel.get(model) ?? entryOf(model);
  entriesByModel.set(model, entry);
  return entry;
}
