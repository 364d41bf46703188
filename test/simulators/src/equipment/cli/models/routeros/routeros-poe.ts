/**
 * `/interface ethernet poe` of RouterOS 7: `print`, `set`, `monitor` and `power-cycle`.
 *
 * Properties, their values and the output of `monitor` are from MikroTik's manual (PoE-Out); rejections, which come with
 * exit status 0, from sessions of users. The exact columns of `print` are made up.
 */
import type { OutletBoard } from '../../../device.ts';
import type { Session } from '../../core.ts';

const states = ['auto-on', 'forced-on', 'off'];

/** A rejection, in RouterOS's words. */
export class RouterosError extends Error {}

export class RouterosPoe {
  private readonly board: OutletBoard;
  /** Settings are kept without being saved. */
  private readonly settings: Map<string, string>;
  private readonly resets = new Map<string, () => void>();

  constructor(board: OutletBoard) {
    this.board = board;
    this.settings = new Map(board.names().map((port) => [port, 'auto-on']));
  }

  powerUp(): void {
    this.resets.clear();
    for (const [port, state] of this.settings) this.apply(port, state);
  }

  /** @throws RouterosError */
  set(session: Session, args: readonly string[]): string {
    const { ports, values } = this.arguments(args, ['poe-out', 'poe-priority', 'poe-voltage']);
    const state = values.get('poe-out');
    if (state === undefined) return '';
    if (!states.includes(state)) {
      throw new RouterosError('input does not match any value of poe-out');
    }
    session.act(() => {
      for (const port of ports) this.apply(port, state);
    });
    return '';
  }

  /** Off now, on again by the device's own timer. @throws RouterosError */
  powerCycle(session: Session, args: readonly string[]): string {
    const { ports, values } = this.arguments(args, ['duration']);
    const seconds = secondsOf(values.get('duration') ?? '5s');
    session.act(() => {
      for (const port of ports) {
        if (this.settings.get(port) === 'off') continue;
        this.resets.get(port)?.();
        this.board.set(port, false);
        const on = () => this.apply(port, this.settings.get(port) ?? 'off');
        this.resets.set(port, session.core.later(seconds, on));
      }
    });
    return '';
  }

  /** One look. @throws RouterosError */
  monitor(selector: string): string {
    const ports = this.select(selector);
    const columns = ports.map((port) => this.measure(port));
    const names = [...new Set(columns.flatMap((column) => Object.keys(column)))];
    return names
      .map((name) => {
        const values = columns.map((column) => (column[name] ?? '').padEnd(12)).join('');
        return `${name.padStart(20)}: ${values}\n`;
      })
      .join('');
  }

  print(): string {
    const lines = [...this.settings].map(
      ([port, state], i) => `${String(i).padEnd(3)}${port.padEnd(9)}${state.padEnd(11)}10\n`,
    );
    return `Columns: NAME, POE-OUT, POE-PRIORITY\n#  NAME     POE-OUT    POE-PRIORITY\n${lines.join('')}`;
  }

  /** `ether3` or `ether1,ether2`; `[find]` is all of them. */
  private select(selector: string): string[] {
    const ports = [...this.settings.keys()];
    if (selector === '[find]') return ports;
    return selector.split(',').map((name) => {
      if (!ports.includes(name)) throw new RouterosError('no such item');
      return name;
    });
  }

  private arguments(args: readonly string[], known: readonly string[]) {
    const values = new Map<string, string>();
    let selector: string | undefined;
    for (const arg of args) {
      const [, name = '', value = ''] = /^([\w-]+)="?([^"]*)"?$/.exec(arg) ?? [];
      if (known.includes(name)) values.set(name, value);
      else if (name === 'numbers') selector = value;
      else if (name !== '' || selector !== undefined) {
        throw new RouterosError('expected end of command (line 1 column 29)');
      } else selector = arg;
    }
    if (selector === undefined) {
      throw new RouterosError('missing value(s) of argument(s) numbers');
    }
    return { ports: this.select(selector), values };
  }

  private apply(port: string, state: string): void {
    const { board } = this;
    this.resets.get(port)?.();
    this.resets.delete(port);
    this.settings.set(port, state);
    if (state !== 'off') board.setMode(port, state);
    board.set(port, state !== 'off');
  }

  private measure(port: string): Record<string, string> {
    const state = this.settings.get(port) ?? 'off';
    const watts = this.board.watts(port);
    const status = this.resets.has(port)
      ? 'power_reset'
      : state === 'off'
        ? 'off'
        : this.board.isFaulty(port)
          ? 'short-circuit'
          : watts === 0 && state === 'auto-on'
            ? 'waiting-for-load'
            : 'powered-on';
    return {
      name: port,
      'poe-out': state,
      'poe-out-status': status,
      ...(status === 'powered-on' && {
        'poe-out-voltage': '54.2V',
        'poe-out-current': `${Math.round((watts / 54.2) * 1000)}mA`,
        'poe-out-power': `${watts.toFixed(1)}W`,
      }),
    };
  }
}

/** `5s`, `1m`. */
function secondsOf(text: string): number {
  const [, minutes = '0', seconds = '0'] = /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  const total = Number(minutes) * 60 + Number(seconds);
  if (total === 0) throw new RouterosError('invalid time value for argument duration');
  if (total > 60) {
    throw new RouterosError('value of duration out of range (00:00:00..00:01:00)');
  }
  return total;
}
