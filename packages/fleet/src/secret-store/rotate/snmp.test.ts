/** Keys and communities of SNMP: set at the command line of a PDU, and proven by SNMP. */
import { createSocket } from 'node:dgram';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { isLong } from '@skolo/base/durable/fault-injection';
import { Secret, valuesIn } from '@skolo/base/secrets';
import { type DialDatagrams, HostKeys } from '@skolo/equipment/transports';
import { parseRack } from '@skolo/rack';
import { rackSecrets } from '@skolo/rack/secrets';
import { type SnmpOptions, startApcCard, startApcRpdu2 } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkSignIns } from '../check/sign-in.ts';
import { folderStore } from '../stores/folder-store.ts';
import type { SecretStore } from '../stores/store.ts';
import { type RotateDeps, rotateSecret, rotationRejection } from './index.ts';
import { interruptibleStore } from './testing/interruptible-store.ts';

const later = 4 * 60_000;
const { signal } = new AbortController();
const [authKey, privKey, community] = ['authFormerFormer', 'privFormerFormer', 'privat3'];

/** What a login of SNMP has, and the secret of it that is rotated. */
const kinds = [
  {
    name: 'auth',
    value: authKey,
    snmp: 'version: 3, user: skolo, authKey: secrets/auth, privKey: secrets/priv',
  },
  {
    name: 'priv',
    value: privKey,
    snmp: 'version: 3, user: skolo, authKey: secrets/auth, privKey: secrets/priv',
  },
  { name: 'community', value: community, snmp: 'version: 2, community: secrets/community' },
];
type Kind = (typeof kinds)[number];

function snmpOptions(): SnmpOptions {
  const user = { name: 'skolo', access: 'write', authProtocol: 'sha', authKey, privKey } as const;
  return { writeCommunity: community, users: [{ ...user, name: 'ann' }, user] };
}

/** As the relay on a jumphost. */
const datagrams: DialDatagrams = async (host, port) => {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(port, host, resolve));
  const stream = new Duplex({
    read() {},
    write: (chunk: Buffer, _, done) => socket.send(chunk.subarray(2), done),
    destroy(error, done) {
      socket.close();
      done(error);
    },
  });
  socket.on('message', (message) => {
    const head = Buffer.alloc(2);
    head.writeUInt16BE(message.length);
    // In pieces, as ssh may cut it.
    for (const part of [head, message.subarray(0, 5), message.subarray(5)]) stream.push(part);
  });
  return stream;
};

async function begin({ name, snmp }: Kind, effect = () => {}) {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-rotate-snmp-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const options = snmpOptions();
  const pdu = await startApcRpdu2(options);
  const card = await startApcCard({
    username: 'apc',
    password: 'p4u',
    snmp: options,
    maxSessions: 4,
  });
  onTestFinished(() => pdu.close());
  onTestFinished(() => card.close());
  const rack = parseRack(
    `rack: rack4
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
logins:
  pdus: { username: apc, password: secrets/pw, snmp: { ${snmp} } }
infrastructure:
  pdu-1: { model: apc-rpdu2, address: 127.0.0.1, ports: { ssh: ${card.port}, snmp: ${pdu.port} }, login: pdus }
machines:
  rpi-1: { kind: rpi, address: 192.168.1.9, power: pdu-1/1 }
`,
    { file: '/x/rack.yaml' },
  );
  const secrets = rackSecrets(rack);
  const plain = await folderStore(join(dir, 'store'));
  const values = { pw: 'p4u', auth: authKey, priv: privKey, community };
  for (const [each, value] of Object.entries(values)) {
    await plain.write(`rack4/${each}`, new Secret(value));
  }
  const store: SecretStore = {
    ...interruptibleStore(plain, effect),
    find: async (place) => ((await plain.find(place)) ? { changedAt: state.madeAt } : undefined),
  };
  const now = Date.parse('2026-11-21T20:00:00Z');
  const state = { now, madeAt: now, applied: await valuesNow() };
  const dial = async (host: string, port: number) => connect(port, host);
  const hostKeys = new HostKeys(join(dir, 'host-keys.json'));
  const deps: RotateDeps = {
    rack,
    secrets,
    store,
    hostKeys,
    signal,
    leaveOut: [],
    now: () => state.now,
    report() {},
    dial: async (host, port) => {
      effect();
      return await dial(host, port);
    },
    datagrams: async (...args) => {
      effect();
      return await datagrams(...args);
    },
    isShared: async () => true,
    async apply() {
      effect();
      state.applied = await valuesNow();
      effect();
      return 0;
    },
  };
  async function valuesNow() {
    const found = new Map<string, Secret>();
    for (const each of secrets) {
      const value = await plain.read(each.place, signal);
      if (value !== undefined) found.set(each.name, value);
    }
    return found;
  }
  /** As `skolo check secrets` sees it, with what services have. */
  async function opens(own: ReadonlyMap<string, Secret> = state.applied): Promise<boolean> {
    const given = { rack, secrets, values: own, dial, datagrams, hostKeys, scratch: dir, signal };
    const found = await checkSignIns({ ...given, now: Date.now });
    return found.find(({ where }) => where?.includes('pdu-1'))?.state === 'ok';
  }
  const secret = secrets.find((each) => each.name === name);
  if (secret === undefined) throw new Error('no secret');
  const run = () => rotateSecret(secret, deps);
  const first = async () => valuesIn((await plain.read(`rack4/${name}`, signal)) ?? new Secret(''));
  const only = (value: Secret) => new Map([...state.applied, [name, value]]);
  return { run, state, opens, options, card, first, only, store: plain };
}

describe.each(kinds)('$name of a PDU', (kind) => {
  it('is replaced, and the previous one stays known', async () => {
    const { run, state, opens, options, card, first, only } = await begin(kind);
    expect(await opens()).toBe(true);

    await run();
    state.now += later;
    expect(await run()).toEqual({ isDone: true, failed: [] });

    const [next = new Secret(''), second] = await first();
    expect(second?.reveal()).toBe(kind.value);
    expect(await opens(only(next))).toBe(true);
    expect(await opens(only(new Secret(kind.value)))).toBe(false);
    expect(options.users?.[0]).toMatchObject({ name: 'ann', authKey, privKey });
    expect(JSON.stringify(card.received)).not.toContain(next.reveal());
    // Its configuration of yesterday.
    Object.assign(options, { writeCommunity: community });
    options.users?.splice(1, 1, ...(snmpOptions().users?.slice(1) ?? []));
    expect(await opens()).toBe(true);
  });

  it('stays what it was where the card ignores the change', async () => {
    const { run, state, opens, card, only } = await begin(kind);
    await run();
    state.now += later;
    card.faults.set('ignores-commands');

    expect((await run()).failed[0]?.why).toMatch(
      /pdu-1: the new (?:SNMP key|community) does not work: .*; the previous one is set again/,
    );
    expect(await opens(only(new Secret(kind.value)))).toBe(true);
  });
});

it.each(isLong ? kinds : kinds.slice(0, 1))(
  'opens the PDU whenever a rotation is cut, and the next run ends it: $name',
  { timeout: 600_000 },
  async (kind) => {
    let cuts = 0;
    for (let at = isLong ? 1 : 4; ; at += isLong ? 1 : 5) {
      let left = at;
      const cut = new Error('cut');
      const { run, state, opens, first, only, store } = await begin(kind, () => {
        left -= 1;
        if (left === 0) throw cut;
      });
      const cutRun = () =>
        run().catch((error) => {
          if (error !== cut) throw error;
        });

      await cutRun();
      state.now += later;
      await cutRun();

      const wasCut = left <= 0;
      left = Number.POSITIVE_INFINITY;
      expect(await opens(), `cut ${at}`).toBe(true);
      if (!wasCut) break;
      cuts += 1;
      for (let runs = 0; runs < 5 && !(await run()).isDone; runs += 1) state.now += later;
      const [next = new Secret('')] = await first();
      expect(await opens(only(next)), `cut ${at}, ended`).toBe(true);
      expect(await store.list('rack4/next')).toEqual([]);
    }
    expect(cuts).toBeGreaterThan(1);
  },
);

it.each([
  ['{ model: snmp-poe, ', 'pdu-1 (snmp-poe): '],
  ['{ model: apc-rpdu, ', 'the command line is menu-driven'],
  ['{ model: apc-rpdu2, ', 'the login does not contain a username and password'],
])('is not rotated, and says why: %s', async (model, why) => {
  const rack = parseRack(
    `rack: rack4
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
logins: { pdus: { snmp: { version: 2, community: secrets/community } } }
infrastructure: { pdu-1: ${model} address: 192.168.1.9, login: pdus } }
`,
    { file: '/x/rack.yaml' },
  );
  const secret = rackSecrets(rack).find(({ name }) => name === 'community');

  expect(secret && (await rotationRejection(secret, rack))).toContain(why);
});

it('is not rotated if it belongs to a login that may only read', async () => {
  const rack = parseRack(
    `rack: rack4
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
logins:
  pdus: { snmp: { version: 2, community: secrets/write }, read: readers }
  readers: { snmp: { version: 2, community: secrets/read } }
infrastructure: { pdu-1: { model: apc-rpdu2, address: 192.168.1.9, login: pdus } }
`,
    { file: '/x/rack.yaml' },
  );
  const secret = rackSecrets(rack).find(({ name }) => name === 'read');

  expect(secret && (await rotationRejection(secret, rack))).toMatch(/`read` in login pdus/);
});
