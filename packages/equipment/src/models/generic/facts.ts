/** An unknown device with a command line: rack.yaml describes its backup completely. */
import { z } from 'zod';
import { interfaces, type Model } from '../contract/model.ts';
import { expression } from '../families/described-facts.ts';

const lines = z
  .array(z.union([expression, z.strictObject({ from: expression, until: expression })]))
  .default([]);

/** A name, perhaps a mode, and a sign. Frames of banners have several signs in a row. */
const usualPrompt = '^(?!.*[#*=>$%_-]{3})(?![\\s#*=]).(?:.{0,78}[^\\s#*=>$%])? ?(?:[>#$%\\]]|##)$';

export const generic = {
  name: 'generic',
  label: 'equipment described in rack.yaml',
  transports: ['ssh', 'telnet'],
  network: interfaces('names such as wan or 0/1', /^[\w./:-]{1,60}$/),
  connectedHosts: {
    no: 'rack.yaml describes only the backup of such equipment, not its MAC table',
  },
  backup: { load: () => import('./generic.ts'), needs: 'a login that may see everything' },
  branches: { configuration: ['the other commands in rack.yaml'] },
  options: {
    prompt: expression
      .default(usualPrompt)
      .describe(
        'Regular expression that matches the prompt, such as `^[\\w-]+[>#] ?$`, if it is unusual: usually, it ends with `>`, `#`, `$`, `%` or `]`.',
      ),
    exec: z
      .boolean()
      .default(false)
      .describe(
        'Whether each command runs in an SSH channel of its own, for equipment with a shell, whose status must be 0.',
      ),
    pagingOff: z.array(z.string().min(1)).default([]).describe('Commands that turn off paging.'),
    enable: z
      .string()
      .min(1)
      .exactOptional()
      .describe(
        'Command that prompts for a password and enters privileged mode, such as `enable`.',
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
        'How skolo detects that a configuration is complete: by its last line (`{ end: REGEX }`), or by two identical readings (`twice`).',
      ),
    has: z
      .union([expression, z.strictObject({ manual: expression })])
      .exactOptional()
      .describe(
        'Regular expression that matches a line of every configuration, so that no error message is stored as one. `{ manual: REGEX }`: nobody has verified it; a configuration without such a line is stored with a warning.',
      ),
    volatile: lines.describe(
      'Regular expressions for lines that change even if the configuration does not, such as timestamps. `{ from: REGEX, until: REGEX }` matches all lines between two, such as a key that is encrypted differently each time.',
    ),
    secret: lines.describe(
      'Regular expressions for secrets, which skolo masks. If an expression has a capture group, only the group is masked. `{ from: REGEX, until: REGEX }` masks all lines between two.',
    ),
    rejected: z
      .array(expression)
      .default([])
      .describe('Additional regular expressions that match error messages.'),
    answers: z
      .array(z.strictObject({ question: expression, answer: z.string().max(100) }))
      .default([])
      .describe(
        'Responses to questions at sign-in, such as `{ question: "accept .*\\[y/n\\]", answer: y }`. The regular expression must match the end of the line.',
      ),
    restore: z
      .string()
      .min(1)
      .exactOptional()
      .describe('Steps that restore a version, as a part of a sentence.'),
    logout: z.string().min(1).default('exit').describe('Command that ends the session.'),
  },
} satisfies Model;
