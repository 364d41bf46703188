/**
 * MikroTik with RouterOS 7, or 6, over ssh: a console with colours and probes of the terminal, unless the login name asks for
 * less (`admin+ct200w`), and a channel for single commands whose exit status is 0 whatever they answer.
 *
 * The prompt is painted twice, wiped in between, and a finished line once more, as in sessions that gnetcli (6.49) and
 * quickchr (7.21) recorded and as netmiko counts them.
 *
 * Sources: MikroTik's manual (console login, PoE-Out); netmiko's and Oxidized's notes on the login suffix. Settings are kept
 * over a power failure without being saved. Its answer to the probes is not waited for.
 */
import { OutletBoard } from '../device.ts';
import { type ConfiguredDevice, Core } from './core.ts';
import type { CliModel, CliOptions } from './model.ts';
import { RouterosConfiguration } from './routeros-configuration.ts';
import { RouterosError, RouterosPoe } from './routeros-poe.ts';
import { type RouterosSystem, systemCommand } from './routeros-system.ts';
import { scp } from './scp.ts';
import { startCliDevice } from './start.ts';
import type { Terminal } from './terminal.ts';
import { encodeText } from './text-bytes.ts';
import { noFiles } from './unix-model.ts';

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
}

export async function startRouteros(options: RouterosOptions): Promise<ConfiguredDevice> {
  const { ports = 8, identity = 'MikroTik', watts = 4.5, version = '7.15.3' } = options;
  const names = Array.from({ length: ports }, (_, i) => `ether${i + 1}`);
  const core = new Core({
    board: new OutletBoard(names.map((name) => [name, { on: false, mode: 'auto-on', watts }])),
    ...options,
    configurationWords: {
      logLine:
        '(1 messages not shown)\n10:37:49 echo: system,error,critical login failure for user root',
      error: 'not enough permissions (9)\n',
    },
  });
  const poe = new RouterosPoe(core);
  const system: RouterosSystem = {
    configuration: new RouterosConfiguration(options.configuration),
    version,
    serial: options.serial ?? 'HF9087654321',
    files: new Map(),
    exports: 0,
  };
  const inside = { poe, system };
  const model: CliModel = {
    name: 'routeros',
    core,
    ident: 'ROSSSH',
    signIn: ['publickey', 'password', 'keyboard-interactive'],
    plainName: (login) => login.replace(/\+.*$/, ''),
    words: {
      before: `\nMikroTik v${version} (stable)\n`,
      user: 'Login: ',
      password: 'Password: ',
      wrong: '\nLogin failed, incorrect username or password\n\n',
      hidden: 'none',
      tries: 5,
    },
    screen: (pty) => ({
      width: 0,
      overflow: 'wrap',
      interactive: pty !== undefined,
      newline: '\r\n',
    }),
    shell: (terminal) => talk(terminal, inside, identity),
    async exec(terminal, command) {
      if (command.startsWith('scp ')) return await copy(terminal, command, system);
      await terminal.answer(await carryOut(terminal, command, inside));
      return 0;
    },
    powerUp: () => poe.powerUp(),
  };
  const device = await startCliDevice(model, options);
  const running = () => {
    const words = version.startsWith('7') ? ['show-sensitive'] : [];
    const about = { version, serial: system.serial, isShortCircuit: false };
    const added = core.addedLines();
    return encodeText(system.configuration.export(words, { ...about, added }));
  };
  return { ...device, running, startup: running };
}

interface Inside {
  poe: RouterosPoe;
  system: RouterosSystem;
}

/** Files are copied over ssh as from and to any Unix. */
async function copy(
  terminal: Terminal,
  command: string,
  { files }: RouterosSystem,
): Promise<number> {
  terminal.screen.interactive = false;
  terminal.screen.newline = '\n';
  const [, ...args] = command.split(' ').map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
  const name = (path: string) => path.replace(/^\//, '');
  const box = {
    motd: '',
    prompt: '',
    programs: {},
    files: {
      ...noFiles,
      list: () => [...files.keys()],
      read: (path: string) => files.get(name(path)),
      write(path: string, text: string) {
        files.set(name(path), text);
        return true;
      },
    },
  };
  const { status = 0 } = await scp({ args, env: {}, stdin: undefined, terminal, box, parent: 1 });
  return status;
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

async function talk(terminal: Terminal, inside: Inside, identity: string): Promise<undefined> {
  const { name, colours, probes, columns, lines } = consoleOptions(terminal.session.user);
  const pager = { text: '-- [Q quit|D dump|down]', erase: '\r\x1b[K', rows: lines - 2 };
  const plain = `[${name}@${identity}] > `;
  const prompt = colours ? `\x1b[m\x1b[32m[\x1b[m${name}@${identity}\x1b[32m] \x1b[m> ` : plain;
  const blanks = ' '.repeat(Math.max(0, columns - 1 - plain.length));
  terminal.screen.repaint = (line) => `\r${prompt}${line}`;
  if (probes) terminal.put('\x1bZ\x1b[6n\r\x1b[K');
  await terminal.greet('\n\n  MikroTik RouterOS 7.15.3 (c) 1999-2024\n\n', plain);
  for (;;) {
    const line = (await terminal.readLine(`\r\r\r\r${prompt}${blanks}\r${prompt}`)).trim();
    if (line === '') continue;
    terminal.session.tell(line);
    if (/^\/?quit$/.test(line)) {
      terminal.put('interrupted\n');
      return undefined;
    }
    const unpaged = /\bwithout-paging\b|\bmonitor\b|^\/?export\b/.test(line);
    terminal.pager = unpaged && !terminal.session.faults.has('pager-stays') ? undefined : pager;
    const answer = await carryOut(terminal, line, inside);
    await terminal.answer(answer && `\r${answer}`);
  }
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
  const [, inner] = /^:put \[(.*)\]$/.exec(line) ?? [];
  const [, verb, rest = ''] =
    /^\/?interface[ /]ethernet[ /]poe[ /]([\w-]+)\s*(.*)$/.exec(inner ?? line) ?? [];
  const args = rest.match(/\[[^\]]*\]|[\w-]+="[^"]*"|\S+/g) ?? [];
  const { session } = terminal;
  switch (verb) {
    case 'print':
      return poe.print(args);
    case 'set':
      return poe.set(session, args);
    case 'get':
      return inner === undefined ? '' : poe.get(args);
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
