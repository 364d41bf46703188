import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { type RedfishOptions, startRedfish } from './redfish.ts';
import { changes, closing, curl, finished, needs, url } from './testing.ts';

const program = peer('curl') ?? 'curl';
const system = '/redfish/v1/Systems/1';
const reset = `${system}/Actions/ComputerSystem.Reset`;
const outlet = '/redfish/v1/PowerEquipment/RackPDUs/1/Outlets/A1';

async function startWithHttp(options: RedfishOptions = {}) {
  const device = await closing(startRedfish({ tls: false, secondMs: 5, ...options }));
  const at = async (path: string, ...args: string[]) => {
    return await curl(program, '-u', 'root:calvin', ...args, url(device, path));
  };
  const post = async (path: string, body: object) => await at(path, '-d', JSON.stringify(body));
  return { device, at, post };
}

describe('Redfish', () => {
  needs('curl');

  it('tells the state of a server, and where and how it is reset', async () => {
    const { at } = await startWithHttp();

    const { body } = await at(system);

    expect(JSON.parse(body)).toMatchObject({
      Id: '1',
      PowerState: 'On',
      Actions: {
        '#ComputerSystem.Reset': {
          target: reset,
          'ResetType@Redfish.AllowableValues': expect.arrayContaining(['On', 'ForceOff']),
        },
      },
    });
  });

  it('takes a command at once and carries it out a little later', async () => {
    const { device, post } = await startWithHttp();
    const off = changes(device, 1);

    const answer = await post(reset, { ResetType: 'ForceOff' });

    expect(answer).toEqual({ status: 204, body: '' });
    expect(await off).toEqual(['1 off']);
  });

  it('says what it is about to be meanwhile', async () => {
    const { device, at, post } = await startWithHttp({ delaySeconds: 3600 });

    await post(reset, { ResetType: 'ForceOff' });
    const meanwhile = await at(system);

    expect(JSON.parse(meanwhile.body)).toMatchObject({ PowerState: 'PoweringOff' });
    expect(device.board.isOn('1')).toBe(true);
  });

  it('does off, wait and on by itself', async () => {
    const { device, post } = await startWithHttp({ outlets: ['A1'], success: 202 });
    const both = changes(device, 4);

    const task = await post(reset, { ResetType: 'PowerCycle' });
    await post(`${outlet}/Outlet.PowerControl`, { PowerState: 'PowerCycle' });

    expect(task.status).toBe(202);
    expect((await both).toSorted()).toEqual(['1 off', '1 on', 'A1 off', 'A1 on']);
  });

  it('switches the outlets of a PDU and tells what they draw', async () => {
    const { device, at, post } = await startWithHttp({ outlets: ['A1', 'A2'] });
    const off = changes(device, 1);

    const before = await at(outlet);
    await post(`${outlet}/Outlet.PowerControl`, { PowerState: 'Off' });

    expect(JSON.parse(before.body)).toMatchObject({ Id: 'A1', PowerWatts: { Reading: 4 } });
    expect(await off).toEqual(['A1 off']);
  });

  it('tells what is allowed by an ActionInfo where it is of that kind', async () => {
    const { at } = await startWithHttp({ allowableIn: 'action-info', allowable: ['On'] });

    const info = await at(`${system}/ResetActionInfo`);

    expect(JSON.parse((await at(system)).body)).toMatchObject({
      Actions: {
        '#ComputerSystem.Reset': { '@Redfish.ActionInfo': `${system}/ResetActionInfo` },
      },
    });
    expect(JSON.parse(info.body)).toMatchObject({
      Parameters: [{ Name: 'ResetType', AllowableValues: ['On'] }],
    });
  });

  it.each([
    [reset, { ResetType: 'Explode' }, 400],
    [reset, {}, 400],
    [reset, { ResetType: 'On' }, 409],
    [reset, { PowerState: 'Off' }, 400],
    [`${system}/Actions/Nothing`, { ResetType: 'ForceOff' }, 404],
  ])('rejects %s %o', async (path, body, status) => {
    const { device, post } = await startWithHttp();

    const answer = await post(path, body);

    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toHaveProperty('error');
    expect(device.board.isOn('1')).toBe(true);
  });

  it('signs in by sessions, of which it has few, and never tells their passwords', async () => {
    const { device, at } = await startWithHttp();
    const sessions = '/redfish/v1/SessionService/Sessions';
    const body = JSON.stringify({ UserName: 'root', Password: 'calvin' });
    const signIn = async () => await curl(program, '-i', '-d', body, url(device, sessions));

    const [first] = [await signIn(), await signIn(), await signIn(), await signIn()];
    const fifth = await signIn();
    const token = /x-auth-token: (\S+)/i.exec(first?.body ?? '')?.[1] ?? '';
    const location = /location: (\S+)/i.exec(first?.body ?? '')?.[1] ?? '';
    const taken = await curl(program, '-H', `x-auth-token: ${token}`, url(device, system));
    await at(location, '-X', 'DELETE');
    const rejected = await curl(program, '-H', `x-auth-token: ${token}`, url(device, system));

    expect([fifth.status, taken.status, rejected.status]).toEqual([503, 200, 401]);
    expect(device.tokenCount).toBe(3);
    expect(JSON.stringify(device.received)).not.toContain('calvin');
  });
});

describe('Redfish, by fence_redfish', () => {
  needs('fence-agents');

  const agent = join(dirname(peer('fence-agents') ?? ''), 'fence_redfish');
  const signIn = ['-l', 'root', '-p', 'calvin', '--ssl-insecure', '--power-wait=0'];

  it('is read, turned off and turned on', async () => {
    const device = await closing(startRedfish({ secondMs: 5 }));
    const target = ['-a', device.host, '-u', String(device.port), ...signIn];

    const before = await finished(agent, ...target, '-o', 'status');
    const off = await finished(agent, ...target, '-o', 'off');
    const between = await finished(agent, ...target, '-o', 'status');
    const on = await finished(agent, ...target, '-o', 'on');

    expect(
      [before.output, off.output, between.output, on.output].map((line) => line.trim()),
    ).toEqual(['Status: ON', 'Success: Powered OFF', 'Status: OFF', 'Success: Powered ON']);
    // Its exit status of "off" is 2.
    expect([before.status, off.status, between.status, on.status]).toEqual([0, 0, 2, 0]);
  });

  it('is rejected with a wrong password', async () => {
    const device = await closing(startRedfish());
    const wrong = ['-l', 'root', '-p', 'wrong', '--ssl-insecure'];

    const answer = await finished(
      agent,
      ...['-a', device.host, '-u', String(device.port), ...wrong, '-o', 'status'],
    );

    expect(answer.status).toBe(1);
  });
});

describe('Redfish, by redfishtool', () => {
  needs('redfishtool');

  it('is cycled: off and on, and says so', async () => {
    const device = await closing(startRedfish({ tls: false, secondMs: 5 }));
    const seen = changes(device, 2);
    const target = [
      '-r',
      `${device.host}:${device.port}`,
      '-u',
      'root',
      '-p',
      'calvin',
      '-S',
      'Never',
    ];

    const cycled = await finished(
      peer('redfishtool') ?? '',
      ...target,
      ...['-A', 'Basic', 'Systems', '-I', '1', 'reset', 'PowerCycle'],
    );

    expect(cycled.status).toBe(0);
    expect(await seen).toEqual(['1 off', '1 on']);
  });

  it('changes a password, which only the new one opens then', async () => {
    const device = await closing(startRedfish({ tls: false }));
    const tool = (password: string, ...args: string[]) =>
      finished(
        peer('redfishtool') ?? '',
        ...['-r', `${device.host}:${device.port}`, '-u', 'root', '-p', password],
        ...['-S', 'Never', '-A', 'Basic', ...args],
      );

    const changed = await tool('calvin', 'AccountService', 'setpassword', 'root', 'hobbes-2026');

    expect(changed.status).toBe(0);
    const list = (password: string) => tool(password, 'Systems', 'list');
    expect((await list('hobbes-2026')).status).toBe(0);
    expect((await list('calvin')).status).not.toBe(0);
  });
});
