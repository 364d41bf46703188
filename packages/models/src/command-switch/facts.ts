/** Anything that is switched by a program on the jumphost. Commands are lists, never a shell; `{outlet}` is one word. */
import { z } from 'zod';
import { type Model, seconds } from '../contract/model.ts';
import { free, outlets, readBack } from '../families/described-facts.ts';

const command = z
  .array(z.string().max(1000))
  .min(1)
  .meta({ examples: [['/usr/local/bin/relay', 'on', '{outlet}']] });

export const commandSwitch = {
  name: 'command-switch',
  label: 'switch by a program',
  transports: ['command'],
  power: { outlets: free, offSeconds: 10, nativeCycle: false, load: () => import('./outlets.ts') },
  backup: { no: 'nothing is known about its configuration' },
  accounts: { no: 'the command of rack.yaml signs in by itself' },
  options: {
    outlets,
    on: command.describe('Program and arguments that turn an outlet on. Status 0 is success.'),
    off: command.describe('Program and arguments that turn an outlet off.'),
    read: z
      .strictObject({ command: command.describe('Prints the state.'), ...readBack })
      .describe('Reads an outlet back.'),
    timeoutSeconds: seconds(0.1, 300).default(10).describe('Then it is ended.'),
  },
} satisfies Model;
