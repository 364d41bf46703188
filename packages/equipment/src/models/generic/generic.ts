/**
 * A command line that rack.yaml describes: its prompt, the commands that turn its pager off, the command for the privileged mode.
 * Recognises all known pagers, error texts and forms of log messages.
 *
 * The learned prompt counts, not only its pattern: its name must be the same in every mode, with another mode in brackets and another sign
 * after it. If there is a command for the privileged mode, that mode's prompt ends with `#`.
 */

import { DescribedExpression, timely } from '@skolo/base/described-expression';
import {
  type DeviceConnection,
  DeviceRejected,
  type Dialect,
  escapePattern,
} from '@skolo/equipment/transports';
import { z } from 'zod';
import { ciscoIos } from '../cisco-ios/dialect.ts';
import { hasLine, isBlank, textOf } from '../configuration/text.ts';
import type {
  BackupModel,
  Content,
  LineRule,
  Reading,
  RestoreAbout,
  RestoreStep,
} from '../contract/backup.ts';
import type { Device } from '../contract/device.ts';
import { whyUnsure } from '../described/signs.ts';
import { eos } from '../eos/eos.ts';
import { allPagers } from '../families/command-line/pagers.ts';
import { onDevice } from '../families/command-line/restore-lines.ts';
import { lastLine, linesOf, quoted } from '../families/command-line/text-reading.ts';
import { fastpath } from '../families/fastpath/fastpath.ts';
import { frr } from '../frr/dialect.ts';
import { junos } from '../junos/junos.ts';
import { nxos } from '../nxos/nxos.ts';
import { procurve } from '../procurve/procurve.ts';
import { routeros } from '../routeros/dialect.ts';
import { generic as facts } from './facts.ts';

const Described = z.object(facts.options);
type Described = z.infer<typeof Described>;

/** For devices that are read in channels, only the error texts are known. */
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
/** A name, perhaps in brackets, a mode, a sign. */
const usualPrompt = new RegExp(`^(?<name>\\([^()]*\\)|.*?[^\\s()]) ?(?:\\([^()]*\\))? ?${sign}$`);

export function genericDialect({
  prompt,
  pagingOff,
  enable,
  rejected,
  logout,
  answers,
}: Omit<
  Described,
  'commands' | 'complete' | 'exec' | 'has' | 'restore' | 'volatile' | 'secret'
>): Dialect {
  return {
    name: 'generic',
    prompt: new DescribedExpression(prompt),
    // The base is the whole prompt, because the pattern need not have a group for it.
    prompts(base) {
      const name = usualPrompt.exec(base)?.groups?.name;
      if (name === undefined) return escapePattern(base);
      return `${escapePattern(name)} ?(?:\\([^()]*\\))? ?${sign}`;
    },
    answers: answers.map(({ question, answer }) => ({
      question: new DescribedExpression(question),
      answer,
    })),
    ...(enable !== undefined && {
      privilege: {
        has: (line) => line.endsWith('#'),
        command: enable,
        usualName: 'admin',
      },
    }),
    setUp: pagingOff,
    pagers: allPagers,
    errors: [
      ...known.flatMap(({ errors }) => errors),
      ...rejected.map((each) => new DescribedExpression(each)),
    ],
    noise: known.flatMap(({ noise }) => noise),
    abovePrompt: known.flatMap(({ abovePrompt = [] }) => abovePrompt),
    preamble: known.flatMap(({ preamble = [] }) => preamble),
    signOut: [logout],
  };
}

/**
 * A device that no model knows, described in rack.yaml: prompt, pager, commands, what its end looks like.
 *
 * Verified with: simulated switches of several families, each described in a few lines.
 * rack.yaml: `switch-9: { model: generic, address: 192.168.1.29, login: switches, prompt: '^[\w-]+[>#] ?$',
 * pagingOff: [terminal length 0], enable: enable, commands: [show running-config], complete: { end: '^end$' } }`
 * Quirks: the answers of all commands, one after another, are the configuration; each must have an answer. With `complete:
 * twice` lines that change by themselves have to be in `volatile`.
 */

export function backup({ options }: Device): BackupModel {
  const described = Described.parse(options);
  const { commands, complete, exec, has, restore } = described;
  const dialect = genericDialect(described);
  const end = complete === 'twice' ? undefined : new DescribedExpression(complete.end);
  return {
    format: 'text',
    read: (connection) => read(connection, commands, exec ? undefined : dialect),
    verifiedBy: end === undefined ? 'twice' : 'mark',
    incomplete: (content) => incomplete(content, end, typeof has === 'string' ? has : undefined),
    doubt: (content) => doubt(content, described),
    messages: dialect.noise,
    volatile: expressions(described.volatile, DescribedExpression),
    // Masked in a thread with limits.
    secrets: expressions(described.secret),
    restore: { comment: '#', steps: (content, about) => steps(content, about, restore) },
  };
}

function expressions(
  sources: Described['volatile'],
  Kind: new (source: string) => RegExp = RegExp,
): LineRule[] {
  return sources.map((source) =>
    typeof source === 'string'
      ? new Kind(source)
      : { from: new Kind(source.from), until: new Kind(source.until) },
  );
}

/** Characters of the end; all of it may be long. */
const longestShown = 65_536;

async function read(
  connection: DeviceConnection,
  commands: readonly string[],
  dialect: Dialect | undefined,
): Promise<Reading> {
  const cli = dialect && (await connection.cli(dialect));
  const answers: Buffer[] = [];
  for (const command of commands) {
    const answer = await (cli?.read(command) ?? connection.exec(command));
    if (isBlank(textOf(answer, 'text'))) {
      throw new DeviceRejected(connection.device.name, `printed nothing for ${quoted(command)}`);
    }
    answers.push(answer);
  }
  const [only] = answers;
  const bytes = only && answers.length === 1 ? only : Buffer.concat(answers);
  return { content: { bytes }, identity: {} };
}

async function incomplete(
  content: Content,
  end: RegExp | undefined,
  has: string | undefined,
): Promise<string | undefined> {
  const bytes = bytesOf(content);
  const text = textOf(bytes, 'text');
  if (isBlank(text)) return 'the configuration is empty';
  if (has !== undefined && !(await hasLine(bytes, new DescribedExpression(has)))) {
    return `the configuration does not contain a line that matches /${has}/`;
  }
  const last = lastLine(text.slice(-longestShown));
  if (end === undefined || timely([end], () => end.test(last))) return undefined;
  return `the last line is ${quoted(last)}, which does not match ${end}`;
}

async function doubt(content: Content, described: Described): Promise<string | undefined> {
  const unsure = whyUnsure(described);
  const why = unsure ? `its description ${unsure}` : await whyUnlike(content, described);
  return why && `nothing shows that it is a configuration: ${why}`;
}

/** Returns undefined if a line is as a manual says that one in every configuration is. */
async function whyUnlike(content: Content, { has }: Described): Promise<string | undefined> {
  if (typeof has !== 'object') return undefined;
  if (await hasLine(bytesOf(content), new DescribedExpression(has.manual))) return undefined;
  return `no line matches /${has.manual}/, which is from a manual; compare it with the equipment`;
}

function bytesOf(content: Content): Buffer {
  if (!('bytes' in content)) throw new RangeError('the configuration must be in memory');
  return content.bytes;
}

function steps(
  content: Buffer,
  { device: { name } }: RestoreAbout,
  how = 'no description says how to restore it; in its configuration mode, enter the required lines of this version',
): RestoreStep[] {
  return [onDevice(`On ${name}: ${how}`, linesOf(content))];
}
