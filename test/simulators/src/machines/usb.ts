/**
 * A machine's USB hub: a USB 2 hub, whose ports are switched, and its USB 3 twin, which is a hub of its own at another place,
 * with the same ports. What a hub tells of a port and whether the port has power are two things: the hubs of Raspberry Pis
 * show each port as off that was turned off, and have one switch for the power of all.
 *
 * Source: raspberrypi/linux#3079 and mvp/uhubctl#226, #309, #353 (Pi 4: only with all ports off there is no power); mvp/uhubctl#52,
 * #64, #491 (Pi 2 and 3: port 2 switches ports 2 to 5, port 1 is the network card); mvp/uhubctl#316, #504 (MEGA4: each port).
 */
import { OutletBoard } from '../equipment/device.ts';

export interface UsbHub {
  /** Where it is on the bus, as uhubctl names it: `1-1`. */
  location: string;
  ports: number;
  description: string;
  /** Its USB 3 half. */
  twin?: { location: string; description: string };
  /** Ports that have power together, and those that must all be off for that to end. Absent: each port has a switch. */
  together?: { ports: readonly number[]; switchedBy: readonly number[] };
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
  together: { ports: [1, 2, 3, 4], switchedBy: [1, 2, 3, 4] },
};

/** Also that of a Raspberry Pi 2. */
export const raspberryPi3: UsbHub = {
  location: '1-1',
  ports: 5,
  description: '0424:9514, USB 2.00, 5 ports, ppps',
  together: { ports: [2, 3, 4, 5], switchedBy: [2] },
};

/** UUGear's MEGA4, at a Raspberry Pi 4. */
export const mega4: UsbHub = {
  location: '1-1.3',
  ports: 4,
  description: '2109:2817 USB2.0 Hub, USB 2.10, 4 ports, ppps',
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

/** Whether there is power at a port, which charges what is plugged in there. */
export function hasPower(port: string, board: OutletBoard, hubs: readonly UsbHub[]): boolean {
  const [, location, number] = /^usb\/(.+)\.(\d+)$/.exec(port) ?? [];
  const { together } = hubs.find((hub) => hub.location === location) ?? {};
  if (!together?.ports.includes(Number(number))) return board.isOn(port);
  return together.switchedBy.some((each) => board.isOn(`usb/${location}.${each}`));
}

/** Whether the machine sees the phone: a port that is off shows nothing, also where the phone still charges. */
export function isPresent(
  { port, works }: Phone,
  board: OutletBoard,
  hubs: readonly UsbHub[],
): boolean {
  return works && (port === undefined || (board.isOn(port) && hasPower(port, board, hubs)));
}
