/** Programs of a Raspberry Pi itself: `uhubctl`, with what is plugged into its ports, and `vcgencmd`. */
import type { OutletBoard } from '../equipment/device.ts';
import { type Usb, uhubctl } from '../machines/uhubctl.ts';
import { boardOf, hasPower, type Phone, raspberryPi4, type UsbHub } from '../machines/usb.ts';
import { type ProgramAnswer, type Programs, startPrograms } from './programs.ts';

const localFaults = [
  /** The hub takes commands and leaves the power as it is. */
  'usb-ignored',
  /** The hub is gone from the bus. */
  'usb-missing',
] as const;
type LocalFault = (typeof localFaults)[number];

/** What can be plugged into a port: phones of either kind. */
interface Pluggable {
  plugIn(): void;
  /** @param keepsPower it is only unseen */
  unplug(keepsPower?: boolean): void;
}

interface LocalPrograms extends Programs {
  /** Ports: `usb/1-1.2`. All are on. */
  readonly usb: OutletBoard;
  readonly faults: Set<LocalFault>;
  /** Of `get_throttled`: bit 0 under-voltage now, 1 capped, 2 throttled, 3 soft limit; 16 to 19: since the boot. */
  throttled: number;
  /** Of `measure_temp`. */
  celsius: number;
  /** While its port is off, it is not there. It has a battery: it does not reboot by that. */
  plug(what: Pluggable, port: string, name?: string): void;
}

/** `uhubctl` and `vcgencmd` for the front of PATH. */
export async function startLocalPrograms({
  hubs = [raspberryPi4],
}: {
  hubs?: readonly UsbHub[];
} = {}): Promise<LocalPrograms> {
  const usb = boardOf(hubs);
  const phones: Phone[] = [];
  const faults = new Set<LocalFault>();
  const hub = (): Usb => ({
    hubs: faults.has('usb-missing') ? [] : hubs,
    board: usb,
    phones,
    isRoot: true,
    obeys: !faults.has('usb-ignored'),
  });
  const programs = await startPrograms({
    uhubctl: (args) => uhubctl([...args], hub()),
    vcgencmd: ([command = '']) => vcgencmd(command),
  });

  /** As userland's vcgencmd prints it. */
  function vcgencmd(command: string): ProgramAnswer {
    switch (command) {
      case 'get_throttled':
        return { stdout: `throttled=0x${local.throttled.toString(16)}\n` };
      case 'measure_temp':
        return { stdout: `temp=${local.celsius.toFixed(1)}'C\n` };
      case 'measure_volts':
        return { stdout: 'volt=0.8500V\n' };
      default:
        return { stdout: 'error=1 error_msg="Command not registered"\n' };
    }
  }

  const local: LocalPrograms = {
    ...programs,
    usb,
    faults,
    throttled: 0,
    celsius: 48.3,
    plug(what, port, name = port) {
      if (!usb.has(port)) throw new RangeError(`no port ${port}`);
      phones.push({ name, port, works: true });
      let was = 'seen';
      usb.on('change', () => {
        const powered = hasPower(port, usb, hubs);
        const now = powered && usb.isOn(port) ? 'seen' : powered ? 'unseen' : 'off';
        if (now === was) return;
        was = now;
        if (now === 'seen') what.plugIn();
        else what.unplug(powered);
      });
    },
  };
  return local;
}
