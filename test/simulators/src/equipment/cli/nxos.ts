/**
 * Cisco Nexus with NX-OS over ssh: everybody with the role network-admin is privileged from the start, `show` works in
 * configuration mode, too, the echo of a line ends in CR CR LF, and a return comes before each prompt. Its
 * configuration has no end mark; the one that it boots with is a copy.
 *
 * Sources: Cisco Nexus 9000 NX-OS Fundamentals Configuration Guide ("Understanding the Command-Line Interface",
 * "Configuration files"); sessions that gnetcli recorded (CR CR LF, the pager and its attributes, the texts of refusals);
 * headers of configurations as Oxidized and RANCID strip them. What the pager sends to disappear is made up: it is
 * what less(1) does.
 */
import { OutletBoard } from '../device.ts';
import type { Command } from './command-table.ts';
import { type ConfiguredDevice, Core } from './core.ts';
import {
  type LineFamily,
  type LineRun,
  LineSettings,
  leave,
  lineCli,
  setPager,
  to,
} from './line-cli.ts';
import type { CliModel, CliOptions } from './model.ts';
import { nxosExample, nxosRunning, nxosStartup, nxosStyle } from './nxos-configuration.ts';
import { nxosFacts } from './nxos-facts.ts';
import { startCliDevice } from './start.ts';
import type { Pager } from './terminal.ts';
import { encodeText } from './text-bytes.ts';

export interface NxosOptions extends CliOptions {
  /** What it has running and saved; an example when absent, nothing where it is empty. */
  configuration?: string;
  serial?: string;
}

const pager: Pager = { text: '\x1b[7m--More--\x1b[m', erase: '\r\x1b[K', rows: 23 };

const motd = `
Cisco Nexus Operating System (NX-OS) Software
TAC support: http://www.cisco.com/tac
Copyright (C) 2002-2021, Cisco and/or its affiliates.
All rights reserved.
`;

export async function startNxos(options: NxosOptions): Promise<ConfiguredDevice> {
  const { configuration = nxosExample, serial = 'FDO21120ABC' } = options;
  const core = new Core({
    board: new OutletBoard([]),
    ...options,
    configurationWords: {
      logLine:
        '2026 Nov 20 10:37:49 nexus-1 %ETHPORT-5-IF_UP: Interface Ethernet1/1 is up in mode access',
      error: '% Permission denied for the role\n',
    },
  });
  const settings = new LineSettings(nxosStyle, configuration, nxosExample);
  const running = () => nxosRunning(settings, core.addedLines());
  const family = nxosFamily(serial, running);
  const model: CliModel = {
    name: 'nxos',
    core,
    ident: 'OpenSSH_7.7 FIPS Object Module/2.0.14',
    signIn: ['publickey', 'keyboard-interactive', 'password'],
    words: {
      before: 'User Access Verification\n',
      user: 'login: ',
      password: 'Password: ',
      wrong: '\nLogin incorrect\n\n',
      hidden: 'none',
      tries: 3,
    },
    screen: () => ({
      width: 0,
      overflow: 'wrap',
      interactive: true,
      newline: '\r\n',
      repaint: () => '\r\r',
    }),
    async shell(terminal) {
      terminal.pager = pager;
      const session = { terminal, settings, mode: 'privileged', isOver: false } as const;
      await terminal.greet(motd, nameOf(settings, '# '));
      return await lineCli({ ...session }, family);
    },
    powerUp: () => settings.boot(),
  };
  const device = await startCliDevice(model, { maxSessions: 32, ...options });
  return {
    ...device,
    running: () => encodeText(running()),
    startup: () => encodeText(nxosStartup(settings)),
  };
}

function nameOf(settings: LineSettings, end: string): string {
  return `${settings.running.value('hostname') ?? 'switch'}${end}`;
}

/** `config-if` for an interface, `config-router` for a routing process …; `config` where nobody told. */
function modeName(section: string | undefined): string {
  if (section === undefined) return 'config';
  const names: [RegExp, string][] = [
    [/^interface /, 'config-if'],
    [/^vlan /, 'config-vlan'],
    [/^router /, 'config-router'],
    [/^neighbor /, 'config-router-neighbor'],
    [/^vrf /, 'config-vrf'],
    [/^line console/, 'config-console'],
    [/^line /, 'config-line'],
    [/^key chain /, 'config-keychain'],
    [/^aaa group /, 'config-tacacs+'],
  ];
  return names.find(([pattern]) => pattern.test(section))?.[1] ?? 'config';
}

function nxosFamily(serial: string, running: () => string): LineFamily {
  const leaving: Command<LineRun>[] = [
    { pattern: 'exit', run: leave },
    { pattern: 'logout', run: leave },
  ];
  const shown: Command<LineRun>[] = [
    {
      pattern: 'show running-config',
      run: ({ terminal }) => terminal.session.configuration(running()),
    },
    { pattern: 'show startup-config', run: ({ settings }) => nxosStartup(settings) },
    { pattern: 'copy running-config startup-config', run: save },
    ...nxosFacts(serial),
  ];
  return {
    async readLine(session) {
      const { terminal, settings, mode } = session;
      const section = settings.running.sections.at(-1);
      const name = mode === 'config' ? `(${modeName(section)})# ` : '# ';
      // Free text is asked for with `> `.
      const prompt = settings.running.isInFreeText ? '> ' : nameOf(settings, name);
      terminal.put('\r');
      return await terminal.readLine(prompt);
    },
    user: [],
    privileged: [
      ...leaving,
      ...shown,
      { pattern: 'terminal length <lines>', run: setPager(pager) },
      { pattern: 'terminal width <columns>', run: () => '' },
      { pattern: 'terminal no monitor-force', run: () => '' },
      {
        pattern: 'configure terminal',
        run: to('config', 'Enter configuration commands, one per line. End with CNTL/Z.\n'),
      },
    ],
    config: shown,
    refuse(session, line, found) {
      const prompt = nameOf(session.settings, session.mode === 'config' ? '(config)# ' : '# ');
      const column = found.kind === 'invalid' ? found.column : line.length;
      const marker = `${' '.repeat(prompt.length + column)}^\n`;
      if (found.kind === 'incomplete') return `${marker}% Incomplete command at '^' marker.\n`;
      if (found.kind === 'ambiguous') return `% Ambiguous command at '^' marker.\n`;
      return `${marker}% Invalid command at '^' marker.\n`;
    },
  };
}

const save: LineRun = ({ settings, terminal }) => {
  terminal.session.act(() => settings.save(terminal.session.user));
  return '[########################################] 100%\nCopy complete, now saving to disk (please wait)...\nCopy complete.\n';
};
