/** An unknown device with a command line: rack.yaml describes its backup completely. */
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
  branches: { configuration: ['the other commands in rack.yaml'] },
  accounts: { no: 'rack.yaml describes only how to read its configuration' },
  options: {
    prompt: expression.describe(
      'Regular expression that matches the prompt, such as `^[\\w-]+[>#] ?$`.',
    ),
    pagingOff: z.array(z.string().min(1)).default([]).describe('Commands that turn the pager off.'),
    enable: z
      .string()
      .min(1)
      .exactOptional()
      .describe(
        'Command that enters privileged mode and prompts for its password, such as `enable`.',
      ),
    commands: z
      .array(z.string().min(1))
      .min(1)
      .describe('Commands whose combined output is the configuration.'),
    complete: z
      .union([
        z.strictObject({
          end: expression.describe('Regular expression that matches the last line.'),
        }),
        z.literal('twice'),
      ])
      .default('twice')
      .describe(
        'Method for detecting that a configuration is complete: its last line or, with `twice`, two identical readings.',
      ),
    volatile: z
      .array(expression)
      .default([])
      .describe('Regular expressions for lines that change without an edit, such as timestamps.'),
    secret: z
      .array(expression)
      .default([])
      .describe(
        'Regular expressions for lines with secrets, which are masked. With a capture group, only the group is masked.',
      ),
    rejected: z
      .array(expression)
      .default([])
      .describe(
        'Regular expressions for output that indicates an error, in addition to the built-in ones.',
      ),
    logout: z.string().min(1).default('exit').describe('Command that ends the session.'),
  },
} satisfies Model;
