/**
 * MikroTik with RouterOS 7, or 6, over ssh: a console with colours and probes of the terminal, unless the login name asks for
 * less (`admin+ct200w`), and a channel for single commands whose exit status is 0 whatever they answer.
 *
 * The prompt is painted twice, wiped in between, and a finished line once more, as in sessions that gnetcli (6.49) and
 * quickchr (7.21) recorded and as netmiko counts them.
 *
 * Sources: MikroTik's manual (console login, PoE-Out); netmiko's and Oxidized's notes on the login suffix. Settings are kept
 * over a power failure without being saved. Its answer to the probes is not waited for.
 *
 * No recording: its state matters, because ports are switched, and its configuration is changed, exported and imported.
 */
import { OutletBoard } from '../../../device.ts';
import type { ConfiguredDevice } from '../../core.ts';
import type { CliOptions } from '../../model.ts';
import type { SwitchModel, Talk } from '../../switch/model.ts';
import { startSwitch } from '../../switch/switch.ts';
import type { Terminal } from '../../terminal.ts';
import { memoryFiles } from '../../unix/shell-files.ts';
import { hostTables } from '../host-tables.ts';
import { RouterosConfiguration } from './routeros-configuration.ts';
import { RouterosError, RouterosPoe } from './routeros-poe.ts';
import { type RouterosSystem, systemCommand } from './routeros-system.ts';

export interface RouterosOptions extends CliOptions {
  /** Ports with PoE, from ether1; 8 when absent. */
  ports?: number;
  /** The identity in the prompt; `MikroTik` when absent. */
  identity?: string;
  /** What each plugged-in machine draws; 4.5 when absent. */
  watts?: number;
  /** `6.49.17`; 7.15.3 when absent. */
  version?: string;
  serial?: string;
  /** As an export has it; an example when absent. */
  configuration?: string;
  /** Of the group of who signs in; all that reading takes when absent. */
  policies?: readonly string[];
}

interface Inside {
  poe: RouterosPoe;
  system: RouterosSystem;
}

/** What can be asked for behind the login name: numbers come before their letters. */
function consoleOptions(login: string) {
  const [, name = '', flags = ''] = /^([^+]*)\+?(.*)$/.exec(login) ?? [];
  const number = (letter: string) => new RegExp(`(\\d+)${letter}`).exec(flags)?.[1];
  return {
    name,
    colours: !flags.includes('c'),
    probes: !flags.includes('t'),
    columns: Number(number('w') ?? 80),
    lines: Number(number('h') ?? 24),
  };
}

function optionsOf(talk: Talk | undefined) {
  return consoleOptions(talk?.terminal.session.user ?? '');
}

/** What is filled into its prompts and texts. */
function valuesOf(system: RouterosSystem, identity: string): NonNullable<SwitchModel['values']> {
  return {
    plain: (_device, { talk }) => `[${optionsOf(talk).name}@${identity}] > `,
    painted(device, { talk }) {
      const { name, colours } = optionsOf(talk);
      if (!colours) return device.fill('{plain}', {}, talk);
      return `\x1b[m\x1b[32m[\x1b[m${name}@${identity}\x1b[32m] \x1b[m> `;
    },
    blanks: (device, { talk }) =>
      ' '.repeat(
        Math.max(0, optionsOf(talk).columns - 1 - device.fill('{plain}', {}, talk).length),
      ),
    probes: (_device, { talk }) => (optionsOf(talk).probes ? '\x1bZ\x1b[6n\r\x1b[K' : ''),
    export({ core }) {
      const { version, serial } = system;
      const about = { version, serial, isShortCircuit: false };
      const words = version.startsWith('7') ? ['show-sensitive'] : [];
      return system.configuration.export(words, { ...about, added: core.addedLines() });
    },
  };
}

function modelFor(options: RouterosOptions): SwitchModel {
  const { ports = 8, identity = 'MikroTik', watts = 4.5, version = '7.15.3' } = options;
  const names = Array.from({ length: ports }, (_, i) => `ether${i + 1}`);
  const board = new OutletBoard(names.map((name) => [name, { on: false, mode: 'auto-on', watts }]));
  const poe = new RouterosPoe(board);
  const system: RouterosSystem = {
    configuration: new RouterosConfiguration(options.configuration),
    version,
    serial: options.serial ?? 'HF9087654321',
    files: memoryFiles({ folders: [''] }),
    exports: 0,
    policies: options.policies ?? ['ssh', 'read', 'test', 'sensitive'],
  };
  return {
    name: 'routeros',
    ident: 'ROSSSH',
    signIn: ['publickey', 'password', 'keyboard-interactive'],
    plainName: (login) => login.replace(/\+.*$/, ''),
    words: {
      before: `\nMikroTik v${version} (stable)\n`,
      user: 'Login: ',
      wrong: '\nLogin failed, incorrect username or password\n\n',
      tries: 5,
    },
    screen: (pty) => ({ interactive: pty !== undefined }),
    greeting: '{probes}\n\n  MikroTik RouterOS 7.15.3 (c) 1999-2024\n\n',
    async welcome(talk) {
      talk.terminal.screen.repaint = (line) =>
        `\r${talk.device.fill('{painted}', {}, talk)}${line}`;
    },
    firstMode: 'console',
    modes: {
      privileged: { prompt: '{plain}', commands: {} },
      console: {
        prompt: '\r\r\r\r{painted}{blanks}\r{painted}',
        commands: {},
        statements: { known: /^/, enter: (talk, line) => enter(talk, line, { poe, system }) },
      },
    },
    exec: { status: 0, unknown: '' },
    files: system.files,
    hostName: identity,
    serial: system.serial,
    board,
    boot: () => poe.powerUp(),
    running: '{export}',
    startup: '{export}',
    values: valuesOf(system, identity),
    logs: {
      logLine:
        '(1 messages not shown)\n10:37:49 echo: system,error,critical login failure for user root',
      error: 'not enough permissions (9)\n',
    },
  };
}

export function startRouteros(options: RouterosOptions): Promise<ConfiguredDevice> {
  return startSwitch(modelFor(options), options);
}

async function enter(talk: Talk, line: string, inside: Inside): Promise<string> {
  const { terminal } = talk;
  if (/^\/?quit$/.test(line)) {
    talk.isOver = true;
    return 'interrupted\n';
  }
  if (!terminal.screen.interactive) return await carryOut(terminal, line, inside);
  const { session } = terminal;
  const unpaged = /\bwithout-paging\b|\bmonitor\b|^\/?export\b/.test(line);
  const rows = consoleOptions(session.user).lines - 2;
  const pager = { text: '-- [Q quit|D dump|down]', erase: '\r\x1b[K', rows };
  terminal.pager = unpaged && !session.faults.has('pager-stays') ? undefined : pager;
  const answer = await carryOut(terminal, line, inside);
  return answer && `\r${answer}`;
}

/** Commands that are separated by semicolons. */
async function carryOut(terminal: Terminal, line: string, inside: Inside): Promise<string> {
  let output = '';
  for (const command of line.split(/;\s*/).filter((part) => part.trim() !== '')) {
    try {
      output += await carryOutOne(terminal, command.trim(), inside);
    } catch (error) {
      if (!(error instanceof RouterosError)) throw error;
      return `${output}${error.message}\n`;
    }
  }
  return output;
}

async function carryOutOne(
  terminal: Terminal,
  line: string,
  { poe, system }: Inside,
): Promise<string> {
  const [, verb, rest = ''] =
    /^\/?interface[ /]ethernet[ /]poe[ /]([\w-]+)\s*(.*)$/.exec(line) ?? [];
  const args = rest.match(/\[[^\]]*\]|[\w-]+="[^"]*"|\S+/g) ?? [];
  const { session } = terminal;
  const command = line
    .replace(/^\//, '')
    .replace(/ where .*$/, '')
    .replaceAll('/', ' ');
  const table = hostTables('routeros', session.core.plugged).get(command);
  if (table) return table();
  switch (verb) {
    case 'print':
      return poe.print();
    case 'set':
      return poe.set(session, args);
    case 'power-cycle':
      return poe.powerCycle(session, args);
    case 'monitor':
      return await monitor(terminal, args, poe);
    default: {
      const answer = await systemCommand(terminal, line, system);
      if (answer !== undefined) return answer;
      const [word = ''] = /[\w-]+/.exec(line) ?? [];
      throw new RouterosError(`bad command name ${word} (line 1 column ${line.indexOf(word) + 1})`);
    }
  }
}

/** Without `once` it goes on until somebody types Q. */
async function monitor(
  terminal: Terminal,
  args: readonly string[],
  poe: RouterosPoe,
): Promise<string> {
  const [selector] = args.filter((arg) => arg !== 'once');
  if (selector === undefined) throw new RouterosError('missing value(s) of argument(s) numbers');
  const look = poe.monitor(selector);
  if (args.includes('once')) return look;
  terminal.put(look);
  while ((await terminal.readKey('-- [Q quit|D dump|C-z pause]')) !== 'q') terminal.put(look);
  return '';
}
