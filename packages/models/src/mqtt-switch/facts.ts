/** A switch behind an MQTT broker: `address` is the broker. The defaults are those of Tasmota; `{device}` is `topic`. */
import { z } from 'zod';
import type { Model } from '../contract/model.ts';
import { free, outlets, readBack } from '../families/described-facts.ts';

const topic = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^#+\0]*$/, 'a topic has no # or +');

export const mqttSwitch = {
  name: 'mqtt-switch',
  label: 'switch over MQTT',
  transports: ['mqtt'],
  power: { outlets: free, offSeconds: 10, nativeCycle: false, load: () => import('./outlets.ts') },
  backup: { no: 'MQTT gives no configuration' },
  accounts: { no: 'the account is that of the broker' },
  options: {
    outlets,
    topic: topic.describe('Its name on the broker, put for {device}.'),
    command: topic.default('cmnd/{device}/POWER{outlet}').describe('Topic of commands.'),
    state: topic.default('stat/{device}/POWER{outlet}').describe('Topic of states.'),
    onPayload: z.string().default('ON').describe('Turns on.'),
    offPayload: z.string().default('OFF').describe('Turns off.'),
    queryPayload: z.string().default('').describe('Asks for the state, on the topic of commands.'),
    read: z
      .strictObject(readBack)
      .default({ on: '^ON$', off: '^OFF$' })
      .describe('How a state is read.'),
    available: topic
      .exactOptional()
      .describe('Topic that says whether it is there, say tele/{device}/LWT.'),
  },
} satisfies Model;
