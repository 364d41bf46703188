/**
 * What a Fastpath switch is configured with: only what differs from the factory, with remarks that change by themselves. The PoE
 * mode of each port is kept with the ports, and shown in their blocks.
 */
import type { Core } from './core.ts';
import {
  blockOf,
  copyFastpath,
  enterLine,
  type FastpathLine,
  parseFastpath,
  renderFastpath,
} from './fastpath-lines.ts';
import type { FastpathPoe, OpMode } from './fastpath-poe.ts';

export const factoryName = 'UBNT EdgeSwitch';

const factory = `network protocol none
vlan database
exit

configure
line console
exit

line telnet
exit

line ssh
exit

exit
`;

const description = 'EdgeSwitch 24-Port 250W, 1.9.3, Linux 3.6.5-03329b4a, 1.1.0.5102011';
/** It had run for this long when it was started here. */
const upSeconds = ((12 * 24 + 3) * 60 + 41) * 60 + 7;

export interface FastpathFacts {
  /** In the prompt while the configuration has no `hostname`. */
  name: string;
  serial: string;
}

export class FastpathSettings {
  readonly poe: FastpathPoe;
  readonly facts: FastpathFacts;
  lines: FastpathLine[] = [];
  private readonly core: Core;
  private readonly startedAt = Date.now();
  private saved: string;

  /** @param text saved when it starts; the factory's when absent */
  constructor(core: Core, poe: FastpathPoe, facts: FastpathFacts, text = factory) {
    this.core = core;
    this.poe = poe;
    this.facts = facts;
    const named = facts.name === factoryName ? '' : `hostname "${facts.name}"\n`;
    this.saved = /^hostname /m.test(text) ? text : `${named}${text}`;
  }

  get name(): string {
    const line = this.lines.find((each) => each.line.startsWith('hostname '))?.line;
    return line?.slice('hostname '.length).replace(/^"(.*)"$/, '$1') ?? factoryName;
  }

  /** What is saved comes into force. */
  powerUp(): void {
    this.lines = parseFastpath(this.saved);
    this.poe.setSaved(this.takeModes());
    this.poe.powerUp();
  }

  save(): void {
    this.saved = this.body();
    this.poe.save();
  }

  /** `clear config`: as it came. */
  clear(): void {
    this.lines = parseFastpath(factory);
    this.poe.setAll('auto');
  }

  change(path: readonly string[], line: string): void {
    this.poe.unsaved = true;
    enterLine(this.block(path), line);
  }

  /** The statements in a block, which is made where there is none. */
  block(path: readonly string[]): FastpathLine[] {
    return path.reduce((lines, line) => blockOf(lines, line), this.lines);
  }

  running(): string {
    return `${this.header()}${this.body(this.core.addedLines())}\n`;
  }

  startup(): string {
    const added = this.core.addedLines();
    const lines = parseFastpath(this.saved);
    return `${this.header()}${renderFastpath(withBanner(lines, added))}\n`;
  }

  /** The block of a port, as it is shown alone. */
  port(port: string): string {
    const block = this.withModes().find(({ line }) => line === 'configure')?.children ?? [];
    const found = block.find(({ line }) => line === `interface ${port}`);
    return `interface  ${port}\n${renderFastpath(found?.children ?? [])}exit\n`;
  }

  private body(added: readonly string[] = []): string {
    return renderFastpath(withBanner(this.withModes(), added));
  }

  private withModes(): FastpathLine[] {
    const lines = copyFastpath(this.lines);
    for (const port of this.poe.ports) {
      const mode = this.poe.opMode(port);
      if (mode === 'auto') continue;
      const block = blockOf(blockOf(lines, 'configure'), `interface ${port}`);
      block.push({ line: `poe opmode ${mode}`, text: [] });
    }
    return lines;
  }

  /** Out of the statements, as the ports know them. */
  private takeModes(): Map<string, OpMode> {
    const modes = new Map<string, OpMode>();
    for (const { line, children = [] } of this.block(['configure'])) {
      const at = children.findIndex((each) => each.line.startsWith('poe opmode '));
      if (at === -1) continue;
      const mode = /(auto|passive24v|shutdown)$/.exec(children[at]?.line ?? '')?.[1];
      children.splice(at, 1);
      if (mode === 'auto' || mode === 'passive24v' || mode === 'shutdown') {
        modes.set(line.slice('interface '.length), mode);
      }
    }
    return modes;
  }

  private header(): string {
    const up = upSeconds + Math.floor((Date.now() - this.startedAt) / this.core.secondMs);
    const [days, hours, minutes, seconds] = [
      Math.floor(up / 86_400),
      Math.floor(up / 3600) % 24,
      Math.floor(up / 60) % 60,
      up % 60,
    ];
    return [
      '',
      '!Current Configuration:',
      '!',
      `!System Description "${description}"`,
      '!System Software Version "1.9.3"',
      `!System Up Time          "${days} days ${hours} hrs ${minutes} mins ${seconds} secs"`,
      '!Additional Packages     QOS,IPv6 Management,Routing',
      '!Current SNTP Synchronized Time: SNTP Last Attempt Status Is Not Successful',
      '!',
      '',
    ].join('\n');
  }
}

/** Text in the banner may be anything, also what looks like a prompt. */
function withBanner(lines: readonly FastpathLine[], added: readonly string[]): FastpathLine[] {
  const all = copyFastpath(lines);
  if (added.length > 0) {
    blockOf(all, 'configure').unshift({ line: 'set clibanner "', text: [...added, '"'] });
  }
  return all;
}

export function versionOf({ serial }: FastpathFacts): string {
  const mac = serial.match(/../g)?.join(':') ?? '';
  return [
    '',
    'Switch: 1',
    '',
    `System Description............................. ${description}`,
    'Machine Type................................... EdgeSwitch 24-Port 250W',
    'Machine Model.................................. ES-24-250W',
    `Serial Number.................................. ${serial}`,
    `Burned In MAC Address.......................... ${mac}`,
    'Software Version............................... 1.9.3',
    '',
  ].join('\n');
}
