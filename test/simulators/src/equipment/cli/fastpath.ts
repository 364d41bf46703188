/**
 * The command line of Broadcom's Fastpath in Ubiquiti's EdgeSwitch and older UniFi switches.
 *
 * Modes, prompts, pager and the questions of `logout` and `write memory` are as in Ubiquiti's command reference, in
 * Oxidized's model `edgeswitch` and in recorded sessions; the wording of rarer refusals is from memory.
 */
import { type Command, findCommand } from './command-table.ts';
import { fastpathConfiguration, fastpathInterface } from './fastpath-configuration.ts';
import type { FastpathPoe, OpMode } from './fastpath-poe.ts';
import type { Pager, Terminal } from './terminal.ts';

export interface Fastpath {
  /** In the prompt's parentheses; may hold spaces and brackets. */
  name: string;
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

type Mode = 'user' | 'privileged' | 'config' | 'interface';

interface State {
  device: Fastpath;
  terminal: Terminal;
  mode: Mode;
  /** Of the interface mode, as it was given, and what that means. */
  range: string;
  ports: string[];
  over: boolean;
}

type Run = (state: State, words: string[]) => string | Promise<string>;

/** Talks until somebody logs out. */
export async function fastpathCli(terminal: Terminal, device: Fastpath): Promise<undefined> {
  const state: State = { device, terminal, mode: 'user', range: '', ports: [], over: false };
  terminal.pager = fastpathPager;
  await terminal.greet('', promptOf({ ...state, mode: 'privileged' }));
  let gap = '\n';
  while (!state.over) {
    const prompt = promptOf(state);
    const line = await terminal.readLine(`${gap}${prompt}`);
    gap = line.trim() === '' ? '' : '\n';
    if (gap === '') continue;
    terminal.session.tell(line.trim());
    await terminal.answer(await carryOut(state, line, prompt.length));
  }
}

function promptOf({ device, mode, range }: State): string {
  const places: Record<Mode, string> = {
    user: ' >',
    privileged: ' #',
    config: ' (Config)#',
    interface: ` (Interface ${range})#`,
  };
  return `(${device.name})${places[mode]}`;
}

async function carryOut(state: State, line: string, indent: number): Promise<string> {
  const found = findCommand(commands[state.mode], line);
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
function portsOf({ device: { poe } }: State, text: string): string[] | undefined {
  if (text === 'all') return [...poe.ports];
  const [first = '', last = first] = text.split('-');
  const [from, to] = [poe.ports.indexOf(first), poe.ports.indexOf(last)];
  return from === -1 || to < from ? undefined : poe.ports.slice(from, to + 1);
}

const noSuchInterface = '\nAn invalid interface has been used for this function.\n';

function onPorts(run: (state: State, ports: string[]) => string): Run {
  return (state, words) => {
    const ports = portsOf(state, words.at(-1) ?? '');
    return ports ? run(state, ports) : noSuchInterface;
  };
}

function to(mode: Mode): Run {
  return (state) => {
    state.mode = mode;
    return '';
  };
}

async function enable(state: State): Promise<string> {
  const { terminal, device } = state;
  if (device.enablePassword !== undefined) {
    const password = await terminal.readLine('Password:', 'stars');
    if (password !== device.enablePassword) return '\nIncorrect Password!\n';
  }
  state.mode = 'privileged';
  return '';
}

async function logout(state: State): Promise<string> {
  const { terminal, device } = state;
  state.over = true;
  if (!device.poe.unsaved) return '';
  const key = await terminal.readKey(
    '\nThe system has unsaved changes.\nWould you like to save them now? (y/n) ',
  );
  if (key !== 'y') return '\nConfiguration Not Saved!\n';
  device.poe.save();
  return '\nConfiguration Saved!\n';
}

async function writeMemory({ terminal, device }: State): Promise<string> {
  const key = await terminal.readKey(
    '\nThis operation may take a few minutes.\n' +
      'Management interfaces will not be available during this time.\n\n' +
      'Are you sure you want to save? (y/n) ',
  );
  if (key !== 'y') return '\nConfiguration Not Saved!\n';
  device.poe.save();
  return "\nConfig file 'startup-config' created successfully .\n\n\nConfiguration Saved!\n";
}

function setPager({ terminal }: State, words: string[]): string {
  const rows = Number(words[2]);
  if (terminal.session.faults.has('pager-stays')) return '';
  terminal.pager = rows === 0 ? undefined : { ...fastpathPager, rows };
  return '';
}

function enterInterface(state: State, words: string[]): string {
  const range = words[1] ?? '';
  const ports = range === 'all' ? undefined : portsOf(state, range);
  if (!ports) return noSuchInterface;
  Object.assign(state, { mode: 'interface', range, ports });
  return '';
}

function setOpMode({ device, terminal, ports }: State, words: string[]): string {
  device.poe.setOpMode(terminal.session, ports, words[2] as OpMode);
  return '';
}

function resetPorts(state: State, words: string[]): string {
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
  { pattern: 'show running-config', run: ({ device }) => fastpathConfiguration(device) },
  {
    pattern: 'show running-config interface <port>',
    run: onPorts(({ device }, ports) =>
      ['', '!Current Configuration:', '!', ...ports.map((p) => fastpathInterface(device, p))].join(
        '\n',
      ),
    ),
  },
];

const commands: Record<Mode, Command<Run>[]> = {
  user: [...show, ...leave, { pattern: 'enable', run: enable }, { pattern: 'exit', run: logout }],
  privileged: [
    ...privilegedShow,
    ...leave,
    { pattern: 'configure', run: to('config') },
    { pattern: 'exit', run: to('user') },
    { pattern: 'disable', run: to('user') },
    { pattern: 'terminal length <lines>', run: setPager },
    { pattern: 'write memory', run: writeMemory },
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
};
