/**
 * PoE ports as Fastpath switches of Ubiquiti (EdgeSwitch, older UniFi switches) keep and show them.
 *
 * `show poe status` is as in sessions that users recorded: seven columns, on newer firmware eight, Detection of one word
 * or two. `show poe port` has the columns that the manual lists; their widths are made up.
 */
import type { Core, Session } from './core.ts';

export type OpMode = 'auto' | 'passive24v' | 'shutdown';

export interface FastpathPoeOptions {
  /** Shows the column `Consumed Meter(Whr)`, as newer firmware. */
  consumedMeter?: boolean;
  /** How long after power-on a port still says `Searching`. */
  detectionSeconds?: number;
}

/** What a switch with these ports, `0/1` or `1/0/1`, is called by in rack.yaml: `1`, and `1/0/1`. */
export function outletOf(port: string): string {
  return port.replace(/^0\//, '');
}

const words: Record<OpMode, string> = {
  auto: 'Auto',
  passive24v: 'Passive24v',
  shutdown: 'Shutdown',
};

export class FastpathPoe {
  /** As written on the command line. */
  readonly ports: readonly string[];
  /** Whether the running configuration differs from the saved one, as the switch sees it. */
  unsaved = false;
  private readonly core: Core;
  private readonly options: FastpathPoeOptions;
  private running = new Map<string, OpMode>();
  private saved = new Map<string, OpMode>();
  private readonly resets = new Map<string, () => void>();
  private readonly searching = new Set<string>();

  constructor(core: Core, ports: readonly string[], options: FastpathPoeOptions) {
    this.core = core;
    this.ports = ports;
    this.options = options;
  }

  opMode(port: string): OpMode {
    return this.running.get(port) ?? 'auto';
  }

  setOpMode(session: Session, ports: readonly string[], mode: OpMode): void {
    session.act(() => {
      this.unsaved = true;
      for (const port of ports) this.apply(port, mode);
    });
  }

  /** Off now, and on again by the switch's own timer. What is configured stays. */
  reset(session: Session, ports: readonly string[], seconds: number): void {
    session.act(() => {
      // Nothing differs, and yet it asks whether to save: seen by users.
      this.unsaved = true;
      for (const port of ports) {
        if (this.opMode(port) === 'shutdown') continue;
        this.resets.get(port)?.();
        this.core.board.set(outletOf(port), false);
        this.resets.set(
          port,
          this.core.later(seconds, () => this.apply(port, this.opMode(port))),
        );
      }
    });
  }

  /** What it has after a power failure; `auto` where nothing is said. */
  setSaved(modes: ReadonlyMap<string, OpMode>): void {
    this.saved = new Map(modes);
  }

  setAll(mode: OpMode): void {
    this.unsaved = true;
    for (const port of this.ports) this.apply(port, mode);
  }

  save(): void {
    this.saved = new Map(this.running);
    this.unsaved = false;
  }

  /** After a power failure what was not saved is forgotten. */
  powerUp(): void {
    this.resets.clear();
    this.unsaved = false;
    this.running.clear();
    for (const port of this.ports) this.apply(port, this.saved.get(port) ?? 'auto');
    this.searching.clear();
  }

  status(ports: readonly string[]): string {
    const meter = this.options.consumedMeter;
    const rows = ports.map((port) => {
      const { detection, watts, volts, powerClass } = this.measure(port);
      const milliamperes = volts === 0 ? 0 : (watts / volts) * 1000;
      return [
        port.padEnd(9),
        detection.padEnd(14),
        powerClass.padEnd(7),
        watts.toFixed(2).padStart(11),
        volts.toFixed(2).padStart(10),
        milliamperes.toFixed(2).padStart(11),
        ...(meter ? [(watts * 24).toFixed(2).padStart(18)] : []),
        '43'.padStart(14),
      ].join(' ');
    });
    const columns = meter
      ? 'Current(mA) Consumed Meter(Whr) Temperature(C)'
      : 'Current(mA) Temperature(C)';
    const dashes = meter ? `${'-'.repeat(18)} ` : '';
    return [
      '',
      `Intf      Detection      Class   Consumed(W) Voltage(V) ${columns}`,
      `--------- -------------- ------- ----------- ---------- ----------- ${dashes}--------------`,
      ...rows,
      '',
    ].join('\n');
  }

  settings(ports: readonly string[]): string {
    const rows = ports.map((port) =>
      [
        port.padEnd(9),
        words[this.opMode(port)].padEnd(12),
        'Enable   ',
        'Dot3at    ',
        'Enable       ',
        'Enable           ',
        'Enable',
      ].join(' '),
    );
    return [
      '',
      'Intf      OP Mode      HP Enable HP Mode    Detect Enable Disconnect Enable Class Enable',
      '--------- ------------ --------- ---------- ------------- ----------------- ------------',
      ...rows,
      '',
    ].join('\n');
  }

  private apply(port: string, mode: OpMode): void {
    const { board } = this.core;
    const outlet = outletOf(port);
    this.resets.get(port)?.();
    this.resets.delete(port);
    this.running.set(port, mode);
    if (mode !== 'shutdown') board.setMode(outlet, mode);
    if (mode !== 'shutdown' && !board.isOn(outlet)) this.search(port);
    board.set(outlet, mode !== 'shutdown');
  }

  private search(port: string): void {
    const seconds = this.options.detectionSeconds ?? 0;
    if (seconds === 0) return;
    this.searching.add(port);
    this.core.later(seconds, () => this.searching.delete(port));
  }

  measure(port: string): Measured {
    const outlet = outletOf(port);
    const { board } = this.core;
    if (!board.isOn(outlet)) return { detection: 'Disabled', ...nothing };
    if (board.isFaulty(outlet)) return { detection: 'Fault', ...nothing };
    if (this.searching.has(port)) return { detection: 'Searching', ...nothing };
    const watts = board.watts(outlet);
    if (watts === 0) return { detection: 'Open Circuit', ...nothing };
    const volts = this.opMode(port) === 'passive24v' ? 24.1 : 53.46;
    return { detection: 'Good', watts, volts, powerClass: powerClass(watts) };
  }
}

interface Measured {
  /** `Good`: power flows. */
  detection: string;
  watts: number;
  volts: number;
  /** `Class2`, `Unknown`. */
  powerClass: string;
}

const nothing = { watts: 0, volts: 0, powerClass: 'Unknown' };

function powerClass(watts: number): string {
  const limits = [3.84, 6.49, 12.95];
  const index = limits.findIndex((limit) => watts <= limit);
  return `Class${index === -1 ? 4 : index + 1}`;
}
