import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@skolo/base/secrets';
import { HostKeys } from '@skolo/equipment/transports';
import { parseRack } from '@skolo/rack';
import { rackSecrets } from '@skolo/rack/secrets';
import {
  type GoogleOAuth,
  makeServiceAccountKey,
  startEdgeSwitch,
  startGoogleOAuth,
  startRouteros,
  startShellyGen1,
  startSshd,
} from '@skolo/simulators';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkSignIns } from './sign-in.ts';

const password = 'hunter2-canary';
const text = `rack: rack4
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
identities:
  bots: { project: my-project, credentials: { serviceAccountKey: secrets/bots.json } }
services: { alert-to-pubsub: { credentials: { keyFile: secrets/old.json } } }
logins:
  switches: { username: ubnt, password: secrets/switch, enablePassword: { env: ENABLE } }
  pdus: { snmp: { version: 2, community: secrets/community }, read: readers }
  mikrotik: { username: admin, password: secrets/switch, read: readers }
  readers: { username: reader, password: secrets/reader, snmp: { version: 2, community: secrets/public } }
  plugs: { username: admin, password: secrets/plug }
  machines: { username: USER, privateKey: ./secrets/id }
equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11, login: switches }
  switch-2: { model: edgeswitch, address: 192.168.1.12, login: switches, transport: telnet }
  router: { model: edgeswitch, address: 192.168.1.1, login: switches }
  pdu-1: { model: apc-rpdu2, address: 192.168.1.30, login: pdus }
  plug-1: { model: shelly-gen1, address: 192.168.1.31, login: plugs }
  mikrotik: { model: routeros, address: 192.168.1.2, login: mikrotik }
  bmc-1: { model: ipmi, address: 192.168.1.33, login: plugs }
  plug-2: { model: shelly-gen1, address: 192.168.1.32, login: switches }
machines:
  rpi-001: { kind: rpi, address: 192.168.1.101, login: machines, power: switch-1/1 }
  rpi-002: { kind: rpi, address: 192.168.1.102, login: machines, power: switch-2/1 }
`;

const closers: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closers) await close();
});

let dir: string;
let google: GoogleOAuth;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'skolo-check-'));
  google = await startGoogleOAuth();
  closers.push(
    () => google.close(),
    () => rm(dir, { recursive: true }),
  );
});

it('signs in to devices, machines and accounts through the jumphost, and says which reject it and which do not respond', async () => {
  const account = { username: 'ubnt', password, enablePassword: 'second', telnetPort: 0 };
  const device = await startEdgeSwitch({ ...account, ports: 4 });
  const other = await startEdgeSwitch({ ...account, password: 'another', ports: 4 });
  const plug = await startShellyGen1({ account: { username: 'admin', password: 'of-the-plug' } });
  const mikrotik = await startRouteros({ username: 'reader', password: 'of-the-reader' });
  const sshd = await startSshd('true');
  closers.push(
    () => device.close(),
    () => other.close(),
    () => plug.close(),
    () => mikrotik.close(),
    () => sshd?.close(),
  );
  const ports: Record<string, number | undefined> = {
    '192.168.1.11:22': device.port,
    '192.168.1.12:23': device.telnetPort,
    '192.168.1.1:22': other.port,
    '192.168.1.2:22': mikrotik.port,
    '192.168.1.31:80': plug.port,
    '192.168.1.32:80': plug.port,
    '192.168.1.101:22': sshd?.port,
  };
  const tokenUri = google.tokenUrl;
  const key = makeServiceAccountKey({ tokenUri, email: 'bots@p.iam.gserviceaccount.com' });
  google.addServiceAccountKey(key);
  const old = makeServiceAccountKey({ tokenUri, email: 'old@p.iam.gserviceaccount.com' });
  const rack = parseRack(text.replace('USER', sshd?.username ?? 'root'), { file: '/x/rack.yaml' });

  const found = await checkSignIns({
    rack,
    secrets: rackSecrets(rack),
    values: new Map(
      Object.entries({
        switch: `${password}\n`,
        ENABLE: 'second',
        community: 'public',
        public: 'public',
        reader: 'of-the-reader',
        plug: 'of-yesterday\nof-the-plug',
        id: sshd?.privateKey ?? '-----BEGIN',
        'bots.json': JSON.stringify(key),
        'old.json': JSON.stringify(old),
      }).map(([name, value]) => [name, new Secret(value)]),
    ),
    datagrams: () => Promise.reject(new Error('the relay is away')),
    dial: async (host, port) => connect(ports[`${host}:${port}`] ?? 1, '127.0.0.1'),
    hostKeys: new HostKeys(join(dir, 'host-keys.json')),
    scratch: dir,
    signal: new AbortController().signal,
    now: Date.now,
  });

  expect(found.map(({ where, state, found: text }) => `${where}: ${state}: ${text}`)).toEqual([
    'switch-1: ok: opens',
    'switch-2: ok: opens',
    expect.stringMatching(/^router: differs: rejected: router: .*password/),
    'pdu-1: unchecked: pdu-1: the relay is away',
    'pdu-1 with readers: unchecked: pdu-1: the relay is away',
    'plug-1: ok: opens',
    expect.stringMatching(/^mikrotik: differs: rejected: mikrotik: .*admin/),
    'mikrotik with readers: ok: opens',
    'bmc-1: skipped: ipmi does not work through the jumphost',
    expect.stringMatching(/^plug-2: differs: rejected: plug-2: .*password/),
    ...(sshd ? ['rpi-001: ok: opens'] : [expect.stringContaining('rpi-001: unchecked')]),
    expect.stringMatching(/^rpi-002: unchecked: rpi-002: 192.168.1.102:22/),
    `${key.client_email}: ok: opens`,
    expect.stringMatching(/^old@p.iam.gserviceaccount.com: differs: rejected: .*/),
  ]);
  expect(found[0]?.thing).toBe('ENABLE,switch');
  expect(JSON.stringify(found)).not.toContain(password);
});
