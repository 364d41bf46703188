/**
 * PoE ports as Catalyst switches keep and show them. The tables are those of the command references of the Catalyst 3560
 * and 3650: `Power` is what is allotted by class, not what flows, and the table of one port is followed by a second one
 * whose line begins like the first's.
 */
import type { Core, Session } from './core.ts';

/** `auto`, `static max 15400`, `never`: what follows `power inline` in the configuration. */
export type InlineMode = string;

/** Watts that are allotted to a class. */
const allotments = [
  { upTo: 3.84, watts: 4, class: '1' },
  { upTo: 6.49, watts: 7, class: '2' },
  { upTo: 12.95, watts: 15.4, class: '3' },
  { upTo: Number.POSITIVE_INFINITY, watts: 30, class: '4' },
];

export function longName(port: string): string {
  return port
    .replace(/^Gi/, 'GigabitEthernet')
    .replace(/^Te/, 'TenGigabitEthernet')
    .replace(/^Fa/, 'FastEthernet');
}

export class CiscoPoe {
  /** In short, `Gi1/0/1`. */
  readonly ports: readonly string[];
  private readonly core: Core;
  private running = new Map<string, InlineMode>();
  private saved = new Map<string, InlineMode>();

  constructor(core: Core, ports: readonly string[]) {
    this.core = core;
    this.ports = ports;
  }

  /** The port that `gi1/0/3` or `GigabitEthernet1/0/3` means, in short. */
  find(name: string): string | undefined {
    const [, letters = '', number = ''] = /^([a-z]{2,})([\d/]+)$/i.exec(name) ?? [];
    return this.ports.find((port) => {
      const [, kind = '', place] = /^([A-Za-z]+)(.*)$/.exec(longName(port)) ?? [];
      return place === number && kind.toLowerCase().startsWith(letters.toLowerCase());
    });
  }

  mode(port: string): InlineMode {
    return this.running.get(port) ?? 'auto';
  }

  /** Whether power was turned on or off by it. */
  setMode(session: Session, port: string, mode: InlineMode): boolean {
    const before = this.core.board.isOn(port);
    session.act(() => this.apply(port, mode));
    return this.core.board.isOn(port) !== before;
  }

  /** What it has after a power failure; `auto` where nothing is said. */
  setSaved(modes: ReadonlyMap<string, InlineMode>): void {
    this.saved = new Map(modes);
  }

  /** All of them at once; `auto` where nothing is said. */
  setAll(modes: ReadonlyMap<string, InlineMode>): void {
    for (const port of this.ports) this.apply(port, modes.get(port) ?? 'auto');
  }

  save(): void {
    this.saved = new Map(this.running);
  }

  powerUp(): void {
    this.running.clear();
    for (const port of this.ports) this.apply(port, this.saved.get(port) ?? 'auto');
  }

  /** `show power inline`. */
  all(): string {
    const used = this.ports.reduce((sum, port) => sum + this.measure(port).watts, 0);
    const cells = [740, used, 740 - used].map((watts) => watts.toFixed(1));
    return [
      'Module   Available     Used     Remaining',
      '          (Watts)     (Watts)    (Watts)',
      '------   ---------   --------   ---------',
      `1${cells[0]?.padStart(17)}${cells[1]?.padStart(11)}${cells[2]?.padStart(12)}`,
      ...this.table(this.ports),
      '',
    ].join('\n');
  }

  /** `show power inline Gi1/0/3`. */
  one(port: string): string {
    return [
      ...this.table([port]),
      '',
      'Interface  AdminPowerMax   AdminConsumption',
      '             (Watts)           (Watts)',
      '---------- --------------- --------------------',
      '',
      `${port.padEnd(11)}${this.most(port).padStart(15)}${'15.4'.padStart(21)}`,
      '',
    ].join('\n');
  }

  private table(ports: readonly string[]): string[] {
    const rows = ports.map((port) => {
      const { oper, watts, device, class: name } = this.measure(port);
      const [admin = ''] = this.mode(port).replace('never', 'off').split(' ');
      return [
        port.padEnd(9),
        admin.padEnd(6),
        oper.padEnd(10),
        watts.toFixed(1).padEnd(7),
        device.padEnd(19),
        name.padEnd(5),
        this.most(port).padEnd(4),
      ].join(' ');
    });
    return [
      'Interface Admin  Oper       Power   Device              Class Max',
      '                            (Watts)',
      '--------- ------ ---------- ------- ------------------- ----- ----',
      ...rows,
    ];
  }

  private apply(port: string, mode: InlineMode): void {
    this.running.set(port, mode);
    if (mode !== 'never') this.core.board.setMode(port, mode);
    this.core.board.set(port, mode !== 'never');
  }

  private measure(port: string) {
    if (this.core.board.isFaulty(port)) {
      return { oper: 'faulty', watts: 0, device: 'n/a', class: 'n/a' };
    }
    const drawn = this.core.board.watts(port);
    const allotment = allotments.find(({ upTo }) => drawn <= upTo);
    if (drawn === 0 || !allotment) return { oper: 'off', watts: 0, device: 'n/a', class: 'n/a' };
    const { watts, class: name } = allotment;
    return { oper: 'on', watts, device: 'Ieee PD', class: name };
  }

  private most(port: string): string {
    const [, milliwatts] = /max (\d+)/.exec(this.mode(port)) ?? [];
    return (milliwatts === undefined ? 30 : Number(milliwatts) / 1000).toFixed(1);
  }
}
