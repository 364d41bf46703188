import { describe, expect, it } from 'vitest';
import { portIn, switchedWith, uhubctlArgs } from './uhubctl.ts';

const port = { hub: '1-1', port: 2 };

describe('the arguments of uhubctl', () => {
  it.each([
    { action: 'off', args: '-N -l 1-1 -p 2 -a off -r 100' },
    { action: 'on', args: '-N -l 1-1 -p 2 -a on' },
    { action: undefined, args: '-N -l 1-1 -p 2' },
  ] as const)('names hub and port: $action', ({ action, args }) => {
    expect(uhubctlArgs(port, action)).toEqual(args.split(' '));
  });

  it.each([
    { hub: '', port: 2 },
    { hub: '1-1 -a off', port: 2 },
    { hub: '1-1;reboot', port: 2 },
    { hub: '-1', port: 2 },
    { hub: '1-1', port: 0 },
    { hub: '1-1', port: -1 },
    { hub: '1-1', port: Number.NaN },
    { hub: '1-1', port: 1.5 },
  ])('are not made without either: $hub $port', (wrong) => {
    expect(() => uhubctlArgs(wrong, 'off')).toThrow(RangeError);
  });
});

describe('what uhubctl says of a port', () => {
  const usb2 = 'hub 1-1 [2109:3431, USB 2.10, 4 ports, ppps]';
  const usb3 = 'hub 2 [1d6b:0003, USB 3.00, 4 ports, ppps]';

  it.each([
    {
      title: 'on, with a phone',
      lines: [
        `Current status for ${usb2}`,
        '  Port 2: 0503 power highspeed enable connect [18d1:4ee7]',
      ],
      reading: { state: 'on', delivering: true },
    },
    {
      title: 'on, with nothing on it',
      lines: [`Current status for ${usb2}`, '  Port 2: 0100 power'],
      reading: { state: 'on' },
    },
    {
      title: 'off',
      lines: [`Current status for ${usb2}`, '  Port 2: 0000 off'],
      reading: { state: 'off' },
    },
    {
      title: 'off now',
      lines: [
        `Current status for ${usb2}`,
        '  Port 2: 0100 power',
        'Sent power off request',
        `New status for ${usb2}`,
        '  Port 2: 0000 off',
      ],
      reading: { state: 'off' },
    },
    {
      title: 'off, while a device is connected all the same',
      lines: [`Current status for ${usb2}`, '  Port 2: 0001 connect [18d1:4ee7]'],
      reading: { state: 'off', delivering: true },
    },
    {
      title: 'off, while the USB 3 half is on',
      lines: [
        `Current status for ${usb3}`,
        '  Port 2: 02a0 power 5gbps Rx.Detect',
        `Current status for ${usb2}`,
        '  Port 2: 0000 off',
      ],
      reading: { state: 'off', delivering: true },
    },
    {
      title: 'another hub only',
      lines: ['Current status for hub 1-1.1 [2109:3431]', '  Port 2: 0000 off'],
      reading: undefined,
    },
    {
      title: 'another port only',
      lines: [`Current status for ${usb2}`, '  Port 12: 0000 off', '  Port 3: 0000 off'],
      reading: undefined,
    },
    {
      title: 'a phone that calls itself off',
      lines: [`Current status for ${usb2}`, '  Port 2: 0503 power connect [18d1:4ee7 off]'],
      reading: { state: 'on', delivering: true },
    },
    { title: 'nothing', lines: [], reading: undefined },
  ])('is understood: $title', ({ lines, reading }) => {
    expect(portIn(`${lines.join('\n')}\n`, port)).toEqual(reading);
  });

  it('is not taken from a line that was cut off', () => {
    expect(portIn(`Current status for ${usb2}\n  Port 2: 0503`, port)).toBeUndefined();
  });
});

describe('the ports that have power together', () => {
  const block = (model: string) =>
    `Current status for hub 1-1 [${model}, USB 2.10, 4 ports, ppps]\n`;

  it.each([
    { title: 'all of a Raspberry Pi 4', output: block('2109:3431'), ports: [1, 2, 3, 4] },
    {
      title: 'all but the network card of a Raspberry Pi 3',
      output: block('0424:9514'),
      ports: [2, 3, 4, 5],
    },
    {
      title: 'all but the network card of a Raspberry Pi 3 B+',
      output: block('0424:2514'),
      ports: [2, 3, 4],
    },
    { title: 'one of a hub that switches each', output: block('2109:2817'), ports: [2] },
    { title: 'one, where it was verified', output: block('2109:3431'), verified: true, ports: [2] },
    {
      title: 'one, where another hub is shown',
      output: block('2109:3431').replace('1-1', '1-2'),
      ports: [2],
    },
    { title: 'one, where nothing is shown', output: '', ports: [2] },
  ])('are $title', ({ output, verified, ports }) => {
    expect(switchedWith(output, port, verified)).toEqual(ports);
  });

  it('do not include the network card', () => {
    expect(switchedWith(block('0424:9514'), { hub: '1-1', port: 1 })).toEqual([1]);
  });
});
