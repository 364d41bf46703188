/**
 * What every simulated switch, PDU and plug has in common: outlets with real state, faults on demand, a log of what it
 * received. How it is spoken to, and what it answers, is in one file for each model.
 */
import { EventEmitter } from 'node:events';

/** An outlet, relay or PoE port. */
export interface SimulatedOutlet {
  /** What the device has set: for a PoE port the admin state. */
  on: boolean;
  /** For models that have more than on and off: `48v`, `forced-on`, `static` … */
  mode?: string;
  /** What is plugged in draws this much while the outlet is on. */
  watts: number;
  /** A short circuit or an overload: the device does not deliver power, and reports a fault in its own words. */
  isFaulty?: boolean;
}

/** Each strikes whenever the configuration is shown, or, where that is said, at sign-in. */
export const configurationFaults = [
  /** The connection dies in the middle of the configuration, and of nothing else. */
  'drops-mid-configuration',
  /** The device falls silent in the middle of the configuration. */
  'silent-mid-configuration',
  /** The device stops somewhere in the middle, each time elsewhere, and goes on with its prompt as if that were all. */
  'cut-short',
  /** The configuration has a line that ends like the prompt, and there the device pauses for `slowMs`. */
  'prompt-in-configuration',
  /** At sign-in, and at `enable`: the right password is asked for once more. */
  'password-twice',
  /** At sign-in: 500 lines. */
  'long-banner',
  /** The beginning and the end of the configuration arrive one byte a second of the device's time (`secondMs`). */
  'trickles',
  /** A terminal's lines end in CR CR LF, LF CR, CR NUL LF … */
  'odd-line-ends',
  /** The configuration has bytes that are no UTF-8. */
  'odd-bytes',
  /** The configuration has `hugeBytes`. */
  'huge-configuration',
  /** Log messages come between its lines, each time elsewhere; only to terminals. */
  'log-lines-between',
  /** A log message comes behind every prompt, which is not repeated then; not in shells. */
  'logs-behind-prompt',
  /** The same, in a form that no dialect knows, and another number each time. */
  'odd-logs-behind-prompt',
  /** Log messages come in the middle of lines, each time of others; only to terminals. */
  'log-inside-line',
  /** The configuration has a line that looks like a log message. */
  'line-like-log',
  /** The configuration has a line with CR, NUL, ESC, backspace and a bell. */
  'control-bytes',
  /** An error text comes where the configuration should. */
  'error-text',
  /** Nothing comes, but the prompt. */
  'empty-answer',
] as const;

/** Ways in which a device misbehaves; each model says which of them it knows. */
export const deviceFaults = [
  /** Refuses connections (TCP), or answers nothing (UDP). */
  'down',
  /** Takes the connection and never says a word. */
  'wedged',
  /** Each answer takes `slowMs`. */
  'slow',
  /** The connection dies in the middle of an answer. */
  'drops-mid-way',
  /** Takes the command, carries it out, and the connection dies before the answer. */
  'drops-after-command',
  /** The command that turns the pager off has no effect. */
  'pager-stays',
  /** No password is right. */
  'rejects-login',
  /** The right password has expired: ssh requests a new one before it lets anybody in, a terminal asks for it. */
  'password-expired',
  /** Sign-in succeeds, then the terminal asks for a new password. */
  'new-password-inside',
  /** The banner holds a line that looks like the prompt, then pauses. */
  'prompt-in-banner',
  /** Says yes to each command and changes nothing. */
  'ignores-commands',
  /** Answers with bytes that make no sense. */
  'garbled',
  /** HTTP: every answer is the login page, with status 200. */
  'login-page',
  /** Somebody else's session is open: one may not sign in, or not change anything. */
  'busy',
  /** HTTP: status 500. */
  'server-error',
  /** SNMP: no answer to a request of more than four variables, as if each took seconds. */
  'slow-variables',
  /** SNMP: the instances are missing. */
  'missing-instance',
  ...configurationFaults,
] as const;
export type DeviceFault = (typeof deviceFaults)[number];

/** What came to a device at one time. */
export interface Received {
  /** Milliseconds since 1970. */
  at: number;
  /** The command, request line or variable binding, without secrets. */
  text: string;
}

export interface OutletChange {
  outlet: string;
  on: boolean;
}

/** A running device. Timers of its own (a native cycle) go on when its connections die, as in real ones. */
export interface SimulatedDevice {
  readonly model: string;
  readonly host: string;
  readonly port: number;
  /** By the name that rack.yaml gives them. Set `on` through {@link OutletBoard.set}, so that listeners hear of it. */
  readonly board: OutletBoard;
  /** What it received, oldest first. */
  readonly received: Received[];
  readonly faults: Faults;
  /** Open sessions now, and the most that were ever open at once. */
  readonly sessions: { now: number; most: number; opened: number };
  /** Of ssh: `SHA256:…` as ssh-keygen -l prints it. */
  readonly hostKey?: string;
  /** Loses its connections and timers, and comes up with its outlets as its model does after a power failure. */
  reboot(): Promise<void>;
  close(): Promise<void>;
}

/** Which faults are on. */
export class Faults {
  slowMs = 500;
  /** Of `huge-configuration`. */
  hugeBytes = 20 * 1024 * 1024;
  /** Of command lines: the connection dies at the next such command, before or after it is carried out. */
  dropAt: { command: RegExp; when: 'before' | 'after' } | undefined;
  private readonly active = new Set<DeviceFault>();
  private readonly known: ReadonlySet<DeviceFault>;
  private readonly listeners: (() => void)[] = [];

  constructor(known: readonly DeviceFault[]) {
    this.known = new Set(known);
  }

  /** @throws RangeError The model does not know this fault. */
  set(fault: DeviceFault, on = true): void {
    if (!this.known.has(fault)) throw new RangeError(`this model has no fault ${fault}`);
    if (on) this.active.add(fault);
    else this.active.delete(fault);
    for (const listener of this.listeners) listener();
  }

  has(fault: DeviceFault): boolean {
    return this.active.has(fault);
  }

  clear(): void {
    this.dropAt = undefined;
    this.active.clear();
    for (const listener of this.listeners) listener();
  }

  /** After each change, until the device ends. */
  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }
}

/** What a device does by itself some time later, even if whoever asked for it is gone. */
export class Timers {
  private readonly running = new Set<NodeJS.Timeout>();

  /** The returned function stops it. */
  after(ms: number, run: () => void): () => void {
    const timer = setTimeout(() => {
      this.running.delete(timer);
      run();
    }, ms);
    this.running.add(timer);
    return () => {
      clearTimeout(timer);
      this.running.delete(timer);
    };
  }

  /** As after a power failure. */
  clear(): void {
    for (const timer of this.running) clearTimeout(timer);
    this.running.clear();
  }
}

/** The outlets of a device. Emits `change` with an {@link OutletChange}. */
export class OutletBoard extends EventEmitter<{ change: [OutletChange] }> {
  private readonly outlets: Map<string, SimulatedOutlet>;

  constructor(outlets: Iterable<readonly [string, SimulatedOutlet]>) {
    super();
    // Each machine that it feeds listens.
    this.setMaxListeners(0);
    this.outlets = new Map(outlets);
  }

  names(): string[] {
    return [...this.outlets.keys()];
  }

  has(outlet: string): boolean {
    return this.outlets.has(outlet);
  }

  /** @throws RangeError There is no such outlet. */
  get(outlet: string): Readonly<SimulatedOutlet> {
    return this.find(outlet);
  }

  isOn(outlet: string): boolean {
    return this.find(outlet).on;
  }

  /** Watts drawn now. */
  watts(outlet: string): number {
    const { on, watts, isFaulty = false } = this.find(outlet);
    return on && !isFaulty ? watts : 0;
  }

  set(outlet: string, on: boolean): void {
    const found = this.find(outlet);
    if (found.on === on) return;
    found.on = on;
    this.emit('change', { outlet, on });
  }

  setMode(outlet: string, mode: string): void {
    this.find(outlet).mode = mode;
  }

  setWatts(outlet: string, watts: number): void {
    this.find(outlet).watts = watts;
  }

  /** Whether it is on and delivers no power because of a fault. */
  isFaulty(outlet: string): boolean {
    const { on, isFaulty = false } = this.find(outlet);
    return on && isFaulty;
  }

  setFaulty(outlet: string, isFaulty: boolean): void {
    this.find(outlet).isFaulty = isFaulty;
  }

  private find(outlet: string): SimulatedOutlet {
    const found = this.outlets.get(outlet);
    if (found === undefined) throw new RangeError(`no outlet ${outlet}`);
    return found;
  }
}
