/** The demo machine whose agent really runs: its simulated parts, above all its power. */
import { EventEmitter } from 'node:events';
import { hasPower, raspberryPi4, type SimulatedMachine } from '@skolo/simulators';

/** In racks/demo. */
export const agentMachine = 'skia-rpi2-demo-shelf1-001';

/** What a service runs on, if that may lose its power. */
export interface Computer {
  env(): NodeJS.ProcessEnv;
  /** Fulfilled once it has power and has booted; immediately if it already has. */
  whenUp(): Promise<void>;
  /** It lost its power: everything that ran on it is gone. */
  onDown(listener: () => void): () => void;
}

export class AgentComputer implements Computer {
  private readonly events = new EventEmitter<{ down: []; power: [] }>();
  private readonly variables = new Map<string, string>();
  private simulated: SimulatedMachine | undefined;
  private watching = new AbortController();

  /** For the agent's environment. */
  set(name: string, value: string): void {
    this.variables.set(name, value);
  }

  env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      ...Object.fromEntries(this.variables),
      ...(this.simulated && { SKOLO_BOOT_ID: this.simulated.bootId }),
    };
  }

  /** The machine as others see it. Undefined: it is not simulated, and has power. */
  get machine(): SimulatedMachine | undefined {
    return this.simulated;
  }

  /** From now on it is this one. One that was closed because rack.yaml was edited has not lost its power. */
  use(machine: SimulatedMachine | undefined): void {
    if (machine === this.simulated) return;
    this.watching.abort();
    this.watching = new AbortController();
    this.simulated = machine;
    if (machine !== undefined) {
      const { signal } = this.watching;
      const emitPower = () => this.events.emit('power');
      machine.usb.on('change', emitPower);
      signal.addEventListener('abort', () => machine.usb.off('change', emitPower), { once: true });
      void this.watch(machine, signal).catch(() => undefined);
    }
    this.events.emit('power');
  }

  /** Whether that port (`usb/1-1.2`) is on: otherwise its phone is not visible. */
  isOn(port: string): boolean {
    const { simulated } = this;
    return !simulated?.usb.has(port) || simulated.usb.isOn(port);
  }

  /** Whether its phone has power, which may be the case although the port is off. */
  hasPower(port: string): boolean {
    const { simulated } = this;
    return !simulated?.usb.has(port) || hasPower(port, simulated.usb, [raspberryPi4]);
  }

  onPower(listener: () => void): () => void {
    this.events.on('power', listener);
    return () => this.events.off('power', listener);
  }

  async whenUp(): Promise<void> {
    for (;;) {
      const machine = this.simulated;
      if (machine === undefined || machine.isUp()) return;
      await machine.whenUp(this.watching.signal).catch(() => undefined);
    }
  }

  onDown(listener: () => void): () => void {
    this.events.on('down', listener);
    return () => this.events.off('down', listener);
  }

  private async watch(machine: SimulatedMachine, signal: AbortSignal): Promise<void> {
    for (;;) {
      await machine.whenDown(signal);
      signal.throwIfAborted();
      this.events.emit('down');
      await machine.whenUp(signal);
      signal.throwIfAborted();
    }
  }
}
