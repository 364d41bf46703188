/**
 * A command line that rack.yaml describes: its prompt, the commands that turn its pager off, the command for the privileged
 * mode. All pagers and error texts that are known are looked for, and all forms of log messages.
 *
 * The prompt that is learned counts, not only its pattern: its name has to be the same in every mode, with another mode in brackets
 * and another sign behind it. Where there is a command for the privileged mode, the prompt of that ends with `#`.
 */

import { type Dialect, escapePattern, usualLogin } from '@skolo/equipment';
import { ciscoIos } from '../cisco-ios/dialect.ts';
import { eos } from '../eos/dialect.ts';
import { allPagers } from '../families/command-line/pagers.ts';
import { fastpath } from '../families/fastpath/fastpath.ts';
import { frr } from '../frr/dialect.ts';
import { junos } from '../junos/dialect.ts';
import { nxos } from '../nxos/dialect.ts';
import { procurve } from '../procurve/dialect.ts';
import { routeros } from '../routeros/dialect.ts';

/** As its facts have it. */
interface DescribedCli {
  prompt: string;
  pagingOff: readonly string[];
  enable?: string;
  refused: readonly string[];
  logout: string;
}

/** Of those that are asked in channels, only what they say is known. */
const known: readonly Pick<Dialect, 'errors' | 'noise' | 'abovePrompt' | 'preamble'>[] = [
  ciscoIos,
  nxos,
  eos,
  junos,
  fastpath,
  frr,
  procurve,
  routeros,
];
const sign = '[>#$%:\\]]{1,2}';
/** A name, a mode, a sign. */
const usualPrompt = new RegExp(`^(?<name>.*?[^\\s()]) ?(?:\\([^()]*\\))? ?${sign}$`);

export function genericDialect({
  prompt,
  pagingOff,
  enable,
  refused,
  logout,
}: DescribedCli): Dialect {
  return {
    name: 'generic',
    prompt: new RegExp(prompt),
    // The base is the whole prompt, as the pattern need not have a group for it.
    prompts(base) {
      const name = usualPrompt.exec(base)?.groups?.name;
      if (name === undefined) return escapePattern(base);
      return `${escapePattern(name)} ?(?:\\([^()]*\\))? ?${sign}`;
    },
    login: { ...usualLogin, anyKey: /^Press any key to continue\.*$/i },
    ...(enable !== undefined && {
      privilege: {
        has: (line) => line.endsWith('#'),
        command: enable,
        password: usualLogin.password,
        username: { question: usualLogin.username, usual: 'admin' },
      },
    }),
    setUp: pagingOff,
    pagers: allPagers,
    errors: [...known.flatMap(({ errors }) => errors), ...refused.map((each) => new RegExp(each))],
    noise: known.flatMap(({ noise }) => noise),
    abovePrompt: known.flatMap(({ abovePrompt = [] }) => abovePrompt),
    preamble: known.flatMap(({ preamble = [] }) => preamble),
    signOut: [logout],
  };
}
