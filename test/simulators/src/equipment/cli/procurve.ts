/**
 * HP ProCurve and ArubaOS-S over ssh and telnet: a screen that waits for any key before the first prompt, everything
 * painted with VT100 sequences, a pager that only newer firmware turns off, `enable` that asks for a name and a password, and a
 * logout that asks twice.
 *
 * Sources: ArubaOS-Switch Management and Configuration Guide for YA/YB.16 ("Using the Command Line Interface",
 * "Configuration file management", include-credentials); Oxidized's, netmiko's and RANCID's notes on what it sends and asks; see
 * procurve-screen.ts for the sequences.
 */
import { OutletBoard } from '../device.ts';
import type { Command } from './command-table.ts';
import { type ConfiguredDevice, Core } from './core.ts';
import {
  type LineFamily,
  type LineRun,
  type LineSession,
  LineSettings,
  lineCli,
  to,
} from './line-cli.ts';
import type { CliModel, CliOptions } from './model.ts';
import {
  procurveExample,
  procurveRunning,
  procurveStartup,
  procurveStyle,
} from './procurve-configuration.ts';
import { procurveFacts } from './procurve-facts.ts';
import { ProcurveScreen, procurvePager } from './procurve-screen.ts';
import { startCliDevice } from './start.ts';
import type { Terminal } from './terminal.ts';
import { encodeText } from './text-bytes.ts';

export interface ProcurveOptions extends CliOptions {
  /** What it has running and saved; an example when absent, nothing where it is empty. */
  configuration?: string;
  serial?: string;
  /** Who signs in is a manager, privileged from the start, or an operator; manager when absent. */
  role?: 'manager' | 'operator';
  /** Of the manager, whom `enable` asks for; without a name it asks for the password only, without both for nothing. */
  manager?: { username?: string; password: string };
  /** How lines are scrolled; `next-line` when absent. */
  scrolls?: 'next-line' | 'delete-and-insert';
  /** Firmware that does not know `no page`. */
  alwaysPages?: boolean;
}

const copyright = `HP J9773A 2530-24G-PoEP Switch
Software revision YA.16.11.0005

(C) Copyright 2021 Hewlett Packard Enterprise Development LP

                   RESTRICTED RIGHTS LEGEND
 Confidential computer software. Valid license from Hewlett Packard Enterprise
 Development LP required for possession, use or copying.
`;

export async function startProcurve(options: ProcurveOptions): Promise<ConfiguredDevice> {
  const { configuration = procurveExample, role = 'manager' } = options;
  const core = new Core({
    board: new OutletBoard([]),
    ...options,
    configurationWords: {
      logLine: 'I 11/20/26 10:37:49 00076 ports: port 1 is now on-line',
      error: 'Not authorized to run this command.\n',
    },
  });
  const settings = new LineSettings(procurveStyle, configuration, procurveExample);
  const model: CliModel = {
    name: 'procurve',
    core,
    ident: 'Mocana SSH 6.3',
    signIn: ['publickey', 'password', 'keyboard-interactive'],
    words: {
      before: '',
      user: 'Username: ',
      password: 'Password: ',
      wrong: 'Unable to verify password\n',
      hidden: 'none',
      tries: 3,
    },
    screen: () => ({ width: 0, overflow: 'wrap', interactive: true, newline: '\r\n' }),
    shell: (terminal) => talk(terminal, settings, { ...options, role }),
    powerUp: () => settings.boot(),
  };
  const device = await startCliDevice(model, { maxSessions: 5, ...options });
  return {
    ...device,
    running: () => encodeText(procurveRunning(settings, core.addedLines())),
    startup: () => encodeText(procurveStartup(settings)),
  };
}

async function talk(
  terminal: Terminal,
  settings: LineSettings,
  options: ProcurveOptions & { role: 'manager' | 'operator' },
): Promise<undefined> {
  const screen = new ProcurveScreen(terminal, options.scrolls ?? 'next-line');
  terminal.pager = procurvePager;
  const mode = options.role === 'manager' ? 'privileged' : 'user';
  const session: LineSession = { terminal, settings, mode, isOver: false };
  await terminal.greet('', promptOf({ ...session, mode: 'privileged' }));
  await screen.welcome(terminal, copyright);
  const lastLogin = `Your previous successful login (as ${options.role}) was on 2026-11-19 09:12:33\n from 192.168.1.8\n`;
  terminal.put(lastLogin);
  return await lineCli(session, procurveFamily(screen, options));
}

function promptOf({ settings, mode }: LineSession): string {
  const name = (settings.running.value('hostname') ?? '"HP-2530-24G-PoEP"').replaceAll('"', '');
  if (mode !== 'config') return `${name}${mode === 'user' ? '> ' : '# '}`;
  const section = settings.running.sections.at(-1);
  const [, kind, number] = /^(interface|vlan) (.*)$/.exec(section ?? '') ?? [];
  const inside = kind === 'interface' ? `eth-${number}` : `vlan-${number}`;
  return `${name}(${kind === undefined ? (section ?? 'config').split(' ')[0] : inside})# `;
}

function procurveFamily(screen: ProcurveScreen, options: ProcurveOptions): LineFamily {
  const { manager, alwaysPages = false, serial = 'CN69FP30AB' } = options;
  async function enable(session: LineSession): Promise<string> {
    const { terminal } = session;
    if (manager !== undefined) {
      const { username, password } = manager;
      const name =
        username === undefined ? undefined : await screen.ask(terminal, 'Username: ', false);
      const word = await screen.ask(terminal, 'Password: ', true);
      if (name !== username || word !== password) return 'Unable to verify password\n';
    }
    session.mode = 'privileged';
    return '';
  }
  async function logOut(session: LineSession): Promise<string> {
    const { terminal, settings } = session;
    if ((await terminal.readKey('Do you want to log out (y/n)? ')) !== 'y') return '';
    if (settings.running.print() !== settings.saved?.text) {
      const question = 'Do you want to save current configuration (y/n/^C)? ';
      if ((await terminal.readKey(question)) === 'y') settings.save(terminal.session.user);
    }
    session.isOver = true;
    return '';
  }
  const paging: Command<LineRun>[] = alwaysPages
    ? []
    : [
        { pattern: 'no page', run: setPaging(false) },
        { pattern: 'page', run: setPaging(true) },
      ];
  const shown: Command<LineRun>[] = [
    { pattern: 'show running-config', run: showRunning },
    { pattern: 'write terminal', run: showRunning },
    { pattern: 'show config', run: ({ settings }) => procurveStartup(settings) },
    { pattern: 'write memory', run: save },
    { pattern: 'show config status', run: status },
    ...paging,
  ];
  const everywhere: Command<LineRun>[] = [
    ...paging,
    ...procurveFacts(serial),
    { pattern: 'logout', run: logOut },
    { pattern: 'terminal width <columns>', run: () => '' },
  ];
  return {
    async readLine(session) {
      if (session.settings.running.isInFreeText)
        return await screen.readLine(session.terminal, '> ');
      return await screen.readLine(session.terminal, promptOf(session));
    },
    user: [...everywhere, { pattern: 'enable', run: enable }, { pattern: 'exit', run: logOut }],
    privileged: [
      ...everywhere,
      ...shown,
      { pattern: 'configure terminal', run: to('config') },
      { pattern: 'configure', run: to('config') },
      { pattern: 'exit', run: to('user') },
    ],
    config: shown,
    refuse(_session, line, found) {
      if (found.kind === 'incomplete')
        return `Incomplete input: ${line.trim().split(/\s+/).at(-1)}\n`;
      if (found.kind === 'ambiguous') return `Ambiguous input: ${line.trim()}\n`;
      return `Invalid input: ${line.slice(found.column).trim().split(/\s+/)[0]}\n`;
    },
  };
}

function showRunning({ terminal, settings }: LineSession): string {
  const { session } = terminal;
  return session.configuration(procurveRunning(settings, session.core.addedLines()));
}

function status({ settings }: LineSession): string {
  return settings.running.print() === settings.saved?.text
    ? '\n Running configuration is same as the startup configuration.\n'
    : '\n Running configuration has been changed and needs to be saved.\n';
}

const save: LineRun = ({ settings, terminal }) => {
  terminal.session.act(() => settings.save(terminal.session.user));
  return '';
};

function setPaging(isOn: boolean): LineRun {
  return ({ terminal }) => {
    if (isOn) terminal.pager = procurvePager;
    else if (!terminal.session.faults.has('pager-stays')) terminal.pager = undefined;
    return '';
  };
}
