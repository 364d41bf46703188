/**
 * Juniper EX switch or SRX router (Junos) over ssh: `user@host> `, with a line that says which member of a virtual chassis
 * this is in front of it, a pager that tells how much was shown, and a channel for single commands, which answers a
 * command that it does not know with status 0, too.
 *
 * Sources: Junos CLI User Guide ("CLI Operational Mode", "Loading Configuration Files", "Commit Operation" with `commit
 * confirmed`); sessions that gnetcli recorded (blank behind the echo, empty line before the prompt, refusals); RANCID's and
 * netmiko's notes on `{master:0}`. The 40 blanks with which the pager disappears are from users' logs.
 */
import { OutletBoard } from '../device.ts';
import { type ConfiguredDevice, Core } from './core.ts';
import { JunosConfiguration, junosExample } from './junos-configuration.ts';
import { junosFacts } from './junos-facts.ts';
import type { CliModel, CliOptions } from './model.ts';
import { startCliDevice } from './start.ts';
import type { Pager, Terminal } from './terminal.ts';
import { encodeText } from './text-bytes.ts';

export interface JunosOptions extends CliOptions {
  /** What is in force; an example when absent. */
  configuration?: string;
  serial?: string;
  /** Says `{master:0}` before each prompt; true when absent. */
  isMember?: boolean;
}

interface Junos {
  core: Core;
  configuration: JunosConfiguration;
  serial: string;
  isMember: boolean;
}

const pager: Pager = {
  text: (share) => (share < 0.1 ? '---(more)---' : `---(more ${Math.round(share * 100)}%)---`),
  erase: `\r${' '.repeat(40)}\r`,
  rows: 23,
};
const CTRL_D = '\x04';

export async function startJunos(options: JunosOptions): Promise<ConfiguredDevice> {
  const core = new Core({
    board: new OutletBoard([]),
    ...options,
    configurationWords: {
      logLine:
        'Nov 20 10:37:49  ex-1 mib2d[1999]: SNMP_TRAP_LINK_DOWN: ifIndex 501, ifName ge-0/0/0',
      error: 'error: could not open configuration database (juniper.data+)\n',
    },
  });
  const device: Junos = {
    core,
    configuration: new JunosConfiguration(core, options.configuration ?? junosExample),
    serial: options.serial ?? 'JW3619430123',
    isMember: options.isMember ?? true,
  };
  const model: CliModel = {
    name: 'junos',
    core,
    ident: 'OpenSSH_7.5',
    signIn: ['publickey', 'password', 'keyboard-interactive'],
    words: {
      before: '',
      user: 'login: ',
      password: 'Password:',
      wrong: 'Login incorrect\n',
      hidden: 'none',
      tries: 3,
    },
    screen: (pty) => ({
      width: 0,
      overflow: 'wrap',
      interactive: pty !== undefined,
      newline: pty ? '\r\n' : '\n',
      repaint: () => ' ',
    }),
    shell: (terminal) => talk(terminal, device),
    async exec(terminal, command) {
      await terminal.answer(operate(terminal, command.trim(), device) ?? '');
      return 0;
    },
    powerUp: () => device.configuration.boot(),
  };
  const started = await startCliDevice(model, options);
  const running = () => encodeText(device.configuration.show(core.addedLines()));
  return { ...started, running, startup: running };
}

interface Talk {
  terminal: Terminal;
  device: Junos;
  isConfiguring: boolean;
}

async function talk(terminal: Terminal, device: Junos): Promise<number> {
  const { configuration } = device;
  const state: Talk = { terminal, device, isConfiguring: false };
  const promptOf = (end: string) => `${terminal.session.user}@${configuration.hostName()}${end} `;
  terminal.pager = pager;
  const motd = '--- JUNOS 21.4R3-S5.4 Kernel 32-bit  JNPR-12.1-20230922.b1a3f4e_buil\n';
  await terminal.greet(motd, promptOf('>'));
  for (let isFirst = true; ; isFirst = false) {
    const where = state.isConfiguring ? '[edit]\n' : '';
    const member = device.isMember ? `{master:0}${where}` : where;
    if (!isFirst) terminal.put('\n');
    terminal.put(member === '' || member.endsWith('\n') ? member : `${member}\n`);
    const line = (await terminal.readLine(promptOf(state.isConfiguring ? '#' : '>'))).trim();
    if (line === '') continue;
    terminal.session.tell(line);
    if (!state.isConfiguring && /^(?:quit|exit)$/.test(line)) return 0;
    await terminal.answer(await carryOut(state, line));
  }
}

async function carryOut(state: Talk, line: string): Promise<string> {
  if (state.isConfiguring) return await configure(state, line);
  if (/^conf(?:igure)?$/.test(line)) {
    state.isConfiguring = true;
    return 'Entering configuration mode\n';
  }
  return operate(state.terminal, line, state.device) ?? unknown(line);
}

function unknown(line: string): string {
  return `${' '.repeat(line.length + 12)}^\nunknown command.\n`;
}

/** Operational mode. Undefined: there is no such command. */
function operate(terminal: Terminal, line: string, device: Junos): string | undefined {
  const [command = '', ...pipes] = line.split(/ *\| */);
  const { configuration, core, serial } = device;
  if (command === 'show configuration') {
    const shown = pipes.includes('display set')
      ? configuration.showAsCommands()
      : configuration.show(core.addedLines());
    return terminal.session.configuration(shown);
  }
  const [, setting, value] =
    /^set cli (screen-length|screen-width|complete-on-space|terminal) (\S+)$/.exec(command) ?? [];
  if (setting !== undefined && value !== undefined) return set(terminal, setting, value);
  if (command === 'show system commit') return configuration.history();
  if (/^(?:quit|exit)$/.test(command)) return '';
  return junosFacts(command, configuration.hostName(), serial);
}

function set(terminal: Terminal, setting: string, value: string): string {
  switch (setting) {
    case 'screen-length':
      if (value === '0' && !terminal.session.faults.has('pager-stays')) terminal.pager = undefined;
      return `Screen length set to ${value}\n`;
    case 'screen-width':
      return `Screen width set to ${value}\n`;
    case 'complete-on-space':
      return `${value === 'off' ? 'Disabling' : 'Enabling'} complete-on-space\n`;
    default:
      return '';
  }
}

async function configure(state: Talk, line: string): Promise<string> {
  const { terminal, device } = state;
  const { configuration } = device;
  const { session } = terminal;
  const [, verb = '', rest = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
  switch (verb) {
    case 'set':
      session.act(() => configuration.set(rest));
      return '';
    case 'delete':
      return configuration.delete(rest);
    case 'show':
      return rest === '' ? configuration.showCandidate() : unknown(line);
    case 'run':
      return operate(terminal, rest, device) ?? unknown(line);
    case 'load':
      return await load(state, rest);
    case 'rollback': {
      const number = Number(rest || 0);
      if (configuration.rollback(number)) return 'load complete\n';
      return `error: Could not find rollback ${number}\n`;
    }
    case 'commit':
      return commit(state, rest);
    case 'exit':
    case 'quit':
      return await leaveConfiguration(state, rest);
    default:
      return unknown(line);
  }
}

async function load({ terminal, device }: Talk, how: string): Promise<string> {
  if (how !== 'override terminal') return 'error: only override terminal is known here\n';
  terminal.put('[Type ^D at a new line to end input]\n');
  let text = '';
  for (;;) {
    const line = await terminal.readLine('');
    if (line === CTRL_D) break;
    text += `${line}\n`;
  }
  return device.configuration.load(text);
}

function commit({ terminal, device }: Talk, how: string): string {
  const [, minutes] = /^confirmed ?(\d*)$/.exec(how) ?? [];
  if (how === 'check') return 'configuration check succeeds\n';
  if (how !== '' && how !== 'and-quit' && minutes === undefined) return unknown(`commit ${how}`);
  const isTimed = minutes !== undefined;
  const time = Number(minutes || 10);
  const { session } = terminal;
  session.act(() => device.configuration.commit(session.user, isTimed ? time : undefined));
  if (!isTimed) return 'configuration check succeeds\ncommit complete\n';
  return `configuration check succeeds\ncommit confirmed will be automatically rolled back in ${time} minutes unless confirmed\ncommit complete\n`;
}

async function leaveConfiguration(state: Talk, rest: string): Promise<string> {
  const { terminal, device } = state;
  if (rest !== '' && rest !== 'configuration-mode') return unknown(`exit ${rest}`);
  if (device.configuration.isChanged()) {
    terminal.put('The configuration has been changed but not committed\n');
    const answer = await terminal.readLine('Exit with uncommitted changes? [yes,no] (yes) ');
    if (answer.startsWith('n')) return '';
  }
  state.isConfiguring = false;
  return 'Exiting configuration mode\n';
}
