/** `/system` and `/file` of a MikroTik, as far as backups and their way back go. */

import type { Terminal } from '../../terminal.ts';
import type { Files } from '../../unix/box.ts';
import type { RouterosConfiguration } from './routeros-configuration.ts';
import { RouterosError } from './routeros-poe.ts';

export interface RouterosSystem {
  configuration: RouterosConfiguration;
  version: string;
  serial: string;
  files: Files;
  /** How often it has exported its configuration. */
  exports: number;
  /** Of the group of who signs in. */
  policies: readonly string[];
}

/** Undefined: it is another command. */
export async function systemCommand(
  terminal: Terminal,
  line: string,
  system: RouterosSystem,
): Promise<string | undefined> {
  const words = line.replace(/^\//, '').replaceAll('/', ' ').split(/\s+/);
  const [menu = '', ...rest] = words;
  if (menu === ':put') return policiesOf(terminal, line, system);
  if (menu === 'export') return exported(terminal, rest, system);
  if (menu === 'import') return imported(terminal, file(rest, system, 'file-name'), system);
  if (menu !== 'system') return typed(terminal, line, system);
  const command = rest.filter((word) => word !== 'without-paging').join(' ');
  if (command.startsWith('reset-configuration')) return await reset(terminal, rest, system);
  if (command.startsWith('backup save')) {
    const path = `/${property(rest, 'name') ?? 'rack'}.backup`;
    system.files.write(path, '\x88\xac\xa1\xb1', terminal);
    return 'Saving system configuration\nConfiguration backup saved\n';
  }
  return facts(command, system) ?? typed(terminal, line, system);
}

function exported(terminal: Terminal, words: string[], system: RouterosSystem): string {
  const { configuration, version, serial, policies } = system;
  system.exports += 1;
  const text = configuration.export(words, {
    version,
    serial,
    isShortCircuit: system.exports % 2 === 0,
    maySeeSecrets: policies.includes('sensitive'),
    added: terminal.session.core.addedLines(),
  });
  return terminal.session.configuration(text);
}

/** `:put [/user group get [/user get [find name="admin"] group] policy]`: values of a list are separated by semicolons. */
function policiesOf(terminal: Terminal, line: string, { policies }: RouterosSystem) {
  const [, name] =
    /^:put \[\/user group get \[\/user get \[find name="([^"]+)"\] group\] policy\]$/.exec(line) ??
    [];
  if (name === undefined) return undefined;
  const own = terminal.session.user.replace(/\+.*$/, '');
  return name === own ? `${policies.join(';')}\n` : 'no such item\n';
}

function typed(terminal: Terminal, line: string, { configuration }: RouterosSystem) {
  let isKnown = false;
  terminal.session.act(() => {
    isKnown = configuration.type(line);
  });
  return isKnown ? '' : undefined;
}

function imported(terminal: Terminal, text: string, { configuration }: RouterosSystem): string {
  terminal.session.act(() => configuration.import(text));
  return '\nScript file loaded and executed successfully\n';
}

async function reset(terminal: Terminal, words: string[], system: RouterosSystem): Promise<string> {
  const text = file(words, system, 'run-after-reset');
  const answer = await terminal.readKey('Dangerous! Reset anyway? [y/N]: ');
  if (answer !== 'y') return 'action cancelled\n';
  terminal.session.act(() => system.configuration.reset(text));
  terminal.put('system configuration will be reset\n');
  return terminal.drop();
}

function file(words: string[], { files }: RouterosSystem, key: string): string {
  const name = property(words, key) ?? words[0] ?? '';
  const text = files.read(`/${name}`);
  if (text === undefined) throw new RouterosError('no such item');
  return text;
}

function property(words: string[], key: string): string | undefined {
  return words.find((word) => word.startsWith(`${key}=`))?.slice(key.length + 1);
}

function facts(command: string, { configuration, version, serial }: RouterosSystem) {
  switch (command) {
    case 'identity print':
      return `  name: ${configuration.identity}\n\n`;
    case 'routerboard print':
      return `       routerboard: yes
             model: RB5009UPr+S+
     serial-number: ${serial}
     firmware-type: 70x0
  factory-firmware: 7.5
  current-firmware: ${version}
  upgrade-firmware: ${version}

`;
    case 'license print':
      return '  software-id: PEWV-11HC\n       nlevel: 5\n     features: \n\n';
    case 'package print detail':
      return `Flags: X - disabled, A - available \n 0    name="routeros" version="${version}" build-time=2024-07-24 10:39:01 size=11.6MiB\n\n`;
    case 'history print detail':
      return 'Flags: U - undoable, R - redoable, F - floating-undo \n U  action="identity changed" by="ann" policy=write time=2026-11-19 09:12:33 \n\n U  action="item added" by="admin" policy=write time=2026-11-18 16:40:00 \n\n';
    default:
      return undefined;
  }
}
