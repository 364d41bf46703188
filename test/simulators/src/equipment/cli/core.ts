/** The common parts of all devices with a command line: faults, a log, timers, a count of sessions. */
import {
  configurationFaults,
  type DeviceFault,
  Faults,
  type OutletBoard,
  type Received,
  type SimulatedDevice,
  Timers,
} from '../device.ts';
import { Plugged, type Wiring } from '../wiring.ts';
import { addedLines, type ConfigurationWords, usualWords } from './configuration-faults.ts';

/** Faults of every command line. */
export const cliFaults = [
  'down',
  'wedged',
  'slow',
  'drops-mid-way',
  'drops-after-command',
  'pager-stays',
  'rejects-login',
  'password-expired',
  'new-password-inside',
  'prompt-in-banner',
  'ignores-commands',
  'garbled',
  'busy',
  ...configurationFaults,
] as const satisfies readonly DeviceFault[];

/** Those of a plain Unix shell. */
export const shellFaults: readonly DeviceFault[] = cliFaults.filter(
  (fault) => fault !== 'pager-stays' && !fault.endsWith('logs-behind-prompt'),
);

/** A device with a command line. */
export interface CliDevice extends SimulatedDevice {
  /** Its telnet address, if any. */
  readonly telnetPort?: number;
  readonly hostKey: string;
}

/** One that shows its configuration. */
export interface ConfiguredDevice extends CliDevice {
  /** Its current output of the running configuration: with the lines that change by themselves, ended by `\n`. */
  running(): Buffer;
  /** The same for the startup configuration. */
  startup(): Buffer;
}

/** One that replays sessions, which change nothing that it shows. */
export interface ReplayingDevice extends ConfiguredDevice {
  /** Somebody changes its configuration. */
  edit(change: (text: string) => string): void;
}

export interface CoreOptions {
  board: OutletBoard;
  faults?: readonly DeviceFault[];
  /** The length of a second of the device's own timers; less than 1000 in tests that do not wait. */
  secondMs?: number;
  /** Its own wording of faults. */
  configurationWords?: Partial<ConfigurationWords>;
  /** Default: nothing. */
  wiring?: Wiring;
}

export class Core {
  /** Its most recent command prompt. */
  prompt = 'Switch#';
  readonly secondMs: number;
  readonly words: ConfigurationWords;
  readonly board: OutletBoard;
  readonly faults: Faults;
  readonly received: Received[] = [];
  readonly sessions = { now: 0, most: 0, opened: 0 };
  readonly plugged: Plugged;
  private shows = 0;
  private logged = 0;
  private readonly timers = new Timers();

  constructor({
    board,
    faults = cliFaults,
    secondMs = 1000,
    configurationWords = {},
    wiring,
  }: CoreOptions) {
    this.words = { ...usualWords, ...configurationWords };
    this.board = board;
    this.faults = new Faults(faults);
    this.secondMs = secondMs;
    this.plugged = new Plugged(wiring, board);
  }

  /** Records what it received; contains no secrets. */
  log(text: string): void {
    this.received.push({ at: Date.now(), text });
  }

  /** A session has signed in. Call the returned function at its end; further calls have no effect. */
  signedIn(): () => void {
    this.sessions.opened += 1;
    this.sessions.now += 1;
    this.sessions.most = Math.max(this.sessions.most, this.sessions.now);
    let open = true;
    return () => {
      if (open) this.sessions.now -= 1;
      open = false;
    };
  }

  /** The device's own timer: it continues after the session that set it. The returned function stops it. */
  later(seconds: number, run: () => void): () => void {
    return this.timers.after(seconds * this.secondMs, run);
  }

  /** Lines that a fault adds to the configuration, raw; the model turns them into comments or descriptions. */
  addedLines(): string[] {
    return addedLines(this.faults, this.prompt, this.words.logLine);
  }

  /** Its log message after a prompt. */
  logBehindPrompt(): string {
    this.logged += 1;
    if (this.faults.has('logs-behind-prompt')) return `\n${this.words.logLine}\n`;
    if (!this.faults.has('odd-logs-behind-prompt')) return '';
    return `\n[10:37:${this.logged}] fan 2 turns at ${1000 + this.logged} rpm\n`;
  }

  /** How often a configuration has been shown, including this time. */
  countShow(): number {
    this.shows += 1;
    return this.shows;
  }

  /** As after a power failure. */
  forgetTimers(): void {
    this.timers.clear();
  }
}

/** A user who is signed in, or about to be. */
export class Session {
  /** The given name, with any suffix. */
  user = '';
  /** Whether it was just told to do something to an outlet. */
  acted = false;
  /** Whether the connection must die before any answer. */
  isDoomed = false;
  /** Ends the connection immediately. */
  die: () => void = () => {};
  readonly faults: Faults;
  readonly core: Core;
  private shown: string | undefined;

  constructor(core: Core) {
    this.core = core;
    this.faults = core.faults;
  }

  /** Records a command, which contains no secrets. */
  log(text: string): void {
    this.core.log(text);
    const { dropAt } = this.faults;
    if (!dropAt?.command.test(text)) return;
    this.faults.dropAt = undefined;
    if (dropAt.when === 'before') this.die();
    this.isDoomed = true;
  }

  /** Marks the next answer as the configuration, so that its faults apply. */
  configuration(text: string): string {
    this.shown = text;
    return text;
  }

  /** Whether the answer is, or contains, the configuration. */
  isConfiguration(answer: string): boolean {
    const { shown } = this;
    this.shown = undefined;
    return shown !== undefined && shown !== '' && answer.includes(shown);
  }

  /** Carries out a command about outlets, unless the device only pretends to. */
  act(change: () => void): void {
    this.acted = true;
    if (!this.faults.has('ignores-commands')) change();
  }
}
