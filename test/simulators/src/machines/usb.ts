/**
 * A machine's USB hub, as a Raspberry Pi 4 has it: a USB 2 hub, whose ports are switched, and its USB 3 twin, which is a
 * hub of its own at another place, with the same ports.
 */
import { OutletBoard } from '../equipment/device.ts';

export interface UsbHub {
  /** Where it is on the bus, as uhubctl names it: `1-1`. */
  location: string;
  ports: number;
  description: string;
  /** Its USB 3 half. */
  twin?: { location: string; description: string };
}

export const raspberryPi4: UsbHub = {
  location: '1-1',
  ports: 4,
  description: '2109:3431 USB2.0 Hub, USB 2.10, 4 ports, ppps',
  twin: {
    location: '2',
    description:
      '1d6b:0003 Linux 5.10.103 xhci-hcd xHCI Host Controller 0000:01:00.0, USB 3.00, 4 ports, ppps',
  },
};

/** A phone on a port. */
export interface Phone {
  /** As in rack.yaml: `device`. */
  name: string;
  /** `usb/1-1.2`; absent: it is on none that can be switched. */
  port?: string;
  /** How it describes itself; `Google Pixel 5` when absent. Whoever owns the phone may write anything there. */
  text?: string;
  /** Not plugged in, or out of order, where false. */
  works: boolean;
}

/** The ports by the names that rack.yaml gives them: `usb/1-1.2`. */
export function boardOf(hubs: readonly UsbHub[]): OutletBoard {
  return new OutletBoard(
    hubs.flatMap(({ location, ports }) =>
      Array.from({ length: ports }, (_, index) => {
        const outlet = { on: true, watts: 2.5 };
        return [`usb/${location}.${index + 1}`, outlet] as const;
      }),
    ),
  );
}

export function isPresent({ port, works }: Phone, board: OutletBoard): boolean {
  return works && (port === undefined || board.isOn(port));
}
