/** A switch behind an MQTT broker: `address` is the broker. The defaults are those of Tasmota; `{device}` is `topic`. */
import { z } from 'zod';
import type { Model } from '../contract/model.ts';
import { free, outletErrors, outlets, readBack, sameTwice } from '../families/described-facts.ts';

const topic = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^#+\0]*$/, 'a topic must not contain # or +');

export const mqttSwitch = {
  name: 'mqtt-switch',
  label: 'switch controlled over MQTT',
  transports: ['mqtt'],
  power: {
    outlets: free,
    offSeconds: 10,
    nativeCycle: false,
    description: ({ command, state, onPayload, offPayload, read }) => {
      return { command, state, onPayload, offPayload, read };
    },
    load: () => import('./mqtt-switch.ts'),
  },
  backup: { no: 'MQTT provides no access to the configuration' },
  options: {
    outlets,
    topic: topic.describe('Name that it uses on the broker. It replaces {device} in the topics.'),
    command: topic
      .default('cmnd/{device}/POWER{outlet}')
      .describe('Topic to which skolo publishes commands.'),
    state: topic
      .default('stat/{device}/POWER{outlet}')
      .describe('Topic to which it publishes its state.'),
    onPayload: z.string().default('ON').describe('Payload that turns the outlet on.'),
    offPayload: z.string().default('OFF').describe('Payload that turns the outlet off.'),
    queryPayload: z
      .string()
      .default('')
      .describe('Payload that skolo sends to the command topic to request the state.'),
    read: z
      .strictObject(readBack)
      .default({ on: '^ON$', off: '^OFF$' })
      .describe('Regular expressions that match the reported state.'),
    available: topic
      .exactOptional()
      .describe('Topic that reports whether it is online, such as tele/{device}/LWT.'),
  },
  contradictions: (options) => [
    ...outletErrors(options, ['command', 'state']),
    ...sameTwice({
      on: ['onPayload', options.onPayload],
      off: ['offPayload', options.offPayload],
      query: ['queryPayload', options.queryPayload],
      read: options.read,
    }),
  ],
} satisfies Model;
