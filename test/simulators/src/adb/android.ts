/**
 * An Android phone as adb sees it: there or not, in a state, booting after a reboot; and what it knows of itself.
 *
 * Time since its boot goes on by itself. Whoever has it may change all that can be written, at any time.
 */

import { EventEmitter } from 'node:events';
import type { Output } from '../equipment/cli/unix/box.ts';
import type { Received } from '../equipment/device.ts';
import type { AndroidFault } from './faults.ts';
import type { Battery, Sensor } from './models.ts';
import { type AndroidModelName, type AndroidRecord, androidModels } from './models.ts';

/** As `adb devices` and `adb get-state` say it. */
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
  /** `pixel-5` when absent. */
  model?: AndroidModelName;
  /** Of its USB port, as adb names it: `1-1.2`. */
  usb?: string;
  /** Seconds since it booted; 3600 when absent. */
  uptimeSeconds?: number;
  /** From a reboot until it is there again; 100 when absent. */
  rebootMs?: number;
  /** From then until `sys.boot_completed` is 1; 0 when absent. */
  settleMs?: number;
  /** `device` when absent. */
  state?: AdbState;
  /** More than the model has, or other values. */
  properties?: Readonly<Record<string, string>>;
}

/** A program of its shell. */
export type AndroidProgram = (args: readonly string[]) => Output;

/** Seconds that a kernel is up before adb sees the phone. */
const secondsToAdb = 6;

let lastTransport = 0;

export class SimulatedAndroid {
  readonly serial: string;
  readonly usb: string | undefined;
  readonly record: AndroidRecord;
  readonly properties: Map<string, string>;
  readonly battery: Battery;
  /** What `dumpsys thermalservice` says: the sensors of the HAL, and the status of the whole. */
  readonly thermal: { status: number; sensors: Sensor[] };
  /** In addition to those that it has, or instead of them. */
  readonly programs = new Map<string, AndroidProgram>();
  readonly faults = new Set<AndroidFault>();
  /** Services and commands that it was asked for, oldest first: `shell:getprop`, `reboot:`. */
  readonly received: Received[] = [];
  slowMs = 500;
  hugeBytes = 64 * 1024 * 1024;
  rebootMs: number;
  settleMs: number;
  /** What `logcat -d` says. */
  log: string;
  /** How often it booted, the first time included. */
  boots = 1;
  /** Changes each time it comes back. */
  transport = ++lastTransport;
  private readonly events = new EventEmitter<{ change: []; gone: [] }>();
  private adbState: AdbState;
  private isThere = true;
  private bootedAt: number;
  /** Its uptime when power came by the cable; undefined: none does. */
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

  /** Makes one sensor that hot. @throws RangeError There is no such sensor. */
  heat(name: string, value: number, status = 0): void {
    const sensor = this.thermal.sensors.find((candidate) => candidate.name === name);
    if (!sensor) throw new RangeError(`${this.serial}: no sensor ${name}`);
    sensor.value = value;
    sensor.status = status;
  }

  /** Milliseconds of its uptime, as `dumpsys usb` has them; 0 without power. */
  get connectedAtMillis(): number {
    return Math.round((this.connectedAt ?? 0) * 1000);
  }

  /**
   * The cable is pulled, or its battery is dead. What runs on it goes on where nobody sees.
   *
   * @param keepsPower its port is off, and power is still there
   */
  unplug(keepsPower = false): void {
    if (!keepsPower) this.connectedAt = undefined;
    this.leave();
    this.events.emit('gone');
  }

  /** It keeps its time since boot: the cable is not the power. */
  plugIn(): void {
    this.stopTimers();
    if (this.isThere) return;
    this.connectedAt ??= this.uptimeSeconds();
    this.isThere = true;
    this.transport = ++lastTransport;
    this.events.emit('change');
  }

  /** Away, and back after `rebootMs`; also what power does that was cut. */
  reboot(): void {
    this.leave();
    if (!this.faults.has('reboot-hangs')) this.events.emit('gone');
    this.isBooted = false;
    this.later(this.rebootMs, () => this.comeUp());
  }

  /** `adb reconnect` kicked its connection. */
  reconnect(): void {
    if (this.faults.has('stays-offline') || this.adbState !== 'offline') return;
    this.state = 'device';
  }

  onChange(listener: () => void): () => void {
    this.events.on('change', listener);
    return () => this.events.off('change', listener);
  }

  /** When it leaves, or may not be spoken to any more. */
  onGone(listener: () => void): () => void {
    this.events.on('gone', listener);
    return () => this.events.off('gone', listener);
  }

  /** Until it has booted that often and is there. Resolves at once where it is so already. */
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
    this.isBooted = this.settleMs === 0 && !this.faults.has('never-boots');
    if (!this.isBooted && !this.faults.has('never-boots')) {
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
