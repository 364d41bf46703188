/**
 * Prints the tables of host-tables.txt, as on a screen. A line that begins with `{host}`, `{link}`, `{neighbour}` or `{lease}` stands for
 * one of each, `\n` in it for its next line. `{port<9}` and `{port>9}` are padded to the right and left, `{mac.dotted}` is in another form,
 * and of `{up|down}` a link shows the first if it is up.
 *
 * No recording: what is printed follows the machines that a test has behind the ports.
 */
import { readFileSync } from 'node:fs';
import type { Plugged } from '../../wiring.ts';
import type { Commands, Run } from '../switch/model.ts';

/** Other forms of values. */
const forms: Readonly<Record<string, (text: string) => string>> = {
  dotted: (mac) => mac.replaceAll(':', '').replace(/(.{4})(?=.)/g, '$1.'),
  dashed: (mac) => mac.replaceAll(':', '').replace(/^.{6}/, '$&-'),
  upper: (text) => text.toUpperCase(),
  unit: (port) => `${port}.0`,
  /** Of Fastpath, whose ports are `0/3`. */
  slot: (port) => (port.includes('/') ? port : `0/${port}`),
  last: (port) => port.slice(port.lastIndexOf('/') + 1),
  known: (name) => name || '?',
};

type Lines = readonly string[];

/** By command, by model. */
const tables = new Map<string, Map<string, Lines>>();
const file = readFileSync(new URL('host-tables.txt', import.meta.url), 'utf8');
for (const table of file.split(/^== /m).slice(1)) {
  const [title = '', ...lines] = table.slice(0, -1).split('\n');
  const [, model = '', command = ''] = /^(\S+) (.*)$/.exec(title) ?? [];
  tables.set(model, (tables.get(model) ?? new Map<string, Lines>()).set(command, lines));
}

/** Tables of a model, by the commands that print them. */
export function hostTables(model: string, plugged: Plugged): ReadonlyMap<string, () => string> {
  const entries = [...(tables.get(model) ?? [])];
  return new Map(entries.map(([command, lines]) => [command, () => print(lines, plugged)]));
}

/** The commands of a switch that print them. */
export function tableCommands(model: string): Commands {
  const entries = [...(tables.get(model) ?? [])].map(([command, lines]): [string, Run] => [
    command,
    ({ device }) => print(lines, device.core.plugged),
  ]);
  return Object.fromEntries(entries);
}

function print(lines: Lines, plugged: Plugged): string {
  const [hosts, known] = [plugged.hosts(), neighbours(plugged)];
  const rows: Readonly<Record<string, readonly object[]>> = {
    host: hosts,
    link: plugged.links(),
    neighbour: known,
    lease: leases(plugged),
  };
  const { length } = hosts;
  const counts = { hosts: length, 'hosts+1': length + 1, 'hosts+2': length + 2 };
  const all = { own: plugged.own, vlan: 1, neighbours: known.length, ...counts };
  const printed = lines.flatMap((line) => {
    const [, kind = '', template = line] = /^\{(host|link|neighbour|lease)\}(.*)$/.exec(line) ?? [];
    return (rows[kind] ?? [{}]).map((row, index) => {
      const vid = 'vlan' in row ? ` vid=${row.vlan}` : '';
      return fill(template, { ...all, ...row, index, vid, uplink: index === 0 ? '@U ' : '' });
    });
  });
  return `${printed.join('\n')}\n`;
}

function fill(template: string, values: Readonly<Record<string, unknown>>): string {
  const text = template.replace(
    /\{([^{}<>]*)(?:([<>])(\d+))?\}/g,
    (_whole, what: string, side?: string, width = '0') => {
      const [first = '', second] = what.split('|');
      const [name = '', form = ''] = first.split('.');
      const value = String(values[name] ?? '');
      const chosen = values.isUp === true ? first : second;
      const shown = second === undefined ? (forms[form]?.(value) ?? value) : (chosen ?? '');
      return side === '<' ? shown.padEnd(Number(width)) : shown.padStart(Number(width));
    },
  );
  return text.replaceAll('\\n', '\n');
}

/** Those of whom it knows the address. */
export function neighbours(plugged: Plugged) {
  return plugged
    .hosts()
    .flatMap(({ address, ...rest }) => (address === undefined ? [] : [{ ...rest, address }]));
}

export function leases(plugged: Plugged) {
  return neighbours(plugged).flatMap(({ hostname, ...rest }) =>
    hostname === undefined ? [] : [{ ...rest, hostname }],
  );
}
