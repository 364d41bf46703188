/** uhubctl as a RunCommand: Debian's, on a simulated Raspberry Pi 4 hub. */
import { CommandFailed, type RunCommand } from '@skolo/base/run-command';
import { boardOf, raspberryPi4, type Usb, uhubctl } from '@skolo/simulators';

interface FakeHub {
  run: RunCommand;
  /** `off 1-1.2`, `on 1-1.2`; without readings. */
  switched: string[];
  /** Ports that are off: `usb/1-1.2`. */
  off(): string[];
  /** Changes made by somebody else. */
  turnOff(port: string): void;
  fault: 'none' | 'missing' | 'deaf' | 'no-hub' | 'cannot-turn-on';
  /** The current number of running commands, and the maximum so far. */
  atOnce: { now: number; most: number };
}

export function fakeHub(): FakeHub {
  const board = boardOf([raspberryPi4]);
  const phones = [{ name: 'phone', port: 'usb/1-1.2', works: true }];
  const hub: FakeHub = {
    switched: [],
    fault: 'none',
    atOnce: { now: 0, most: 0 },
    off: () => board.names().filter((name) => !board.isOn(name)),
    turnOff: (port) => board.set(port, false),
    async run(file, args, { signal }) {
      signal?.throwIfAborted();
      if (hub.fault === 'missing') throw new CommandFailed('missing', `${file} is not installed`);
      hub.atOnce.now += 1;
      hub.atOnce.most = Math.max(hub.atOnce.most, hub.atOnce.now);
      await new Promise<void>((resolve) => setImmediate(resolve));
      hub.atOnce.now -= 1;
      const action = args[args.indexOf('-a') + 1];
      if (args.includes('-a')) hub.switched.push(`${action} ${args[2]}.${args[4]}`);
      const usb: Usb = {
        hubs: hub.fault === 'no-hub' ? [] : [raspberryPi4],
        board,
        phones,
        isRoot: true,
        obeys: hub.fault !== 'deaf' && !(hub.fault === 'cannot-turn-on' && action === 'on'),
      };
      const { stdout = '', stderr = '', status = 0 } = uhubctl([...args], usb);
      return { stdout, stderr, status };
    },
  };
  return hub;
}
