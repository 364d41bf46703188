/** Statements that change the configuration of a Fastpath switch: which there are in which mode, and where they go. */
import type { FastpathMode, FastpathState } from './fastpath.ts';
import { opensBlock } from './fastpath-lines.ts';

/** For the log of what it was told. */
export function withoutSecret(line: string): string {
  return line.replace(/\b(password|key|community|auth-\w+|priv-\w+) ("[^"]*"|\S+)/g, '$1 <secret>');
}

/** First words of what may be configured. */
const statements: Record<FastpathMode, RegExp | undefined> = {
  user: undefined,
  privileged: /^(no )?(hostname|network|ip ssh|ip http|set) /,
  vlan: /^(no )?vlan /,
  config:
    /^(no )?(snmp-server|sntp|clock|username|users|ip|ipv6|logging|spanning-tree|radius|radius-server|tacacs-server|aaa|authentication|line|router|policy-map|class-map|mac|lldp|set|storm-control|enable|vlan|hostname|network|port-channel|monitor|dhcp|dot1x|snmp|interface) /,
  interface:
    /^(no )?(description|vlan|switchport|spanning-tree|lldp|speed|auto-negotiate|mtu|storm-control|shutdown|addport|routing|ip|ipv6|port-security|dot1x|cos-queue|channel-group)\b/,
  block: /^(no )?\S/,
};

export function isStatement({ mode }: FastpathState, line: string): boolean {
  const text = line.trim();
  return text.startsWith('!') || (statements[mode]?.test(`${text} `) ?? false);
}

/** Where statements of the mode are kept. */
function pathsOf({ mode, ports, block }: FastpathState): string[][] {
  switch (mode) {
    case 'vlan':
      return [['vlan database']];
    case 'config':
      return [['configure']];
    case 'interface':
      return ports.map((port) => ['configure', `interface ${port}`]);
    case 'block':
      return [['configure', block]];
    default:
      return [[]];
  }
}

export async function enterStatement(state: FastpathState, typed: string): Promise<string> {
  const { device, terminal } = state;
  const line = typed.trim();
  if (line.startsWith('!')) return '';
  if (state.mode === 'config' && opensBlock(line, 1)) {
    terminal.session.act(() => void device.settings.block(['configure', line]));
    Object.assign(state, { mode: 'block', block: line });
    return '';
  }
  const text = [line];
  while ((text.join('\n').match(/"/g)?.length ?? 0) % 2 === 1) {
    text.push(await terminal.readLine('> '));
  }
  terminal.session.act(() => {
    for (const path of pathsOf(state)) device.settings.change(path, text.join('\n'));
  });
  return '';
}
