/**
 * Arista switch (EOS) over ssh: `enable` that asks for a password only where one is set, a probe of the terminal before
 * the first prompt, a pager, and configuration sessions, which replace what is in force as a whole and undo themselves
 * unless they are confirmed.
 *
 * Sources: Arista EOS User Manual ("Command-Line Interface", "Switch Administration": configuration sessions, `commit
 * timer`, `rollback clean-config`); sessions that gnetcli recorded (probe, pager, texts of refusals); headers of configurations as
 * Oxidized and RANCID strip them. What the pager sends to disappear is what less(1) does.
 */
import { OutletBoard } from '../device.ts';
import type { Command } from './command-table.ts';
import { type ConfiguredDevice, Core } from './core.ts';
import { eosExample, eosRunning, eosStartup, eosStyle } from './eos-configuration.ts';
import { eosFacts } from './eos-facts.ts';
import { EosSessions } from './eos-sessions.ts';
import {
  type LineFamily,
  type LineRun,
  type LineSession,
  LineSettings,
  leave,
  lineCli,
  setPager,
  to,
} from './line-cli.ts';
import type { CliModel, CliOptions } from './model.ts';
import { startCliDevice } from './start.ts';
import type { Pager } from './terminal.ts';
import { encodeText } from './text-bytes.ts';

export interface EosOptions extends CliOptions {
  /** What it has running and saved; an example when absent, nothing where it is empty. */
  configuration?: string;
  serial?: string;
  /** What `enable` asks for; absent: nothing. */
  enablePassword?: string;
}

const pager: Pager = { text: '\x1b[7m --More-- \x1b[27m\x1b[K', erase: '\r\x1b[K', rows: 23 };

export async function startEos(options: EosOptions): Promise<ConfiguredDevice> {
  const { configuration = eosExample, serial = 'SSJ17190123' } = options;
  const core = new Core({
    board: new OutletBoard([]),
    ...options,
    configurationWords: {
      logLine:
        'Nov 20 10:37:49 arista-1 Ebra: %LINEPROTO-5-UPDOWN: Line protocol on Interface Ethernet1, changed state to up',
      error: "% Authorization denied for command 'show running-config'\n",
    },
  });
  const settings = new LineSettings(eosStyle, configuration, eosExample);
  const sessions = new EosSessions(core, settings, eosStyle, eosExample);
  const running = () => eosRunning(settings, core.addedLines());
  const family = eosFamily({ serial, running, sessions, enablePassword: options.enablePassword });
  const model: CliModel = {
    name: 'eos',
    core,
    ident: 'OpenSSH_8.3',
    signIn: ['publickey', 'keyboard-interactive', 'password'],
    words: {
      before: '',
      user: 'login: ',
      password: 'Password: ',
      wrong: '\nLogin incorrect\n\n',
      hidden: 'none',
      tries: 3,
    },
    screen: () => ({ width: 0, overflow: 'wrap', interactive: true, newline: '\r\n' }),
    async shell(terminal) {
      terminal.pager = pager;
      const lastLogin = 'Last login: Fri Nov 20 09:58:01 2026 from 192.168.1.8\n';
      await terminal.greet(lastLogin, `${nameOf(settings)}#`);
      terminal.put('\x1b[5n');
      return await lineCli({ terminal, settings, mode: 'user', isOver: false }, family);
    },
    powerUp: () => settings.boot(),
  };
  const device = await startCliDevice(model, { maxSessions: 50, ...options });
  return {
    ...device,
    running: () => encodeText(running()),
    startup: () => encodeText(eosStartup(settings)),
  };
}

function nameOf(settings: LineSettings): string {
  return settings.running.value('hostname') ?? 'localhost';
}

/** `config-if-Et1` for Ethernet1, `config-router-bgp` for a routing process …; `config` where nobody told. */
function modeName(section: string | undefined): string {
  const [, kind, number] = /^interface (\D{2})\D*(.*)$/.exec(section ?? '') ?? [];
  if (kind !== undefined) return `config-if-${kind}${number}`;
  const [, vlan] = /^vlan (.*)$/.exec(section ?? '') ?? [];
  if (vlan !== undefined) return `config-vlan-${vlan}`;
  const [, process] = /^router (\w+)/.exec(section ?? '') ?? [];
  return process === undefined ? 'config' : `config-router-${process}`;
}

interface Eos {
  serial: string;
  running: () => string;
  sessions: EosSessions;
  enablePassword: string | undefined;
}

function eosFamily({ serial, running, sessions, enablePassword }: Eos): LineFamily {
  const shown: Command<LineRun>[] = [
    {
      pattern: 'show running-config',
      run: ({ terminal }) => terminal.session.configuration(running()),
    },
    { pattern: 'show startup-config', run: ({ settings }) => eosStartup(settings) },
    { pattern: 'write memory', run: save },
    { pattern: 'write', run: save },
    { pattern: 'copy running-config startup-config', run: save },
  ];
  const everywhere: Command<LineRun>[] = [
    { pattern: 'exit', run: leave },
    { pattern: 'logout', run: leave },
    { pattern: 'terminal length <lines>', run: setPager(pager, lengthSet) },
    {
      pattern: 'terminal width <columns>',
      run: (_, words) => `Width set to ${words[2]} columns.\n`,
    },
    ...eosFacts(serial),
  ];
  async function enable({ terminal }: LineSession): Promise<string> {
    if (enablePassword === undefined) return '';
    for (let tries = 0; tries < 3; tries += 1) {
      if ((await terminal.readPassword('Password: ', 'none')) === enablePassword) return '';
    }
    return '% Bad secret\n';
  }
  return {
    async readLine({ terminal, settings, mode }) {
      const { sections, isInFreeText } = sessions.target(terminal) ?? settings.running;
      if (isInFreeText) return await terminal.readLine('');
      const section = modeName(sections.at(-1));
      const inSession = sessions.nameOf(terminal);
      const name =
        inSession === undefined ? section : section.replace('config', `config-s-${inSession}`);
      const ends = { user: '>', privileged: '#', config: `(${name})#` };
      return await terminal.readLine(`${nameOf(settings)}${ends[mode]}`);
    },
    target: ({ terminal }) => sessions.target(terminal),
    user: [
      ...everywhere,
      {
        pattern: 'enable',
        async run(session) {
          const said = await enable(session);
          if (said === '') session.mode = 'privileged';
          return said;
        },
      },
    ],
    privileged: [
      ...everywhere,
      ...shown,
      { pattern: 'enable', run: () => '' },
      { pattern: 'disable', run: to('user') },
      { pattern: 'configure terminal', run: to('config') },
      { pattern: 'configure', run: to('config') },
      ...sessions.commands,
    ],
    config: [...shown, ...sessions.commandsInside],
    refuse({ mode }, line, found) {
      const words = line.trim().split(/\s+/);
      if (found.kind === 'incomplete') return '% Incomplete command\n';
      if (found.kind === 'ambiguous') return '% Ambiguous command\n';
      if (mode === 'user') return '% Invalid input (privileged mode required)\n';
      const at = line.slice(0, found.column).trim().split(/\s+/).filter(Boolean).length;
      return `% Invalid input (at token ${at}: '${words[at] ?? ''}')\n`;
    },
  };
}

function lengthSet(rows: number): string {
  return rows === 0 ? 'Pagination disabled.\n' : `Terminal length set to ${rows}.\n`;
}

const save: LineRun = ({ settings, terminal }) => {
  terminal.session.act(() => settings.save(terminal.session.user));
  return 'Copy completed successfully.\n';
};
