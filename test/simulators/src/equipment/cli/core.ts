/** What all devices with a command line have inside: faults, a log, timers, a count of sessions. */
import {
  configurationFaults,
  type DeviceFault,
  Faults,
  type OutletBoard,
  type Received,
  type SimulatedDevice,
} from '../device.ts';
import { Plugged, type Wiring } from '../wiring.ts';
import { addedLines, type ConfigurationWords, usualWords } from './configuration-faults.ts';

/** Faults that every command line knows. */
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
  /** Where it answers telnet, if it does. */
  readonly telnetPort?: number;
  readonly hostKey: string;
}

/** One that shows its configuration. */
export interface ConfiguredDevice extends CliDevice {
  /** What it shows now of what is in force: with the lines that change by themselves, lines ended by `\n`. */
  running(): Buffer;
  /** The same of what it would boot with. */
  startup(): Buffer;
}

export interface CoreOptions {
  board: OutletBoard;
  faults?: readonly DeviceFault[];
  /** How long a second of the device's own timers takes; less than 1000 in a test that will not wait. */
  secondMs?: number;
  /** Its own words where a fault speaks. */
  configurationWords?: Partial<ConfigurationWords>;
  /** Nothing when absent. */
  wiring?: Wiring;
}

export class Core {
  /** What it asks for a command with, as it did so last. */
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
  private readonly timers = new Set<NodeJS.Timeout>();

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

  /** Notes what it received; holds no secret. */
  log(text: string): void {
    this.received.push({ at: Date.now(), text });
  }

  /** A session has been signed in. The answer is to be called at its end, however often. */
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

  /** The device's own timer: it runs on when the session that set it is gone. The answer stops it. */
  later(seconds: number, run: () => void): () => void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      run();
    }, seconds * this.secondMs);
    this.timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.timers.delete(timer);
    };
  }

  /** Lines that a fault puts into the configuration, bare; the model gives them the form of a comment or a description. */
  addedLines(): string[] {
    return addedLines(this.faults, this.prompt, this.words.logLine);
  }

  /** What its log says behind a prompt. */
  logBehindPrompt(): string {
    this.logged += 1;
    if (this.faults.has('logs-behind-prompt')) return `\n${this.words.logLine}\n`;
    if (!this.faults.has('odd-logs-behind-prompt')) return '';
    return `\n[10:37:${this.logged}] fan 2 turns at ${1000 + this.logged} rpm\n`;
  }

  /** How often a configuration has been shown, this time included. */
  countShow(): number {
    this.shows += 1;
    return this.shows;
  }

  /** As when the power is gone. */
  forgetTimers(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }
}

/** Somebody who is signed in, or about to. */
export class Session {
  /** The name that was given, with whatever is appended to it. */
  user = '';
  /** Whether it has just been told to do something to an outlet. */
  acted = false;
  /** Whether the connection is to die before anything is answered. */
  isDoomed = false;
  /** Ends the connection here and now. */
  die: () => void = () => {};
  readonly faults: Faults;
  readonly core: Core;
  private shown: string | undefined;

  constructor(core: Core) {
    this.core = core;
    this.faults = core.faults;
  }

  /** Notes a command, which holds no secret. */
  log(text: string): void {
    this.core.log(text);
    const { dropAt } = this.faults;
    if (!dropAt?.command.test(text)) return;
    this.faults.dropAt = undefined;
    if (dropAt.when === 'before') this.die();
    this.isDoomed = true;
  }

  /** Marks what is about to be answered as the configuration: its faults strike there. */
  configuration(text: string): string {
    this.shown = text;
    return text;
  }

  /** Whether what is answered is the configuration, or holds it. */
  isConfiguration(answer: string): boolean {
    const { shown } = this;
    this.shown = undefined;
    return shown !== undefined && shown !== '' && answer.includes(shown);
  }

  /** Carries out what a command says about outlets, unless the device only pretends to. */
  act(change: () => void): void {
    this.acted = true;
    if (!this.faults.has('ignores-commands')) change();
  }
}
