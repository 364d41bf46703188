/**
 * The command line of Cisco IOS and IOS-XE, as far as PoE and its configuration go.
 *
 * Modes, prompts and refusals are as in Cisco's command references and recorded sessions; the pager's erasing as RANCID
 * and Oxidized know it. In configuration mode the prompt shows 20 characters of the host name.
 */
import {
  type CiscoSettings,
  inventoryOf,
  iosTime,
  logLine,
  versionOf,
} from './cisco-configuration.ts';
import { copyToStartup, deleteFile, replaceConfiguration, save, showFile } from './cisco-files.ts';
import type { Flash } from './cisco-flash.ts';
import { type CiscoPoe, longName } from './cisco-poe.ts';
import { enterLine, goToSection, leaveSection, withoutSecret } from './cisco-sections.ts';
import { type Command, findCommand } from './command-table.ts';
import type { Pager, Terminal } from './terminal.ts';

export interface Cisco {
  settings: CiscoSettings;
  flash: Flash;
  poe: CiscoPoe;
  /** What `enable` asks for; absent: it lets nobody in but those with privilege 15. */
  enablePassword?: string;
  /** 15 is in privileged mode from the start. */
  privilege: 1 | 15;
  /** Beginnings of commands that AAA refuses. */
  denied: readonly string[];
  /** When log lines appear: in an answer, behind the prompt in its line, or after it. The prompt is not repeated then. */
  logging: 'none' | 'before-prompt' | 'behind-prompt' | 'after-prompt';
  /** `terminal exec prompt timestamp`: load and time come in front of each answer. */
  promptTimestamp: boolean;
}

const pager: Pager = {
  text: ' --More-- ',
  erase: `${'\b'.repeat(9)}${' '.repeat(8)}${'\b'.repeat(9)}`,
  rows: 24,
};

export type CiscoMode = 'user' | 'privileged' | 'config' | 'interface' | 'section';

export interface CiscoState {
  device: Cisco;
  terminal: Terminal;
  mode: CiscoMode;
  /** Of the interface mode. */
  port: string;
  log: string[];
  over: boolean;
}

type Run = (state: CiscoState, words: string[]) => string | Promise<string>;

const CTRL_Z = '\x1a';

/** Talks until somebody logs out. */
export async function ciscoCli(terminal: Terminal, device: Cisco): Promise<undefined> {
  const mode = device.privilege === 15 ? 'privileged' : 'user';
  const state: CiscoState = { device, terminal, mode, port: '', log: [], over: false };
  terminal.pager = pager;
  await terminal.greet('\n', promptOf({ ...state, mode: 'privileged' }));
  while (!state.over) {
    const prompt = promptOf(state);
    const log = state.log.splice(0).join('\n');
    if (device.logging === 'before-prompt' && log) terminal.put(`${log}\n`);
    const isAfter = device.logging === 'after-prompt' || device.logging === 'behind-prompt';
    const after = isAfter && log ? `${device.logging === 'after-prompt' ? '\n' : ''}${log}\n` : '';
    const typed = await terminal.readLine(`${prompt}${after}`);
    const line = typed === CTRL_Z ? 'end' : typed;
    if (typed === CTRL_Z) terminal.put('^Z\n');
    if (line.trim() === '') continue;
    terminal.session.tell(withoutSecret(line.trim()));
    if (device.promptTimestamp) terminal.put(loadAndTime());
    await terminal.answer(await carryOut(state, line, prompt.length));
  }
}

/** As IOS prints it for `terminal exec prompt timestamp`. */
function loadAndTime(): string {
  return `Load for five secs: 1%/0%; one minute: 0%; five minutes: 0%\nTime source is NTP, ${iosTime(new Date()).replace(/ UTC/, '.123 UTC')}\n\n`;
}

function promptOf({ device: { settings }, mode }: CiscoState): string {
  const { hostName } = settings;
  const short = hostName.slice(0, 20);
  const section = settings.lines.running.sections.at(-1)?.split(' ')[0];
  const prompts: Record<CiscoMode, string> = {
    user: `${hostName}>`,
    privileged: `${hostName}#`,
    config: `${short}(config)#`,
    interface: `${short}(config-if)#`,
    section: `${short}(config-${section})#`,
  };
  return prompts[mode];
}

async function carryOut(state: CiscoState, line: string, indent: number): Promise<string> {
  const doing = /^\s*do\s+/.exec(line)?.[0] ?? '';
  const inConfig = ['config', 'interface', 'section'].includes(state.mode);
  if (state.device.settings.lines.running.isInFreeText && inConfig) return enterLine(state, line);
  const table = doing && inConfig ? commands.privileged : commands[state.mode];
  // A name and its number may be apart.
  const joined = line
    .slice(inConfig ? doing.length : 0)
    .replace(/\b(gi\w*|te\w*|fa\w*) +(?=\d)/i, '$1');
  const found = findCommand(table, joined);
  const isStatement = found.kind !== 'command' && inConfig && doing === '';
  if (isStatement && state.device.settings.lines.running.knows(line)) return enterLine(state, line);
  switch (found.kind) {
    case 'command': {
      const command = found.words.join(' ');
      if (state.device.denied.some((start) => command.startsWith(start))) {
        return inConfig ? 'Command authorization failed.\n\n' : '% Authorization failed.\n';
      }
      return found.run(state, found.words);
    }
    case 'ambiguous':
      return `% Ambiguous command:  "${joined}"\n`;
    case 'incomplete':
      return '% Incomplete command.\n\n';
    case 'invalid':
      if (!inConfig && found.column === 0 && !joined.includes(' ')) {
        return `Translating "${joined}"...domain server (255.255.255.255)\n% Unknown command or computer name, or unable to find computer address\n`;
      }
      return invalid(indent + doing.length + found.column);
  }
}

function invalid(column: number): string {
  return `${' '.repeat(column)}^\n% Invalid input detected at '^' marker.\n\n`;
}

async function enable(state: CiscoState): Promise<string> {
  const { terminal, device } = state;
  if (device.enablePassword === undefined) return '% Error in authentication.\n\n';
  for (let i = 0; i < 3; i++) {
    const password = await terminal.readPassword('Password: ', 'none');
    if (password === device.enablePassword) {
      state.mode = 'privileged';
      const { user } = terminal.session;
      state.log.push(
        logLine(`%SYS-5-PRIV_AUTH_PASS: Privilege level set to 15 by ${user} on vty0`),
      );
      return '';
    }
  }
  return '% Bad secrets\n\n';
}

function to(mode: CiscoMode, answer = ''): Run {
  return (state) => {
    state.mode = mode;
    return answer;
  };
}

function end(state: CiscoState): string {
  state.mode = 'privileged';
  state.device.settings.lines.running.leave();
  state.log.push(logLine('%SYS-5-CONFIG_I: Configured from console by admin on vty0'));
  return '';
}

function leave(state: CiscoState): string {
  state.over = true;
  return '';
}

function enterInterface(state: CiscoState, words: string[]): string {
  const port = state.device.poe.find(words[1] ?? '');
  const other = /^(vlan|loopback|port-channel|tunnel)(\d+)$/i.exec(words[1] ?? '');
  if (!port && !other) return invalid(promptOf(state).length + 'interface '.length);
  const name = port
    ? longName(port)
    : `${other?.[1]?.replace(/^./, (c) => c.toUpperCase())}${other?.[2]}`;
  const { running } = state.device.settings.lines;
  running.leave();
  // Going there changes nothing yet.
  running.enter(`interface ${name}`);
  goToSection(state);
  return '';
}

function setMode(state: CiscoState, mode: string): string {
  const { device, terminal, port, log } = state;
  terminal.session.act(() => {
    const line = mode === 'auto' ? 'no power inline' : `power inline ${mode}`;
    const { running } = device.settings.lines;
    if (mode !== 'auto' || / power inline /.test(running.print())) running.enter(line);
    device.settings.changed(terminal.session.user);
  });
  if (!device.poe.setMode(terminal.session, port, mode)) return '';
  if (mode === 'never') {
    log.push(
      logLine(`%ILPOWER-5-IEEE_DISCONNECT: Interface ${port}: PD removed`),
      logLine(`%LINK-3-UPDOWN: Interface ${longName(port)}, changed state to down`),
    );
  } else {
    log.push(
      logLine(`%ILPOWER-7-DETECT: Interface ${port}: Power Device detected: IEEE PD`),
      logLine(`%ILPOWER-5-POWER_GRANTED: Interface ${port}: Power granted`),
    );
  }
  return '';
}

function setPager({ terminal }: CiscoState, words: string[]): string {
  const rows = Number(words[2]);
  if (terminal.session.faults.has('pager-stays')) return '';
  terminal.pager = rows === 0 ? undefined : { ...pager, rows };
  return '';
}

function setWidth({ terminal }: CiscoState, words: string[]): string {
  terminal.screen.width = Number(words[2]);
  return '';
}

function showPower(state: CiscoState, words: string[]): string {
  const port = state.device.poe.find(words[3] ?? '');
  return port
    ? state.device.poe.one(port)
    : invalid(promptOf(state).length + 'show power inline '.length);
}

function showInterface(state: CiscoState, words: string[]): string {
  const port = state.device.poe.find(words[3] ?? '');
  return port
    ? state.device.settings.port(port)
    : invalid(promptOf(state).length + 'show running-config interface '.length);
}

const leaving: Command<Run>[] = ['exit', 'logout', 'quit'].map((pattern) => ({
  pattern,
  run: leave,
}));
const exec: Command<Run>[] = [
  ...leaving,
  { pattern: 'show power inline', run: ({ device }) => device.poe.all() },
  { pattern: 'show power inline <port>', run: showPower },
  { pattern: 'terminal length <lines>', run: setPager },
  { pattern: 'terminal width <columns>', run: setWidth },
  { pattern: 'enable', run: enable },
  {
    pattern: 'show version',
    run: ({ device: { settings } }) => versionOf(settings.facts, settings.hostName),
  },
  { pattern: 'show inventory', run: ({ device }) => inventoryOf(device.settings.facts) },
];
const enterConfig = to('config', 'Enter configuration commands, one per line.  End with CNTL/Z.\n');

const commands: Record<CiscoMode, Command<Run>[]> = {
  user: exec,
  privileged: [
    ...exec.filter(({ pattern }) => pattern !== 'enable'),
    { pattern: 'enable', run: () => '' },
    { pattern: 'disable', run: to('user') },
    { pattern: 'configure terminal', run: enterConfig },
    {
      pattern: 'show running-config',
      run: ({ device, terminal }) => terminal.session.configuration(device.settings.running()),
    },
    {
      pattern: 'show startup-config',
      run: ({ device, terminal }) => terminal.session.configuration(device.settings.startup()),
    },
    { pattern: 'show running-config interface <port>', run: showInterface },
    { pattern: 'write memory', run: save },
    { pattern: 'write', run: save },
    { pattern: 'copy running-config startup-config', run: copyToStartup },
    {
      pattern: 'tclsh',
      run: ({ device, terminal }) =>
        device.flash.tclsh(terminal, `${device.settings.hostName}(tcl)#`),
    },
    { pattern: 'configure replace <file>', run: replaceConfiguration },
    { pattern: 'configure replace <file> force', run: replaceConfiguration },
    { pattern: 'more <file>', run: showFile },
    { pattern: 'delete /force <file>', run: deleteFile },
  ],
  config: [
    { pattern: 'interface <port>', run: enterInterface },
    { pattern: 'exit', run: end },
    { pattern: 'end', run: end },
  ],
  interface: [
    { pattern: 'interface <port>', run: enterInterface },
    {
      pattern: 'power inline auto|never|static',
      run: (state, words) => setMode(state, words[2] ?? ''),
    },
    {
      pattern: 'power inline auto|static max <milliwatts>',
      run: (state, words) => setMode(state, words.slice(2).join(' ')),
    },
    { pattern: 'no power inline auto|never|static', run: (state) => setMode(state, 'auto') },
    { pattern: 'no power inline', run: (state) => setMode(state, 'auto') },
    { pattern: 'default power inline', run: (state) => setMode(state, 'auto') },
    { pattern: 'exit', run: leaveSection },
    { pattern: 'end', run: end },
  ],
  section: [
    { pattern: 'interface <port>', run: enterInterface },
    { pattern: 'exit', run: leaveSection },
    { pattern: 'end', run: end },
  ],
};
