/** Anything that a program on the jumphost switches. Commands are lists, never a shell; `{outlet}` is one word. */
import { isObject } from '@skolo/base';
import { z } from 'zod';
import { type Model, seconds } from '../contract/model.ts';
import { free, outletErrors, outlets, readBack, sameTwice } from '../families/described-facts.ts';

const command = z
  .array(z.string().max(1000))
  .min(1)
  .meta({ examples: [['/usr/local/bin/relay', 'on', '{outlet}']] });

export const commandSwitch = {
  name: 'command-switch',
  label: 'switch controlled by a program',
  transports: ['command'],
  power: {
    outlets: free,
    offSeconds: 10,
    nativeCycle: false,
    description: ({ on, off, read }) => ({ on, off, read }),
    load: () => import('./command-switch.ts'),
  },
  backup: { no: "rack.yaml describes only the switch's outlets" },
  options: {
    outlets,
    on: command.describe(
      "Command that turns an outlet on: a program and its arguments. skolo replaces {outlet} with the outlet's name, and {outlet-1} and {outlet+1} with the numbers before and after it. Exit status 0 indicates success.",
    ),
    off: command.describe('Command that turns an outlet off.'),
    read: z
      .strictObject({
        command: command.describe("Command that prints the outlet's state."),
        ...readBack,
      })
      .describe('How to read the state of an outlet.'),
    timeoutSeconds: seconds(0.1, 300)
      .default(10)
      .describe('Time limit after which skolo terminates the program.'),
  },
  contradictions: (options) => [
    ...outletErrors(options, ['on', 'off', 'read']),
    ...sameTwice({
      on: ['on', options.on],
      off: ['off', options.off],
      query: ['read', isObject(options.read) ? options.read.command : undefined],
      read: options.read,
    }),
  ],
} satisfies Model;
