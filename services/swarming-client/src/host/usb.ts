/**
 * Switches the ports of the machine's own USB hub, through uhubctl, and decides which ports may be switched. Any may be read; only those
 * that rack.yaml assigns to the machine's own devices are set. One command at a time: two uhubctl on one hub undo each other.
 *
 * A port that was turned off here for a moment is pending until it was seen on again. This is only in memory, to spare the SD card: when
 * the agent starts, it turns on ports of own devices that are off. The power-cycle daemon turns a port off again if an operator wants it
 * off.
 */

import { errorText, inOrder, NamedError, pause, repeat } from '@skolo/base';
import { CommandFailed, type RunCommand } from '@skolo/base/run-command';
import type { Logger } from '@skolo/common/light';
import type { UsbPort } from '@skolo/rack';
import {
  portIn,
  switchedWith,
  type UsbPortReading,
  uhubctlArgs,
  whyUhubctlFailed,
} from '@skolo/rack/light';
import type { MachinePart } from '@skolo/rack/machine-part';

/**
 * - `not-own`: no device of this machine is on that port. `no-port`: the port does not exist.
 * - `observed`: rack.yaml has `acts: false` for this machine.
 * - `failed`: uhubctl does not work. `not-obeyed`: the hub did something else.
 */
export class UsbRejected extends NamedError {
  readonly code: 'not-own' | 'observed' | 'no-port' | 'failed' | 'not-obeyed';

  constructor(code: UsbRejected['code'], { hub, port }: UsbPort, why: string) {
    super(`USB port ${hub}.${port}: ${why}`);
    this.code = code;
  }
}

interface UsbPortsDeps {
  /** The machine's own, as currently in rack.yaml. */
  devices: () => MachinePart['devices'];
  /** Why no port may be turned off; undefined: it may be. */
  whyNotActing?: () => string | undefined;
  run: RunCommand;
  log: Pick<Logger, 'info' | 'warn'>;
  /** Pause between two attempts to turn pending ports on. */
  retrySeconds?: number;
}

/** `-r 100` takes 2 s for each half of the hub. */
const timeoutMs = 15_000;
const usualRetrySeconds = 10;
/**
 * How often a port is read at first. A successful reading counts for several: two are enough, the second for a uhubctl of a killed agent,
 * which may still have been running at the first. The others are for a hub that is not present yet.
 */
const firstTries = 12;
const seenCounts = 6;

export class UsbPorts {
  private readonly deps: UsbPortsDeps;
  private readonly inTurn = inOrder();
  /** Must be on, but not yet seen so; `surely`: turned off here. */
  private readonly pending = new Map<string, { port: UsbPort; surely: boolean }>();
  /** Turned off by `set`: they stay off. */
  private readonly keptOff = new Set<string>();
  private readonly triesLeft = new Map<string, number>();
  private readonly logged = new Map<string, string>();
  private readonly ended = new AbortController();

  constructor(deps: UsbPortsDeps) {
    this.deps = deps;
  }

  /** Starts turning on ports of own devices, including those that become known later. */
  start(): void {
    const { retrySeconds = usualRetrySeconds } = this.deps;
    repeat(retrySeconds * 1000, () => this.turnOnPending(), this.ended.signal);
  }

  /** Fulfilled when nothing is in progress, and each port that was turned off for a moment is on, or this was attempted. */
  async stop(): Promise<void> {
    this.ended.abort();
    await this.inTurn(async () => undefined);
    if (this.pending.size > 0) await this.turnOnPending();
  }

  /** @throws UsbRejected, and CommandFailed: uhubctl is missing, or does not end. The same for the following methods. */
  read(port: UsbPort, signal?: AbortSignal): Promise<UsbPortReading> {
    return this.inTurn(async () => {
      const { with: _, ...reading } = await this.uhubctl(port, undefined, signal);
      return reading;
    });
  }

  /**
   * Sets a port of an own device, and verifies it by reading it back.
   *
   * @param alone only if no other port shares its power
   * @throws UsbRejected
   */
  async set(port: UsbPort, on: boolean, alone = false): Promise<UsbPortReading> {
    this.checkOwn(port);
    const why = this.deps.whyNotActing?.();
    // On ends an off that a cycle began before.
    if (!on && why !== undefined) throw new UsbRejected('observed', port, why);
    return this.inTurn(async () => {
      const key = keyOf(port);
      if (on) this.keptOff.delete(key);
      else this.keptOff.add(key);
      this.pending.delete(key);
      return this.setAndSee(port, on, { alone });
    });
  }

  /** Whether an operator turned it off, so that it must stay off. */
  isKeptOff(port: UsbPort): boolean {
    return this.keptOff.has(keyOf(port));
  }

  /**
   * Turns an own device's power off for this long. It is turned on again in any case, even after the signal.
   *
   * @throws UsbRejected
   * @throws The signal's reason.
   */
  async cycle(port: UsbPort, offSeconds: number, signal: AbortSignal): Promise<void> {
    this.checkOwn(port);
    if (this.isKeptOff(port)) {
      throw new UsbRejected('failed', port, 'an operator turned the port off, so it stays off');
    }
    await this.inTurn(async () => {
      signal.throwIfAborted();
      this.pending.set(keyOf(port), { port, surely: true });
      let isOff = false;
      try {
        const { delivering } = await this.setAndSee(port, false, { signal });
        isOff = true;
        if (delivering) {
          const why =
            'the hub reports the port as off, but power stays on, so the hub cannot switch this port';
          throw new UsbRejected('not-obeyed', port, why);
        }
        await pause(offSeconds * 1000, signal);
      } finally {
        // Without the signal: it must be on.
        await this.turnOnAgain(port, isOff);
      }
    });
  }

  private async turnOnAgain(port: UsbPort, isOff: boolean): Promise<void> {
    try {
      await this.setAndSee(port, true);
      this.pending.delete(keyOf(port));
    } catch (error) {
      // The first error is thrown; the port stays pending.
      if (isOff) throw error;
    }
  }

  private async turnOnPending(): Promise<void> {
    const isActing = this.deps.whyNotActing?.() === undefined;
    for (const { power } of isActing ? this.deps.devices() : []) {
      if (power === undefined) continue;
      const key = keyOf(power);
      if (this.tries(key) <= 0 || this.keptOff.has(key) || this.pending.has(key)) continue;
      this.pending.set(key, { port: power, surely: false });
    }
    for (const [key, { port, surely }] of [...this.pending]) {
      await this.inTurn(() => this.turnOnIfOff(key, port)).catch((error: unknown) => {
        const why = errorText(error);
        if (this.logged.get(key) !== why) {
          this.deps.log.warn({ port: key, why }, 'USB port is not reported as on');
        }
        this.logged.set(key, why);
        // A port that was never turned off, on a hub that cannot be switched, is not retried forever.
        if (!surely && cannotSwitch(error)) this.settle(key, 1);
      });
    }
  }

  private async turnOnIfOff(key: string, port: UsbPort): Promise<void> {
    if (!this.pending.has(key)) return;
    if ((await this.uhubctl(port)).state === 'off') {
      this.deps.log.info({ port: key }, 'USB port was off and has been turned on');
      await this.setAndSee(port, true);
    }
    this.settle(key, seenCounts);
    this.logged.delete(key);
  }

  private tries(key: string): number {
    return this.triesLeft.get(key) ?? firstTries;
  }

  private settle(key: string, counts: number): void {
    this.pending.delete(key);
    this.triesLeft.set(key, this.tries(key) - counts);
  }

  private async setAndSee(
    port: UsbPort,
    on: boolean,
    { alone = false, signal }: { alone?: boolean; signal?: AbortSignal } = {},
  ): Promise<UsbPortReading> {
    const { with: ports } = await this.uhubctl(port, undefined, signal);
    await this.uhubctl(port, on ? 'on' : 'off', signal, alone ? [port.port] : ports);
    const { with: _, ...reading } = await this.uhubctl(port, undefined, signal);
    if (reading.state !== (on ? 'on' : 'off')) {
      const why = `the port was turned ${on ? 'on' : 'off'}, but is still ${reading.state}`;
      throw new UsbRejected('not-obeyed', port, why);
    }
    return reading;
  }

  /** `with`: the ports that share this one's power. */
  private async uhubctl(
    port: UsbPort,
    action?: 'on' | 'off',
    signal?: AbortSignal,
    ports?: readonly number[],
  ) {
    const args = argsOf(port, action, ports);
    const { status, stdout, stderr } = await this.deps.run('uhubctl', args, { timeoutMs, signal });
    const why = whyUhubctlFailed(status, stderr);
    if (why !== undefined) {
      const isMissing = /No compatible devices/.test(stderr);
      throw new UsbRejected(isMissing ? 'no-port' : 'failed', port, why);
    }
    const reading = portIn(stdout, port);
    if (reading === undefined)
      throw new UsbRejected('no-port', port, 'the hub does not have this port');
    const verified = this.own(port)?.powerVerified;
    return { ...reading, with: switchedWith(stdout, port, verified) };
  }

  private own({ hub, port }: UsbPort) {
    const devices = this.deps.devices();
    return devices.find(({ power }) => power?.hub === hub && power.port === port);
  }

  private checkOwn(port: UsbPort): void {
    if (this.own(port) !== undefined) return;
    const why =
      'rack.yaml does not assign this port to a device of this machine, and the agent only switches ports that are assigned to its devices';
    throw new UsbRejected('not-own', port, why);
  }
}

function cannotSwitch(error: unknown): boolean {
  if (error instanceof UsbRejected) return error.code === 'no-port';
  return error instanceof CommandFailed && error.code === 'missing';
}

function argsOf(
  port: UsbPort,
  action: 'on' | 'off' | undefined,
  ports?: readonly number[],
): string[] {
  try {
    return uhubctlArgs(port, action, ports);
  } catch (error) {
    throw new UsbRejected('no-port', port, errorText(error));
  }
}

function keyOf({ hub, port }: UsbPort): string {
  return `${hub}.${port}`;
}
