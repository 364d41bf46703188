/** A device with a command line that no model knows: its backup is described here, wholly. */
import { z } from 'zod';
import { interfaces, type Model } from '../contract/model.ts';
import { expression } from '../families/described-facts.ts';

export const generic = {
  name: 'generic',
  label: 'device described in rack.yaml',
  transports: ['ssh', 'telnet'],
  network: interfaces('names such as wan or 0/1', /^[\w./:-]{1,60}$/),
  connectedHosts: { no: 'rack.yaml describes only the backup of such a device, not its MAC table' },
  backup: { load: () => import('./generic.ts') },
  branches: { configuration: ['the other commands of rack.yaml'] },
  accounts: { no: 'only the reading of its configuration is described in rack.yaml' },
  options: {
    prompt: expression.describe('Regular expression of the prompt, say `^[\\w-]+[>#] ?$`.'),
    pagingOff: z.array(z.string().min(1)).default([]).describe('Commands that turn the pager off.'),
    enable: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Command that asks for the second password.'),
    commands: z
      .array(z.string().min(1))
      .min(1)
      .describe('Commands whose joined output is the configuration.'),
    complete: z
      .union([z.strictObject({ end: expression.describe('The last line.') }), z.literal('twice')])
      .default('twice')
      .describe(
        'How to detect a complete configuration: by its last line, or `twice`: by two equal readings.',
      ),
    volatile: z
      .array(expression)
      .default([])
      .describe('Lines that change without an edit, such as the time.'),
    secret: z
      .array(expression)
      .default([])
      .describe('Lines that are masked in notices; a group masks only itself.'),
    rejected: z
      .array(expression)
      .default([])
      .describe('Output that is an error, besides the usual errors.'),
    logout: z.string().min(1).default('exit').describe('Command that ends the session.'),
  },
} satisfies Model;
