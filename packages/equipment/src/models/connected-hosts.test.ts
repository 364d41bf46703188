/** Connected hosts, as each model reads them from simulated devices over their real protocols. */

import { type Credentials, Secret } from '@skolo/base/secrets';
import { DeviceError, DeviceRejected, DeviceTimeout } from '@skolo/equipment/transports';
import {
  type CliDevice,
  type CliOptions,
  type DeviceFault,
  poeSwitchModel,
  startPoeSwitch,
  startSnmpd,
  type Wiring,
} from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import type { ConnectedHosts } from './contract/connected-hosts.ts';
import { rowsIn } from './families/command-line/connected-hosts.ts';
import { models } from './index.ts';
import { loadConnectedHosts } from './load.ts';
import type { PluggedIn } from './testing/proof.ts';
import { proofsWith } from './testing/proofs.ts';
import { account, type Sitting, setFault, simulated } from './testing/simulated-device.ts';
import { logins, readHosts } from './testing/snmp.ts';

const [first, second, third] = ['b8:27:eb:00:00:01', 'b8:27:eb:0a:0b:0c', '94:c6:91:18:57:d8'];

interface Case extends PluggedIn {
  model: string;
  start(options: CliOptions): Promise<CliDevice>;
}

const cases = proofsWith('hosts').flatMap(({ model, proof: { start, hosts } }) =>
  [start, hosts.older].flatMap((each) =>
    each === undefined ? [] : [{ model, start: each, ...hosts } satisfies Case],
  ),
);

function wiringOf([one, two, three, free]: Case['ports']): Wiring {
  return {
    hosts: [
      { mac: first, port: one, vlan: 10, address: '192.168.1.101', hostname: 'rpi-001' },
      { mac: second, port: two, vlan: 10, address: '192.168.1.102', hostname: '' },
      { mac: third, port: three, vlan: 20 },
    ],
    ports: [free],
    own: '02:00:00:00:aa:01',
  };
}

async function sit(
  model: string,
  wiring: Wiring,
  { start, options = {} }: Case,
  limits: Parameters<Sitting<CliDevice>['connect']>[0] = {},
) {
  const parsed = z.object(models.get(model)?.options ?? {}).parse(options);
  const sitting = await simulated((account) => start({ ...account, wiring }), {
    model,
    options: parsed,
  });
  const create = await loadConnectedHosts(model);
  if (create === undefined) throw new Error(`${model} is not read`);
  const credentials = () => Promise.reject(new Error('no SNMP here'));
  const read = () =>
    create(sitting.inventory).read({
      connection: sitting.connect(limits),
      credentials,
      signal: new AbortController().signal,
    });
  return { ...sitting, read };
}

/** A fault despite which it is read, and those that are always an error. */
const whole: readonly DeviceFault[] = ['pager-stays'];
const failing: readonly DeviceFault[] = ['wedged', 'drops-mid-way', 'garbled'];

function places({ hosts }: ConnectedHosts): string[] {
  return hosts
    .filter(({ source }) => source === 'mac-table')
    .map(({ mac, port }) => `${mac} ${port}`)
    .sort();
}

describe.each(cases)('a $model', (about) => {
  const { model } = about;
  const { ports, knows, isRouter = false } = about;

  it('is asked who is at which port, and which ports have a link', async () => {
    const { read } = await sit(model, wiringOf(ports), about);

    const seen = await read();

    const macs = [first, second, third].map((mac, index) => `${mac} ${ports[index]}`);
    expect(places(seen)).toEqual(isRouter ? [] : macs.sort());
    const links = new Map(seen.ports.map(({ name, up }) => [name, up]));
    expect(ports.map((port) => links.get(port))).toEqual([true, true, true, false]);
    const addresses = seen.hosts.filter(({ address }) => address !== undefined);
    const sources = new Set(addresses.map(({ source }) => source));
    expect([...sources].sort()).toEqual(
      knows.map((each) => (each === 'address' ? 'mac-table' : each)).sort(),
    );
    for (const { mac, address } of addresses) {
      expect(address).toBe(mac === first ? '192.168.1.101' : '192.168.1.102');
    }
    const names = seen.hosts.flatMap(({ mac, hostname }) =>
      hostname ? [`${mac} ${hostname}`] : [],
    );
    if (knows.includes('lease')) expect(names).toEqual([`${first} rpi-001`]);
  });

  it('shows where a cable is now', async () => {
    const wiring = wiringOf(ports);
    const { read } = await sit(model, wiring, about);
    const [host] = wiring.hosts;
    if (host) host.port = ports[3];

    const seen = await read();

    const links = new Map(seen.ports.map(({ name, up }) => [name, up]));
    expect(links.get(ports[3])).toBe(true);
    if (!isRouter) expect(places(seen)).toContain(`${first} ${ports[3]}`);
    else expect(seen.hosts).toContainEqual(expect.objectContaining({ mac: first, port: ports[3] }));
  });

  it.each([...whole, ...failing])('is read whole or not at all: %s', async (fault) => {
    const wiring = wiringOf(ports);
    // More than a terminal screen.
    const many = Array.from({ length: 40 }, (_, at) => ({
      mac: `dc:a6:32:00:00:${at.toString(16).padStart(2, '0')}`,
      port: ports[2],
      vlan: 20,
    }));
    wiring.hosts.push(...many);
    const { read, device } = await sit(
      model,
      wiring,
      about,
      whole.includes(fault) ? {} : { idleMs: 600, deadlineMs: 5000 },
    );
    if (!setFault(device, fault)) return;

    const [result] = await Promise.allSettled([read()]);

    if (result.status === 'rejected') {
      expect(result.reason).toBeInstanceOf(DeviceError);
      expect(whole).not.toContain(fault);
      expect(String(result.reason)).not.toContain(account.password);
      return;
    }
    expect(failing).not.toContain(fault);
    const [first] = places(result.value);
    expect(places(result.value)).toHaveLength(isRouter ? 0 : 43);
    if (!isRouter) expect(first).toBe(`94:c6:91:18:57:d8 ${ports[2]}`);
  });
});

describe('an answer of a command line', () => {
  const table = {
    command: 'show it',
    header: /^Vlan/m,
    row: /^(?<vlan>\d+) (?<mac>\S+) (?<port>\S+)$/,
  };

  const rows = (text: string) => {
    const seen: ConnectedHosts = { hosts: [], ports: [], own: [] };
    const found = rowsIn('switch-1', table, text, /\./, seen);
    return { ports: found.map(({ groups }) => groups.port), unread: seen.unread };
  };

  it.each([
    ['', 'returned no table for "show it"'],
    ['% Not now\n', 'returned no table for "show it"'],
    ['Vlan Mac Port\n1 b827.eb00.0001\n', '"1 b827.eb00.0001"'],
  ])('is no table: %j', (text, why) => {
    expect(() => rows(text)).toThrow(why);
    expect(() => rows(text)).toThrow(DeviceRejected);
  });

  it('is read although there are lines that nobody understands, which are counted', () => {
    const odd = ['1 b827.eb00.0001', 'R 1 b827.eb00.0002 Router', 'Total: 3', ''];

    expect(rows(['Vlan Mac Port', ...odd, '1 b827.eb00.0003 Gi1'].join('\n'))).toEqual({
      ports: ['Gi1'],
      unread: [{ command: 'show it', lines: 2, first: '1 b827.eb00.0001' }],
    });
  });
});

describe('a switch over SNMP', () => {
  const wiring = (): Wiring => ({
    hosts: [
      { mac: first, port: '1', vlan: 10 },
      { mac: second, port: '2.2', vlan: 10 },
      { mac: third, port: '2.3', vlan: 20 },
    ],
    own: '02:00:00:00:aa:01',
  });
  const size = { ports: 4, groups: 2 };

  const reader = (
    at: { host: string; port: number },
    snmp?: Credentials['snmp'],
    signal?: AbortSignal,
  ) => readHosts(at, { portCount: 4, groups: 2 }, snmp, signal);

  const expected = {
    hosts: [
      { mac: first, port: '1', vlan: '10', source: 'mac-table' },
      { mac: second, port: '2.2', vlan: '10', source: 'mac-table' },
      { mac: third, port: '2.3', vlan: '20', source: 'mac-table' },
    ],
    ports: ['1', '2', '3', '4', '2.1', '2.2', '2.3', '2.4'].map((name) => ({
      name,
      up: ['1', '2.2', '2.3'].includes(name),
    })),
    own: ['02:00:00:00:aa:01'],
  };

  it.for(['v1', 'v2c', 'sha'] as const)(
    "is read from Debian's snmpd, signed in by %s",
    async (who, context) => {
      const users = [
        {
          name: 'sha',
          access: 'read' as const,
          authProtocol: 'sha' as const,
          authKey: 'authauth1',
          privKey: 'privpriv1',
        },
      ];
      const device = await startSnmpd(poeSwitchModel({ ...size, wiring: wiring() }), { users });
      if (!device) return context.skip('snmpd is not installed');
      onTestFinished(() => device.close());

      const seen = await reader(device, logins[who]);

      expect(
        seen?.hosts.sort((one, other) => (one.port ?? '').localeCompare(other.port ?? '')),
      ).toEqual(expected.hosts);
      expect({ ...seen, hosts: [] }).toEqual({ ...expected, hosts: [] });
    },
  );

  it.each([
    ['without VLANs', { tables: 'dot1d' as const }],
    ['without ifName', { ifName: () => undefined }],
    [
      'that counts in another way',
      { ifName: (group: number, port: number) => `${['', 'ge', 'xe'][group]}.${group}.0${port}` },
    ],
  ])('is read from one %s', async (_what, more) => {
    const device = await startPoeSwitch({ ...size, wiring: wiring(), ...more });
    onTestFinished(() => device.close());

    const seen = await reader(device);

    const ports = seen?.hosts.map(({ mac, port }) => `${mac} ${port}`).sort();
    expect(ports).toEqual(expected.hosts.map(({ mac, port }) => `${mac} ${port}`).sort());
    expect(seen?.ports).toEqual(expected.ports);
  });

  it('does not take a port for another of the same number', async () => {
    const ifName = (group: number, port: number) => `${group === 1 ? 'Gi' : 'Te'}1/0/${port}`;
    const device = await startPoeSwitch({ ...size, wiring: wiring(), ifName });
    onTestFinished(() => device.close());

    const seen = await reader(device);

    expect(seen?.hosts.map(({ port }) => port).sort()).toEqual(['1', 'Te1/0/2', 'Te1/0/3']);
  });

  it('is an error where it has no such tables, or does not respond', async () => {
    const device = await startPoeSwitch(size);
    onTestFinished(() => device.close());
    const told = new AbortController();
    told.abort(new DeviceTimeout('switch-3', 'enough'));

    await expect(reader(device)).rejects.toThrow('does not have an interface table (IF-MIB)');
    await expect(reader(device, logins.v2c, told.signal)).rejects.toThrow('enough');
  });

  it('says that there is no login for SNMP, and keeps the community to itself', async () => {
    const device = await startPoeSwitch(size);
    onTestFinished(() => device.close());
    device.faults.set('down');
    const snmp = { ...logins.v2c, community: new Secret('canary-community') };

    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const reading = reader(device, snmp).catch((reason: unknown) => reason);
    await vi.advanceTimersByTimeAsync(60_000);
    const error = await reading;

    expect(String(error)).toContain('no SNMP response');
    expect(`${error}${JSON.stringify(error)}`).not.toContain('canary');
  });
});
