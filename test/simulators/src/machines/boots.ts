/** Whether a machine runs: what power, boots, reboots and faults make of it. Without a timer but while it boots. */
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { Listener } from '../listener.ts';

/** What is broken in a machine, beyond its network and its programs' answers. */
export type MachineFault =
  /** Powered, and all its ports are closed. A power cycle revives it. */
  | 'dead'
  /** Power comes, and it never comes up. Only another power cycle or reboot makes it try again. */
  | 'never-boots'
  /** Takes the request to reboot, and stays as it is. */
  | 'hangs-at-reboot'
  /** Wired wrongly: it has power whatever its outlets say. */
  | 'ignores-power'
  /** Its hub takes commands and leaves the power on, as hubs without real switches do. */
  | 'usb-ignored';

/** Between the answer to a request for a reboot and going down. */
const shutdownMs = 30;

interface BootsOptions {
  listeners: readonly Listener[];
  faults: ReadonlySet<MachineFault>;
  bootSeconds: () => number;
  hasPower: () => boolean;
  /** Before its ports open. */
  onBoot: () => void;
  onPowerLoss: () => void;
}

export class Boots extends EventEmitter<{ up: []; down: [] }> {
  /** Another one after each boot. */
  bootId = '';
  count = 0;
  isUp = false;
  private readonly options: BootsOptions;
  private hadPower = false;
  private timer: NodeJS.Timeout | undefined;
  /** Changes whenever what is under way no longer counts. */
  private life = {};

  constructor(options: BootsOptions) {
    super();
    this.setMaxListeners(0);
    this.options = options;
  }

  /** As it is after having run for long; without power it is down, and its ports are known all the same. */
  async start(): Promise<void> {
    this.hadPower = this.options.hasPower();
    await this.comeUp();
    if (this.hadPower) return;
    this.goDown();
    this.options.onPowerLoss();
    this.count = 0;
  }

  async close(): Promise<void> {
    this.goDown();
    await Promise.all(this.options.listeners.map((listener) => listener.close()));
  }

  /** What feeds it has changed, or its wiring. */
  powerChanged(): void {
    const { faults, hasPower, onPowerLoss } = this.options;
    const has = faults.has('ignores-power') || hasPower();
    if (has === this.hadPower) return;
    this.hadPower = has;
    if (has) {
      this.boot();
      return;
    }
    this.goDown();
    onPowerLoss();
  }

  /** It has been asked to. */
  reboot(): void {
    if (!this.isUp || this.options.faults.has('hangs-at-reboot')) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.goDown();
      this.boot();
    }, shutdownMs);
  }

  /** Its ports close; it stays so until it boots. */
  goDown(): void {
    this.life = {};
    clearTimeout(this.timer);
    for (const listener of this.options.listeners) void listener.close();
    if (!this.isUp) return;
    this.isUp = false;
    this.emit('down');
  }

  /** What hung runs on, without a boot. */
  async wakeUp(): Promise<void> {
    if (this.hadPower && !this.isUp) await this.openAll();
  }

  async when(state: 'up' | 'down', signal?: AbortSignal): Promise<void> {
    if (this.isUp !== (state === 'up')) await once(this, state, { ...(signal && { signal }) });
  }

  async whenCount(count: number, signal?: AbortSignal): Promise<void> {
    while (this.count < count) await once(this, 'up', { ...(signal && { signal }) });
  }

  private boot(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.options.faults.has('never-boots')) void this.comeUp();
    }, this.options.bootSeconds() * 1000);
  }

  private async comeUp(): Promise<void> {
    this.bootId = randomUUID();
    this.options.onBoot();
    await this.openAll(() => {
      this.count += 1;
    });
  }

  private async openAll(onOpen: () => void = () => {}): Promise<void> {
    const { life } = this;
    const { listeners } = this.options;
    const opened = await Promise.allSettled(listeners.map((listener) => listener.open()));
    const failed = opened.find(({ status }) => status === 'rejected');
    if (failed !== undefined || this.life !== life) {
      // One that stayed open would keep the process from its end.
      for (const listener of listeners) void listener.close();
      if (failed?.status === 'rejected') throw failed.reason;
      return;
    }
    onOpen();
    this.isUp = true;
    this.emit('up');
  }
}
