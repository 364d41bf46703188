import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError, type ConnectedHosts } from '@skolo/api';
import { type CliDevice, startEdgeos, startEdgeSwitch, type Wiring } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Lab, startLab } from '../testing/lab.ts';

const account = { username: 'skolo', password: 'canary-login-7f3a' };
const mac = 'b8:27:eb:00:00:01';

function wiring(): Wiring {
  return {
    hosts: [{ mac, port: '3', vlan: 10, address: '127.0.1.1', hostname: 'rpi-001' }],
    own: 'f0:9f:c2:00:00:01',
  };
}

async function start(power?: Parameters<typeof startLab>[0]): Promise<{
  lab: Lab;
  switch1: CliDevice;
  read: (device: string) => Promise<ConnectedHosts>;
}> {
  const switch1 = await startEdgeSwitch({
    ...account,
    host: '127.0.2.2',
    ports: 8,
    wiring: wiring(),
  });
  onTestFinished(() => switch1.close());
  const router = await startEdgeos({
    ...account,
    host: '127.0.2.1',
    wiring: { hosts: [{ mac, port: 'eth1', address: '127.0.1.1', hostname: 'rpi-001' }] },
  });
  onTestFinished(() => router.close());
  const lab = await startLab({
    isFake: false,
    // Nothing but what a test asks for speaks to the devices.
    settings: '    schedule: "0 0 1 1 *"\n    overdueHours: 8760',
    yaml: `equipment:
  router: { model: edgeos, address: 127.0.2.1, ports: { ssh: ${router.port} }, login: equipment, backup: false }
  switch-1: { model: edgeswitch, portCount: 8, address: 127.0.2.2, ports: { ssh: ${switch1.port} }, login: equipment, backup: false }
  odd-1: { model: generic, address: 127.0.2.3, prompt: '#', commands: [show], login: equipment, backup: false }
  pdu-1: { model: synaccess, address: 127.0.2.4, backup: false }
logins:
  equipment: { username: skolo, password: { file: password } }
`,
    prepare: (stateDir) =>
      writeFile(join(stateDir, '..', 'password'), `${account.password}\n`, { mode: 0o600 }),
    ...power,
  });
  const read = (device: string) => lab.operator.connectedHosts({ params: { equipment: device } });
  return { lab, switch1, read };
}

const problemOf = async (work: Promise<unknown>) => {
  const error = await work.catch((reason: unknown) => reason);
  if (!(error instanceof ApiError)) throw new Error(`no problem: ${error}`);
  return { status: error.status, detail: error.problem.detail };
};

describe('connected hosts', () => {
  it('are read from a switch, and from a router', async () => {
    const { read } = await start();

    const [of, router] = [await read('switch-1'), await read('router')];

    expect(of).toMatchObject({
      equipment: 'switch-1',
      hosts: [{ mac, port: '3', vlan: '10', source: 'mac-table' }],
      own: ['f0:9f:c2:00:00:01'],
    });
    expect(of.ports.filter(({ up }) => up)).toEqual([{ name: '3', up: true }]);
    expect(router.hosts).toContainEqual({
      mac,
      address: '127.0.1.1',
      port: 'eth1',
      source: 'arp',
    });
    expect(router.hosts).toContainEqual({
      mac,
      address: '127.0.1.1',
      hostname: 'rpi-001',
      source: 'lease',
    });
  });

  it('are one session for all who ask at once', async () => {
    const { read, switch1 } = await start();

    const all = await Promise.all([read('switch-1'), read('switch-1'), read('switch-1')]);

    expect(new Set(all.map(({ readAt }) => readAt)).size).toBe(1);
    expect(switch1.sessions.opened).toBe(1);
  });

  it('are read at most 200 times in a row by one caller', async () => {
    const { lab, read } = await start();

    const statuses: (number | undefined)[] = [];
    let limited: Awaited<ReturnType<typeof problemOf>> | undefined;
    while (limited === undefined && statuses.length < 2000) {
      const some = await Promise.all(Array.from({ length: 20 }, () => problemOf(read('pdu-1'))));
      statuses.push(...some.map(({ status }) => status));
      limited = some.find(({ status }) => status === 429);
    }
    expect(limited?.detail).toMatch(/: too many readings of equipment; try again in \d+ s$/);
    expect(statuses.filter((status) => status === 409).length).toBeGreaterThanOrEqual(200);
    const other = lab.admin.connectedHosts({ params: { equipment: 'pdu-1' } });
    expect(await problemOf(other)).toMatchObject({ status: 409 });
  });

  it.each([
    ['switch-9', 404, 'switch-9: no such switch or router in rack.yaml; did you mean "switch-1"?'],
    ['pdu-1', 409, 'pdu-1: model synaccess does not report connected hosts'],
    [
      'odd-1',
      409,
      'odd-1: rack.yaml describes only the backup of such equipment, not its MAC table',
    ],
  ])('are not there for %s', async (device, status, detail) => {
    const { read } = await start();

    expect(await problemOf(read(device))).toEqual({ status, detail });
  });

  it('say why a device could not be read, and keep its password', async () => {
    const { read, switch1 } = await start();
    switch1.faults.set('rejects-login');

    const { status, detail } = await problemOf(read('switch-1'));

    expect(status).toBe(502);
    expect(detail).toMatch(/^switch-1: /);
    expect(detail).not.toContain('canary');
    switch1.faults.clear();
    expect((await read('switch-1')).hosts).toHaveLength(1);
  });

  it('wait for a power cycle', async () => {
    const unlessWanted = vi.fn().mockRejectedValue(new Error('busy'));
    const power = { wanted: async () => new Set<string>(), unlessWanted };
    const { read, switch1 } = await start({ power });

    await expect(read('switch-1')).rejects.toThrow();

    expect(switch1.sessions.opened).toBe(0);
  });
});
