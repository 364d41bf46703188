import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { peer } from '../peer.ts';
import { type Usb, uhubctl } from './uhubctl.ts';
import { boardOf, raspberryPi4 } from './usb.ts';

function usb(changes: Partial<Usb> = {}): Usb {
  const hubs = [raspberryPi4];
  const phones = [{ name: 'R58N', port: 'usb/1-1.2', works: true }];
  return { hubs, board: boardOf(hubs), phones, isRoot: true, obeys: true, ...changes };
}

const usb2 = 'hub 1-1 [2109:3431 USB2.0 Hub, USB 2.10, 4 ports, ppps]';
const usb3 = `hub 2 [${raspberryPi4.twin?.description}]`;

describe('simulated uhubctl', () => {
  it('turns one port off, at both halves of the hub', () => {
    const state = usb();

    const { stdout, status = 0 } = uhubctl(
      ['-l', '1-1', '-p', '2', '-a', 'off', '-r', '100'],
      state,
    );

    expect(status).toBe(0);
    expect(stdout).toBe(
      [
        `Current status for ${usb3}`,
        '  Port 2: 02a0 power 5gbps Rx.Detect',
        'Sent power off request',
        `New status for ${usb3}`,
        '  Port 2: 0080 off',
        `Current status for ${usb2}`,
        '  Port 2: 0000 off',
        'Sent power off request',
        `New status for ${usb2}`,
        '  Port 2: 0000 off',
        '',
      ].join('\n'),
    );
    expect(state.board.names().filter((port) => state.board.isOn(port))).toEqual([
      'usb/1-1.1',
      'usb/1-1.3',
      'usb/1-1.4',
    ]);
  });

  it('shows a port, alone with -e', () => {
    const { stdout } = uhubctl(['-e', '-l', '1-1', '-p', '2'], usb());

    expect(stdout).toBe(
      `Current status for ${usb2}\n  Port 2: 0503 power highspeed enable connect [18d1:4ee7 Google Pixel 5]\n`,
    );
  });

  it('keeps to itself with -N what devices say of themselves', () => {
    const { stdout } = uhubctl(['-N', '-e', '-l', '1-1', '-p', '2'], usb());

    expect(stdout).toBe(
      [
        'Current status for hub 1-1 [2109:3431, USB 2.10, 4 ports, ppps]',
        '  Port 2: 0503 power highspeed enable connect [18d1:4ee7]',
        '',
      ].join('\n'),
    );
  });

  it.each([
    { args: ['-l', '1-1', '-a', 'off'] },
    { args: ['-l', '1-1', '-p', '', '-a', 'off'] },
    { args: ['-a', 'off'] },
  ])('hits all ports where -p is missing or empty: $args', ({ args }) => {
    const state = usb();

    uhubctl(args, state);

    expect(state.board.names().some((port) => state.board.isOn(port))).toBe(false);
  });

  it('is content with a port that is not there', () => {
    const { stdout, status = 0 } = uhubctl(['-l', '1-1', '-p', '9', '-a', 'off'], usb());

    expect(status).toBe(0);
    expect(stdout).not.toContain('Port');
  });

  it('finds nothing where the user may not', () => {
    expect(uhubctl(['-l', '1-1'], usb({ isRoot: false }))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('There were permission problems while accessing USB.'),
    });
  });

  it.for([
    { args: ['-l', '1-1', '-p', '2', '-a', 'off'] },
    { args: ['-p', '99'] },
    { args: ['-p', '3-1'] },
    { args: ['-p', 'abc', '-a', 'off'] },
    { args: ['-p'] },
    { args: ['-x'] },
    { args: ['off'] },
    { args: ['-v'] },
  ])('says what uhubctl says: $args', async ({ args }, { skip }) => {
    const program = await withoutHubs();
    if (program === undefined) return skip('uhubctl is not installed, or there are hubs');

    const { stdout = '', stderr = '', status = 0 } = uhubctl(args, usb({ hubs: [] }));

    expect({ stdout, stderr, status }).toEqual(await call(program, args));
  });
});

/** Undefined where it is not installed, and where it could switch something. */
async function withoutHubs(): Promise<string | undefined> {
  const program = peer('uhubctl');
  if (program === undefined) return undefined;
  const { stderr } = await call(program, []);
  return stderr.startsWith('No compatible devices detected!') ? program : undefined;
}

function call(program: string, args: string[]) {
  return new Promise<{ stdout: string; stderr: string; status: number }>((resolve) => {
    execFile(program, args, (error, stdout, stderr) => {
      resolve({
        stdout,
        stderr: stderr.replace(program, 'uhubctl'),
        status: typeof error?.code === 'number' ? error.code : 0,
      });
    });
  });
}
