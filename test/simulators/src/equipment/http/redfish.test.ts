import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { peer } from '../../peer.ts';
import { patientFence } from '../snmp/testing.ts';
import { startRedfish } from './redfish.ts';
import { changes, closing, curl, finished, needs, url } from './testing.ts';

const program = peer('curl') ?? 'curl';
const system = '/redfish/v1/Systems/1';
const reset = `${system}/Actions/ComputerSystem.Reset`;

describe('Redfish', () => {
  needs('curl');

  it.each([
    [reset, { ResetType: 'Explode' }, 400],
    [reset, {}, 400],
    [reset, { ResetType: 'On' }, 409],
    [reset, { PowerState: 'Off' }, 400],
    [`${system}/Actions/Nothing`, { ResetType: 'ForceOff' }, 404],
  ])('rejects %s %o', async (path, body, status) => {
    const device = await closing(startRedfish({ tls: false }));
    const data = ['-u', 'root:calvin', '-d', JSON.stringify(body)];

    const answer = await curl(program, ...data, url(device, path));

    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toHaveProperty('error');
    expect(device.board.isOn('1')).toBe(true);
  });
});

describe('Redfish, by fence_redfish', () => {
  needs('fence-agents');

  const agent = join(dirname(peer('fence-agents') ?? ''), 'fence_redfish');
  const options = ['--ssl-insecure', '--power-wait=0', ...patientFence];
  const signIn = ['-l', 'root', '-p', 'calvin', ...options];

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
});
