/**
 * The command line of Broadcom's Fastpath in Ubiquiti's EdgeSwitch and older UniFi switches.
 *
 * Modes, prompts, pager and the questions of `logout` and `write memory` are as in Ubiquiti's command reference, in
 * Oxidized's model `edgeswitch` and in recorded sessions; the wording of rarer refusals is from memory.
 */
import { type Command, findCommand } from './command-table.ts';
import { type FastpathSettings, versionOf } from './fastpath-configuration.ts';
import type { FastpathPoe, OpMode } from './fastpath-poe.ts';
import { enterStatement, isStatement, withoutSecret } from './fastpath-statements.ts';
import type { Pager, Terminal } from './terminal.ts';

export interface Fastpath {
  settings: FastpathSettings;
  /** What `enable` asks for; absent: it does not ask. */
  enablePassword?: string;
  /** `0/14`, or `2/0/14` on a stack. */
  poe: FastpathPoe;
}

export const fastpathPager: Pager = {
  text: '--More-- or (q)uit',
  erase: `\r${' '.repeat(18)}\r`,
  rows: 23,
};

export type FastpathMode = 'user' | 'privileged' | 'vlan' | 'config' | 'interface' | 'block';

export interface FastpathState {
  device: Fastpath;
  terminal: Terminal;
  mode: FastpathMode;
  /** Of the interface mode, as it was given, and what that means. */
  range: string;
  ports: string[];
  /** Of another block in the configuration. */
  block: string;
  over: boolean;
}

type Run = (state: FastpathState, words: string[]) => string | Promise<string>;

/** Talks until somebody logs out. */
export async function fastpathCli(terminal: Terminal, device: Fastpath): Promise<undefined> {
  const state: FastpathState = {
    device,
    terminal,
    mode: 'user',
    range: '',
    ports: [],
    block: '',
    over: false,
  };
  terminal.pager = fastpathPager;
  await terminal.greet('', promptOf({ ...state, mode: 'privileged' }));
  let gap = '\n';
  while (!state.over) {
    const prompt = promptOf(state);
    const line = await terminal.readLine(`${gap}${prompt}`);
    gap = line.trim() === '' ? '' : '\n';
    if (gap === '') continue;
    terminal.session.tell(withoutSecret(line.trim()));
    await terminal.answer(await carryOut(state, line, prompt.length));
  }
}

function promptOf({ device, mode, range, block }: FastpathState): string {
  const places: Record<FastpathMode, string> = {
    user: ' >',
    privileged: ' #',
    vlan: ' (Vlan)#',
    config: ' (Config)#',
    interface: ` (Interface ${range})#`,
    block: ` (Config-${block.split(' ')[0]})#`,
  };
  return `(${device.settings.name})${places[mode]}`;
}

async function carryOut(state: FastpathState, line: string, indent: number): Promise<string> {
  const found = findCommand(commands[state.mode], line);
  if (found.kind !== 'command' && isStatement(state, line))
    return await enterStatement(state, line);
  switch (found.kind) {
    case 'command':
      return found.run(state, found.words);
    case 'ambiguous':
      return '\n% Ambiguous command\n';
    case 'incomplete':
      return '\nCommand not found / Incomplete command. Use ? to list commands.\n';
    case 'invalid':
      return invalid(indent + found.column);
  }
}

function invalid(column: number): string {
  return `${' '.repeat(column)}^\n% Invalid input detected at '^' marker.\n`;
}

/** The ports that `all`, `0/5` or `0/1-0/12` mean. */
function portsOf({ device: { poe } }: FastpathState, text: string): string[] | undefined {
  if (text === 'all') return [...poe.ports];
  const [first = '', last = first] = text.split('-');
  const [from, to] = [poe.ports.indexOf(first), poe.ports.indexOf(last)];
  return from === -1 || to < from ? undefined : poe.ports.slice(from, to + 1);
}

const noSuchInterface = '\nAn invalid interface has been used for this function.\n';

function onPorts(run: (state: FastpathState, ports: string[]) => string): Run {
  return (state, words) => {
    const ports = portsOf(state, words.at(-1) ?? '');
    return ports ? run(state, ports) : noSuchInterface;
  };
}

function to(mode: FastpathMode): Run {
  return (state) => {
    state.mode = mode;
    return '';
  };
}

async function enable(state: FastpathState): Promise<string> {
  const { terminal, device } = state;
  if (device.enablePassword !== undefined) {
    const password = await terminal.readPassword('Password:', 'stars');
    if (password !== device.enablePassword) return '\nIncorrect Password!\n';
  }
  state.mode = 'privileged';
  return '';
}

async function logout(state: FastpathState): Promise<string> {
  const { terminal, device } = state;
  state.over = true;
  if (!device.poe.unsaved) return '';
  const key = await terminal.readKey(
    '\nThe system has unsaved changes.\nWould you like to save them now? (y/n) ',
  );
  if (key !== 'y') return '\nConfiguration Not Saved!\n';
  device.settings.save();
  return '\nConfiguration Saved!\n';
}

async function writeMemory({ terminal, device }: FastpathState): Promise<string> {
  const key = await terminal.readKey(
    '\nThis operation may take a few minutes.\n' +
      'Management interfaces will not be available during this time.\n\n' +
      'Are you sure you want to save? (y/n) ',
  );
  if (key !== 'y') return '\nConfiguration Not Saved!\n';
  device.settings.save();
  return "\nConfig file 'startup-config' created successfully .\n\n\nConfiguration Saved!\n";
}

async function clearConfiguration({ terminal, device }: FastpathState): Promise<string> {
  const key = await terminal.readKey('\nAre you sure you want to clear the configuration? (y/n) ');
  if (key !== 'y') return '\nConfiguration Not Cleared!\n';
  terminal.session.act(() => device.settings.clear());
  return '\nClearing configuration. Please wait for login prompt.\n';
}

function setPager({ terminal }: FastpathState, words: string[]): string {
  const rows = Number(words[2]);
  if (terminal.session.faults.has('pager-stays')) return '';
  terminal.pager = rows === 0 ? undefined : { ...fastpathPager, rows };
  return '';
}

function enterInterface(state: FastpathState, words: string[]): string {
  const range = words[1] ?? '';
  const ports = range === 'all' ? undefined : portsOf(state, range);
  if (!ports) return noSuchInterface;
  Object.assign(state, { mode: 'interface', range, ports });
  return '';
}

function setOpMode({ device, terminal, ports }: FastpathState, words: string[]): string {
  device.poe.setOpMode(terminal.session, ports, words[2] as OpMode);
  return '';
}

function resetPorts(state: FastpathState, words: string[]): string {
  const seconds = Number(words[2]);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 60) {
    return invalid(promptOf(state).length + 'poe reset '.length);
  }
  state.device.poe.reset(state.terminal.session, state.ports, seconds);
  return '';
}

const show: Command<Run>[] = [
  {
    pattern: 'show poe status <port>',
    run: onPorts(({ device }, ports) => device.poe.status(ports)),
  },
  {
    pattern: 'show poe port <port>',
    run: onPorts(({ device }, ports) => device.poe.settings(ports)),
  },
];
const leave: Command<Run>[] = [
  { pattern: 'logout', run: logout },
  { pattern: 'quit', run: logout },
];
const privilegedShow: Command<Run>[] = [
  ...show,
  {
    pattern: 'show running-config',
    run: ({ device, terminal }) => terminal.session.configuration(device.settings.running()),
  },
  {
    pattern: 'show startup-config',
    run: ({ device, terminal }) => terminal.session.configuration(device.settings.startup()),
  },
  {
    pattern: 'show running-config interface <port>',
    run: onPorts(({ device }, ports) =>
      ['', '!Current Configuration:', '!', ...ports.map((p) => device.settings.port(p))].join('\n'),
    ),
  },
  { pattern: 'show version', run: ({ device }) => versionOf(device.settings.facts) },
];

const commands: Record<FastpathMode, Command<Run>[]> = {
  user: [...show, ...leave, { pattern: 'enable', run: enable }, { pattern: 'exit', run: logout }],
  privileged: [
    ...privilegedShow,
    ...leave,
    { pattern: 'configure', run: to('config') },
    { pattern: 'vlan database', run: to('vlan') },
    { pattern: 'exit', run: to('user') },
    { pattern: 'disable', run: to('user') },
    { pattern: 'terminal length <lines>', run: setPager },
    { pattern: 'write memory', run: writeMemory },
    { pattern: 'copy system:running-config nvram:startup-config', run: writeMemory },
    { pattern: 'clear config', run: clearConfiguration },
  ],
  vlan: [
    ...privilegedShow,
    { pattern: 'exit', run: to('privileged') },
    { pattern: 'end', run: to('privileged') },
  ],
  config: [
    ...privilegedShow,
    { pattern: 'interface <port>', run: enterInterface },
    { pattern: 'exit', run: to('privileged') },
    { pattern: 'end', run: to('privileged') },
  ],
  interface: [
    ...privilegedShow,
    { pattern: 'interface <port>', run: enterInterface },
    { pattern: 'poe opmode auto|shutdown|passive24v', run: setOpMode },
    { pattern: 'poe reset <seconds>', run: resetPorts },
    { pattern: 'exit', run: to('config') },
    { pattern: 'end', run: to('privileged') },
  ],
  block: [
    { pattern: 'exit', run: to('config') },
    { pattern: 'end', run: to('privileged') },
  ],
};
