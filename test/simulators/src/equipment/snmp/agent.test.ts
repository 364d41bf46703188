import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SimulatedDevice } from '../device.ts';
import type { SnmpOptions } from './agent.ts';
import { startApcRpdu } from './apc-rpdu.ts';
import { runTool, signIn, users } from './testing.ts';

const command = '.1.3.6.1.4.1.318.1.1.12.3.3.1.1.4';
const status = '.1.3.6.1.4.1.318.1.1.12.3.5.1.1.4';

async function start(options: SnmpOptions = {}): Promise<SimulatedDevice> {
  const device = await startApcRpdu({ users, ...options });
  onTestFinished(() => device.close());
  return device;
}

const off = (outlet: number | string) => ['snmpset', `${command}.${outlet}`, 'i', '2'];
const read = (outlet: number | string) => ['snmpget', `${status}.${outlet}`];

describe("the agent, asked by net-snmp's tools", () => {
  const writers = ['v1', 'v2c', 'sha', 'sha256', 'sha512', 'signsOnly'] as const;

  it.for(writers)('carries out what is said by %s', async (who, context) => {
    const device = await start();

    const set = await runTool(context, device, off(3), signIn[who]);
    const get = await runTool(context, device, read(3), signIn[who]);

    expect(set).toMatchObject({ status: 0, stdout: `${command}.3 = INTEGER: 2\n` });
    expect(get).toMatchObject({ status: 0, stdout: `${status}.3 = INTEGER: 2\n` });
    expect(device.board.isOn('3')).toBe(false);
  });

  it.for([
    ['readOnly', 'noAccess'],
    ['reader', 'noAccess'],
    ['stranger', 'Timeout: No Response'],
    ['nobody', 'Unknown user name'],
    ['wrongAuthKey', 'Authentication failure'],
    ['wrongPrivKey', 'Decryption error'],
  ] as const)('does not let %s write: %s', async ([who, why], context) => {
    const device = await start();

    // The agent does not answer a stranger.
    const how = who === 'stranger' ? [...signIn[who], '-t1'] : signIn[who];
    const set = await runTool(context, device, off(3), how);

    expect(set.status).not.toBe(0);
    expect(set.stderr).toContain(why);
    expect(device.board.isOn('3')).toBe(true);
  });

  it.for([
    ['an outlet that is not there', `${command}.99`, 'i', '2', 'noCreation'],
    ['what is read-only', `${status}.3`, 'i', '2', 'notWritable'],
    ['a number that means nothing', `${command}.3`, 'i', '9', 'wrongValue'],
    ['what is no number', `${command}.3`, 's', 'off', 'wrongType'],
  ])('refuses to set %s', async ([, oid, type, value, why], context) => {
    const device = await start();

    const set = await runTool(context, device, ['snmpset', oid ?? '', type ?? '', value ?? '']);

    expect(set.status).toBe(2);
    expect(set.stderr).toContain(`Reason: ${why}`);
  });

  it('sets all variables of a request, or none', async (context) => {
    const device = await start();

    const set = await runTool(context, device, [...off(3), `${command}.99`, 'i', '2']);

    expect(set.stderr).toContain('noCreation');
    expect(device.board.isOn('3')).toBe(true);
  });

  it('answers a missing instance with an exception, which is no error, but in version 1', async (context) => {
    const device = await start();

    const v2c = await runTool(context, device, read(99));
    const v1 = await runTool(context, device, read(99), signIn.v1);

    expect(v2c.status).toBe(0);
    expect(v2c.stdout).toContain('No Such Instance');
    expect(v1.status).toBe(2);
    expect(v1.stderr).toContain('noSuchName');
  });

  it.for(['snmpwalk', 'snmpbulkwalk'])('is walked by %s', async (tool, context) => {
    const device = await start();

    const walk = await runTool(context, device, [tool, '.1.3.6.1.4.1.318.1.1.12.3.5']);

    const rows = walk.stdout.split('\n');
    expect(walk.status).toBe(0);
    expect(rows[8]).toBe('.1.3.6.1.4.1.318.1.1.12.3.5.1.1.2.1 = STRING: "Outlet 1"');
    expect(rows[31]).toBe('.1.3.6.1.4.1.318.1.1.12.3.5.1.1.5.8 = INTEGER: 2');
  });

  it('knows its users again after a reboot, with its clock at the start', async (context) => {
    const device = await start();
    await runTool(context, device, off(3), signIn.sha);

    await device.reboot();

    const get = await runTool(context, device, read(3), signIn.sha);
    expect(get.stdout).toBe(`${status}.3 = INTEGER: 1\n`);
  });
});

describe('faults of the agent', () => {
  it('rejects-login tells users of version 3 that their key is wrong', async (context) => {
    const device = await start();
    device.faults.set('rejects-login');

    const get = await runTool(context, device, read(3), signIn.sha);

    expect(get.stderr).toContain('Authentication failure');
  });
});

describe('the agent', () => {
  it('does not respond to what is no SNMP, and goes on', async (context) => {
    const device = await start();
    const socket = await connected(device);
    const noise = ['', '\0', '0', '0\x84\xff\xff\xff\xff', '0\x03\x02\x01\x01', '\x30\x80'];

    for (const bytes of noise) socket.send(Buffer.from(bytes, 'latin1'));

    const get = await runTool(context, device, read(1));
    expect(get.status).toBe(0);
  });
});

async function connected({ host, port }: SimulatedDevice): Promise<Socket> {
  const socket = createSocket('udp4');
  onTestFinished(() => {
    socket.close();
  });
  socket.connect(port, host);
  await once(socket, 'connect');
  return socket;
}
