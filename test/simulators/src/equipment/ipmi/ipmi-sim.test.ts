import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, type TestContext, vi } from 'vitest';
import { type PeerName, peer } from '../../peer.ts';
import type { SimulatedDevice } from '../device.ts';
import { startIpmiSim } from './ipmi-sim.ts';

async function start(context: TestContext): Promise<SimulatedDevice> {
  const device = await startIpmiSim();
  if (!device) return context.skip('ipmi_sim is not installed');
  onTestFinished(() => device.close());
  return device;
}

interface Ran {
  status: number;
  output: string;
}

function run(path: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH, ...env }, timeout: 50_000 };
    execFile(path, args, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ status, output: `${stdout}${stderr}` });
    });
  });
}

function program(context: TestContext, name: PeerName): string {
  return peer(name) ?? context.skip(`${name} is not installed`);
}

function ipmitool(
  context: TestContext,
  { host, port }: SimulatedDevice,
  { password = 's3cret', waitSeconds = 3, tries = 5 } = {},
) {
  const path = program(context, 'ipmitool');
  const how = ['-I', 'lanplus', '-C', '3', '-H', host, '-p', `${port}`, '-U', 'lab', '-E'];
  return (...args: string[]) =>
    run(path, [...how, '-N', `${waitSeconds}`, '-R', `${tries}`, ...args], {
      IPMI_PASSWORD: password,
    });
}

describe('ipmi_sim, told by ipmitool', () => {
  it('turns its chassis off and on', async (context) => {
    const device = await start(context);
    const power = (verb: string) => ipmitool(context, device)('chassis', 'power', verb);

    const off = await power('off');
    const seenOff = await power('status');
    const on = await power('on');
    const seenOn = await power('status');

    expect([off, seenOff, on, seenOn]).toEqual([
      { status: 0, output: 'Chassis Power Control: Down/Off\n' },
      { status: 0, output: 'Chassis Power is off\n' },
      { status: 0, output: 'Chassis Power Control: Up/On\n' },
      { status: 0, output: 'Chassis Power is on\n' },
    ]);
    expect(device.received.map(({ text }) => text)).toContain('set power 0');
  });

  it('is off for a moment in a cycle', async (context) => {
    const device = await start(context);
    const states: boolean[] = [];
    device.board.on('change', ({ on }) => states.push(on));

    await ipmitool(context, device)('chassis', 'power', 'cycle');

    await vi.waitFor(() => expect(states).toEqual([false, true]), 10_000);
  });

  it('shuts down when it is asked to', async (context) => {
    const device = await start(context);

    await ipmitool(context, device)('chassis', 'power', 'soft');

    await vi.waitFor(() => expect(device.board.isOn('chassis')).toBe(false), 10_000);
  });

  it('does not take a wrong password', async (context) => {
    const device = await start(context);

    const ran = await ipmitool(context, device, { password: 'wrong' })(
      '-v',
      'chassis',
      'power',
      'status',
    );

    expect(ran.status).toBe(1);
    expect(ran.output).toContain('RAKP 2 HMAC is invalid');
  });

  it('goes on after a reboot of the controller, the server as it was', async (context) => {
    const device = await start(context);
    device.board.set('chassis', false);

    await device.reboot();

    const ran = await ipmitool(context, device)('chassis', 'power', 'status');
    expect(ran.output).toBe('Chassis Power is off\n');
  });

  it.for(['down', 'wedged'] as const)('answers nobody while it is %s', async (fault, context) => {
    const device = await start(context);
    device.faults.set(fault);

    const impatient = ipmitool(context, device, { waitSeconds: 1, tries: 1 });
    const silent = await impatient('chassis', 'power', 'status');
    device.faults.clear();
    const back = await ipmitool(context, device)('chassis', 'power', 'status');

    expect(silent.status).toBe(1);
    expect(back.status).toBe(0);
  });

  it('can say yes and do nothing', async (context) => {
    const device = await start(context);
    device.faults.set('ignores-commands');

    const off = await ipmitool(context, device)('chassis', 'power', 'off');

    expect(off.status).toBe(0);
    expect(device.board.isOn('chassis')).toBe(true);
  });
});

describe('ipmi_sim, told by fence_ipmilan', () => {
  it('is turned off, seen off, turned on, and seen on', async (context) => {
    const device = await start(context);
    const path = join(dirname(program(context, 'fence-agents')), 'fence_ipmilan');
    program(context, 'ipmitool');
    const changes: boolean[] = [];
    device.board.on('change', ({ on }) => changes.push(on));

    const args = ['-a', device.host, '-u', `${device.port}`, '-P', '-C', '3', '-l', 'lab'];
    const ran = await run(path, [...args, '-p', 's3cret', '-o', 'reboot', '--power-wait=1']);

    expect(ran).toMatchObject({ status: 0, output: expect.stringContaining('Success: Rebooted') });
    expect(changes).toEqual([false, true]);
  });
});
