/**
 * An Android phone as seen by adb: present or not, its state, booting after a reboot; and its own properties.
 *
 * Its uptime advances by itself. Whatever is writable may be changed at any time.
 */

import { EventEmitter } from 'node:events';
import type { Output } from '../equipment/cli/unix/box.ts';
import type { Received } from '../equipment/device.ts';
import type { Battery, Sensor } from './models.ts';
import { type AndroidModelName, type AndroidRecord, androidModels } from './models.ts';

/** As reported by `adb devices` and `adb get-state`. */
type AdbState =
  | 'device'
  | 'offline'
  | 'unauthorized'
  | 'authorizing'
  | 'no permissions'
  | 'recovery'
  | 'sideload'
  | 'bootloader';

export interface AndroidOptions {
  serial: string;
  /** Default: `pixel-5`. */
  model?: AndroidModelName;
  /** Its USB port, as named by adb: `1-1.2`. */
  usb?: string;
  /** Seconds since it booted; default: 3600. */
  uptimeSeconds?: number;
  /** From a reboot until it is present again; default: 100. */
  rebootMs?: number;
  /** From then until `sys.boot_completed` is 1; default: 0. Infinity: it never finishes booting. */
  settleMs?: number;
  /** Default: `device`. */
  state?: AdbState;
  /** In addition to the model's, or replacing them. */
  properties?: Readonly<Record<string, string>>;
}

/** A program of its shell. */
export type AndroidProgram = (args: readonly string[]) => Output;

/** Uptime of its kernel, in seconds, when adb first sees the phone. */
const secondsToAdb = 6;

let lastTransport = 0;

export class SimulatedAndroid {
  readonly serial: string;
  readonly usb: string | undefined;
  readonly record: AndroidRecord;
  readonly properties: Map<string, string>;
  readonly battery: Battery;
  /** The output of `dumpsys thermalservice`: the HAL's sensors, and the overall status. */
  readonly thermal: { status: number; sensors: Sensor[] };
  /** In addition to those that it has, or replacing them. */
  readonly programs = new Map<string, AndroidProgram>();
  /** Requested services and commands, oldest first: `shell:getprop`, `reboot:`. */
  readonly received: Received[] = [];
  /** Whether `adb reconnect` brings it back when it is offline. */
  canReconnect = true;
  rebootMs: number;
  settleMs: number;
  /** The output of `logcat -d`. */
  log: string;
  /** How often it booted, including the first time. */
  boots = 1;
  /** Changes each time it comes back. */
  transport = ++lastTransport;
  private readonly events = new EventEmitter<{ change: []; gone: [] }>();
  private adbState: AdbState;
  private isThere = true;
  private bootedAt: number;
  /** Its uptime when it got power by the cable; undefined: it has none. */
  private connectedAt: number | undefined = 2;
  private isBooted = true;
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(options: AndroidOptions) {
    const record = androidModels[options.model ?? 'pixel-5'];
    this.serial = options.serial;
    this.usb = options.usb;
    this.record = record;
    this.properties = new Map(
      Object.entries({
        ...record.properties,
        'ro.boot.serialno': options.serial,
        'ro.serialno': options.serial,
        ...options.properties,
      }),
    );
    this.battery = { ...record.battery };
    this.thermal = { status: 0, sensors: record.sensors.map((sensor) => ({ ...sensor })) };
    this.log = record.log;
    this.rebootMs = options.rebootMs ?? 100;
    this.settleMs = options.settleMs ?? 0;
    this.adbState = options.state ?? 'device';
    this.bootedAt = performance.now() - (options.uptimeSeconds ?? 3600) * 1000;
    this.events.setMaxListeners(0);
  }

  get state(): AdbState {
    return this.adbState;
  }

  set state(state: AdbState) {
    this.adbState = state;
    if (state !== 'device') this.events.emit('gone');
    this.events.emit('change');
  }

  isPresent(): boolean {
    return this.isThere;
  }

  uptimeSeconds(): number {
    return (performance.now() - this.bootedAt) / 1000;
  }

  setUptime(seconds: number): void {
    this.bootedAt = performance.now() - seconds * 1000;
  }

  hasBooted(): boolean {
    return this.isBooted;
  }

  /** Sets one sensor's temperature. @throws RangeError There is no such sensor. */
  heat(name: string, value: number, status = 0): void {
    const sensor = this.thermal.sensors.find((candidate) => candidate.name === name);
    if (!sensor) throw new RangeError(`${this.serial}: no sensor ${name}`);
    sensor.value = value;
    sensor.status = status;
  }

  /** Milliseconds of its uptime, as in `dumpsys usb`; 0 without power. */
  get connectedAtMillis(): number {
    return Math.round((this.connectedAt ?? 0) * 1000);
  }

  /**
   * The cable is pulled, or its battery is dead. What runs on it continues invisibly.
   *
   * @param keepsPower its port is off, but it still has power
   */
  unplug(keepsPower = false): void {
    if (!keepsPower) this.connectedAt = undefined;
    this.leave();
    this.events.emit('gone');
  }

  /** It keeps its uptime: the cable does not power it off. */
  plugIn(): void {
    this.stopTimers();
    if (this.isThere) return;
    this.connectedAt ??= this.uptimeSeconds();
    this.isThere = true;
    this.transport = ++lastTransport;
    this.events.emit('change');
  }

  /** Away, and back after `rebootMs`; also the effect of a power cut. */
  reboot(): void {
    this.leave();
    this.events.emit('gone');
    this.isBooted = false;
    this.later(this.rebootMs, () => this.comeUp());
  }

  /** `adb reconnect` closed its connection. */
  reconnect(): void {
    if (this.canReconnect && this.adbState === 'offline') this.state = 'device';
  }

  onChange(listener: () => void): () => void {
    this.events.on('change', listener);
    return () => this.events.off('change', listener);
  }

  /** Called when it leaves, or becomes inaccessible. */
  onGone(listener: () => void): () => void {
    this.events.on('gone', listener);
    return () => this.events.off('gone', listener);
  }

  /** Waits until it has booted this often and is present. Resolves immediately if it already is. */
  async whenBooted(count: number): Promise<void> {
    const isSo = () => this.boots >= count && this.isThere && this.isBooted;
    if (isSo()) return;
    await new Promise<void>((resolve) => {
      const stop = this.onChange(() => {
        if (!isSo()) return;
        stop();
        resolve();
      });
    });
  }

  close(): void {
    this.stopTimers();
    this.events.removeAllListeners();
  }

  private leave(): void {
    this.stopTimers();
    if (!this.isThere) return;
    this.isThere = false;
    this.events.emit('change');
  }

  private comeUp(): void {
    this.boots += 1;
    this.connectedAt = 2;
    this.isThere = true;
    this.transport = ++lastTransport;
    this.adbState = 'device';
    this.setUptime(secondsToAdb);
    this.isBooted = this.settleMs === 0;
    if (Number.isFinite(this.settleMs) && !this.isBooted) {
      this.later(this.settleMs, () => {
        this.isBooted = true;
        this.events.emit('change');
      });
    }
    this.events.emit('change');
  }

  private later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      act();
    }, ms);
    this.timers.add(timer);
  }

  private stopTimers(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }
}
