import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { Secret, valuesIn } from '@skolo/base/secrets';
import { loadAccounts } from '@skolo/equipment/models/load';
import { HostKeys, SignInRejected } from '@skolo/equipment/transports';
import { parseRack } from '@skolo/rack';
import { rackSecrets } from '@skolo/rack/secrets';
import {
  startCiscoIos,
  startEdgeos,
  startEdgeSwitch,
  startEos,
  startJunos,
  startNxos,
  startOpenwrt,
  startProcurve,
  startRedfish,
  startRouteros,
  startShellyGen1,
  startShellyGen2,
  startTasmota,
  startVyos,
} from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loginCredentials } from '../check/sign-in.ts';
import { folderStore } from '../stores/folder-store.ts';
import type { SecretStore } from '../stores/store.ts';
import { type RotateDeps, rotateSecret } from './index.ts';
import { rotationRejection } from './rejection.ts';
import { interruptibleStore } from './testing/interruptible-store.ts';

const later = 4 * 60_000;
const previous = 'f0rmerPassword';
const { signal } = new AbortController();

interface Started {
  port: number;
  reboot(): Promise<void>;
  close(): Promise<void>;
  received: readonly { text: string }[];
  faults: { set(fault: 'ignores-commands'): void; clear(): void };
}

interface Kind {
  model: string;
  username: string;
  start(): Promise<Started>;
  /** Also asks for a password before it lets one configure. */
  enable?: string;
  options?: string;
  isHttp?: true;
}

const cli = (username: string) => ({ username, password: previous });
const kinds: Kind[] = [
  {
    model: 'cisco-ios',
    username: 'skolo',
    enable: 'en4bleFormer',
    start: () =>
      startCiscoIos({
        ...cli('skolo'),
        privilege: 1,
        enablePassword: 'en4bleFormer',
        configuration:
          'hostname switch-1\nenable secret 9 $9$hash\nusername ann privilege 15 secret 9 $9$ann\nusername skolo privilege 1 secret 9 $9$skolo\n',
      }),
  },
  { model: 'nxos', username: 'skolo', start: () => startNxos(cli('skolo')) },
  {
    model: 'eos',
    username: 'skolo',
    enable: 'en4bleFormer',
    start: () => startEos({ ...cli('skolo'), enablePassword: 'en4bleFormer' }),
  },
  {
    model: 'edgeswitch',
    username: 'ubnt',
    enable: 'en4bleFormer',
    start: () =>
      startEdgeSwitch({
        ...cli('ubnt'),
        enablePassword: 'en4bleFormer',
        configuration:
          'hostname "switch-1"\nnetwork protocol none\nvlan database\nexit\nconfigure\nusername "ubnt" password 8fb8d1b1c2d3e4f5 level 15 encrypted\nenable password 5ec2e7001122 encrypted\nline console\nexit\nexit\n',
      }),
  },
  { model: 'procurve', username: 'admin', start: () => startProcurve(cli('admin')) },
  { model: 'junos', username: 'skolo', start: () => startJunos(cli('skolo')) },
  { model: 'edgeos', username: 'ubnt', start: () => startEdgeos(cli('ubnt')) },
  { model: 'vyos', username: 'vyos', start: () => startVyos(cli('vyos')) },
  {
    model: 'routeros',
    username: 'admin',
    options: ', transport: ssh',
    start: () => startRouteros(cli('admin')),
  },
  { model: 'openwrt', username: 'root', start: () => startOpenwrt(cli('root')) },
  {
    model: 'shelly-gen1',
    username: 'admin',
    start: () => startShellyGen1({ account: cli('admin') }),
    isHttp: true,
  },
  {
    model: 'shelly-gen2',
    username: 'admin',
    start: () => startShellyGen2({ password: previous }),
    isHttp: true,
  },
  {
    model: 'redfish',
    username: 'root',
    start: () => startRedfish({ account: cli('root') }),
    isHttp: true,
  },
  {
    model: 'tasmota',
    username: 'admin',
    start: () => startTasmota({ password: previous }),
    isHttp: true,
  },
];

/** A rack with devices of one kind, and what a rotation of `pw` needs; `effect` is called before each effect. */
async function begin(
  kind: Kind,
  { count = 1, effect = () => {} }: { count?: number; effect?(): void } = {},
) {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-rotate-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const devices = await Promise.all(Array.from({ length: count }, kind.start));
  for (const device of devices) onTestFinished(() => device.close());
  const ports = kind.isHttp ? 'http' : 'ssh';
  const enable = kind.enable === undefined ? '' : ', enablePassword: { file: secrets/enable }';
  const rack = parseRack(
    `rack: rack4
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
logins:
  devices: { username: ${kind.username}, password: { file: secrets/pw }${enable} }
infrastructure:
${devices.map(({ port }, at) => `  device-${at + 1}: { model: ${kind.model}, address: 192.168.1.${11 + at}, ports: { ${ports}: ${port} }, login: devices${kind.options ?? ''} }\n`).join('')}`,
    { file: '/x/rack.yaml' },
  );
  const secrets = rackSecrets(rack);
  const plain = await folderStore(join(dir, 'store'));
  await plain.write('rack4/pw', new Secret(previous));
  if (kind.enable !== undefined) await plain.write('rack4/enable', new Secret(kind.enable));
  const store: SecretStore = {
    ...interruptibleStore(plain, effect),
    // Folders have the time of the disk.
    find: async (place) => ((await plain.find(place)) ? { changedAt: state.madeAt } : undefined),
  };
  const now = Date.parse('2026-11-21T20:00:00Z');
  const unreachable = new Set<number>();
  const state = { now, madeAt: now, isShared: true, applied: new Map<string, Secret>() };
  const dial = async (_host: string, port: number) => {
    if (unreachable.has(port)) throw new Error('no route');
    return connect(port, '127.0.0.1');
  };
  const hostKeys = new HostKeys(join(dir, 'host-keys.json'));
  const valuesNow = async () => {
    const found = new Map<string, Secret>();
    for (const { name, place } of secrets) {
      const value = await plain.read(place, signal);
      if (value !== undefined) found.set(name, value);
    }
    return found;
  };
  state.applied = await valuesNow();
  const deps: RotateDeps = {
    rack,
    secrets,
    store,
    hostKeys,
    signal,
    leaveOut: [],
    now: () => state.now,
    report: () => {},
    datagrams: () => Promise.reject(new Error('not used')),
    dial(...args) {
      effect();
      return dial(args[0], args[1]);
    },
    isShared: async () => state.isShared,
    async apply() {
      effect();
      const before = state.applied.get('pw')?.reveal();
      state.applied = await valuesNow();
      effect();
      return before === state.applied.get('pw')?.reveal() ? 0 : 1;
    },
  };
  const secret = (name: string) => {
    const found = secrets.find((each) => each.name === name);
    if (found === undefined) throw new Error(`no secret ${name}`);
    return found;
  };
  /** Whether values open a device, as a service opens it. */
  async function opens(at = 1, values: ReadonlyMap<string, Secret> = state.applied, port?: number) {
    const device = rack.infrastructure.get(`device-${at}`);
    const accounts = device && (await loadAccounts(device));
    if (device === undefined || typeof accounts !== 'object') throw new Error('no such equipment');
    const credentials = await loginCredentials({ rack, secrets, values }, 'devices');
    const place = port === undefined ? device : { ...device, ports: { [ports]: port } };
    try {
      const known = port === undefined ? hostKeys : new HostKeys(join(dir, 'other-keys.json'));
      const access = { credentials: async () => credentials, dial, hostKeys: known };
      await (await accounts.open(place, access, signal)).close();
      return true;
    } catch (error) {
      if (error instanceof SignInRejected) return false;
      throw error;
    }
  }
  const run = (name = 'pw', leaveOut: string[] = []) =>
    rotateSecret(secret(name), { ...deps, leaveOut });
  return { run, deps, state, store: plain, secret, opens, devices, unreachable };
}

/** With only this value of the password. */
const only = (values: ReadonlyMap<string, Secret>, password: Secret) =>
  new Map([...values, ['pw', password]]);

describe.each(kinds)('a password of $model', (kind) => {
  it('is replaced, saved, and the previous one stays known', async () => {
    const { run, state, store, opens, devices } = await begin(kind);

    expect(await run()).toMatchObject({
      next: expect.stringContaining('run the command again in 3 min'),
    });
    state.now += later;
    expect(await run()).toEqual({ isDone: true, failed: [] });

    const [next = new Secret(''), second] = valuesIn(
      (await store.read('rack4/pw', signal)) ?? new Secret(''),
    );
    expect(second?.reveal()).toBe(previous);
    expect(await opens(1, only(state.applied, next))).toBe(true);
    expect(await opens(1, only(state.applied, new Secret(previous)))).toBe(false);
    expect(await store.list('rack4')).toContain('rack4/previous/pw/2026-11-21T20-04-00.000Z');
    for (const device of devices) {
      await device.reboot();
      const log = device.received.map(({ text }) => text).join('\n');
      expect(log).not.toContain(next.reveal());
    }
    expect(await opens(1, only(state.applied, next))).toBe(true);
    // Its configuration of yesterday.
    const yesterday = await kind.start();
    onTestFinished(() => yesterday.close());
    expect(await opens(1, state.applied, yesterday.port)).toBe(true);
  });
});

describe.each(kinds.filter(({ enable }) => enable !== undefined))(
  'an enable password of $model',
  (kind) => {
    it('is replaced and saved', async () => {
      const { run, state, store, opens, devices } = await begin(kind);

      await run('enable');
      state.now += later;
      expect(await run('enable')).toEqual({ isDone: true, failed: [] });

      const [next] = valuesIn((await store.read('rack4/enable', signal)) ?? new Secret(''));
      await devices[0]?.reboot();
      const values = (enable: Secret | undefined) =>
        new Map([...state.applied, ['enable', enable ?? new Secret('')]]);
      expect(await opens(1, values(next))).toBe(true);
      expect(await opens(1, values(new Secret(kind.enable ?? '')))).toBe(false);
    });
  },
);

const [ios] = kinds;
if (ios === undefined) throw new Error('no kinds');

describe('a password of several devices', () => {
  it('waits until the store is committed', async () => {
    const { run, state, opens } = await begin(ios);
    state.isShared = false;

    await run();
    state.now += later;

    expect(await run()).toMatchObject({ next: expect.stringContaining('commit and push') });
    expect(await opens(1, only(state.applied, new Secret(previous)))).toBe(true);
  });

  it('leaves out a device that cannot be reached, and brings it up to date later', async () => {
    const { run, state, store, opens, devices, unreachable } = await begin(ios, { count: 2 });
    const silent = devices[1]?.port ?? 0;
    unreachable.add(silent);
    await run();
    state.now += later;

    expect(await run()).toMatchObject({
      isDone: false,
      failed: [{ name: 'device-2', why: expect.stringContaining('no route') }],
      next: expect.stringContaining('--leave-out'),
    });
    // One has the new password, the other the previous one.
    unreachable.clear();
    expect([await opens(1), await opens(2)]).toEqual([true, true]);
    unreachable.add(silent);
    expect(await run('pw', ['device-2'])).toEqual({ isDone: true, failed: [] });
    expect(await store.list('rack4/left-out')).toEqual(['rack4/left-out/pw/device-2']);
    expect(await run()).toMatchObject({ isDone: false, failed: [{ name: 'device-2' }] });
    unreachable.clear();
    expect(await opens(2)).toBe(true);

    expect(await run()).toMatchObject({ isDone: false, failed: [] });

    expect(await store.list('rack4/left-out')).toEqual([]);
    const [next = new Secret('')] = valuesIn(
      (await store.read('rack4/pw', signal)) ?? new Secret(''),
    );
    expect(await opens(2, only(state.applied, next))).toBe(true);
    await expect(run('pw', ['device-9'])).rejects.toThrow(
      'device-9: no machine or equipment with this name uses pw',
    );
  });

  it('is put back where the new one is not accepted', async () => {
    const { run, state, opens, deps, secret } = await begin(ios);
    await run();
    state.now += later;
    let sessions = 0;
    // The session that is to prove it.
    const dial: RotateDeps['dial'] = (...args) => {
      sessions += 1;
      if (sessions === 2) throw new Error('cut');
      return deps.dial(...args);
    };

    const outcome = await rotateSecret(secret('pw'), { ...deps, dial });

    expect(outcome.failed).toEqual([{ name: 'device-1', why: expect.stringContaining('cut') }]);
    expect(await opens(1, only(state.applied, new Secret(previous)))).toBe(true);
  });

  it('stays what it was where a device ignores or rejects the change, and no message has it', async () => {
    const denied: string[] = [];
    const start = () =>
      startCiscoIos({
        ...cli('skolo'),
        privilege: 15,
        enablePassword: 'en4bleFormer',
        denied,
        configuration: 'hostname switch-1\nusername skolo privilege 15 secret 9 $9$skolo\n',
      });
    const { run, state, opens, devices, store } = await begin({ ...ios, start });
    const faults = devices[0]?.faults;
    await run();
    state.now += later;
    const next = (await store.read('rack4/next/pw', signal)) ?? new Secret('');

    faults?.set('ignores-commands');
    expect((await run()).failed[0]?.why).toContain('; the previous one is set again');
    faults?.clear();
    denied.push('username');
    const rejected = (await run()).failed[0]?.why;
    expect(rejected).toContain('"username skolo privilege 15 secret 0 <secret>"');
    expect(rejected).toContain('Command authorization failed');
    denied.pop();
    expect(await opens(1, only(state.applied, new Secret(previous)))).toBe(true);

    expect((await run()).isDone).toBe(true);
    expect(await opens(1, only(state.applied, next))).toBe(true);
  });

  it.each(isLong ? kinds : [ios])(
    'opens each device for services whenever a rotation is cut, and the next run ends it: $model',
    { timeout: 600_000 },
    async (kind) => {
      let cuts = 0;
      for (let at = isLong ? 1 : 4; ; at += isLong ? 1 : 5) {
        let left = at;
        const cut = new Error('cut');
        const effect = () => {
          left -= 1;
          if (left === 0) throw cut;
        };
        const { run, state, opens, store, devices } = await begin(kind, { effect });
        const cutRun = () =>
          run().catch((error) => {
            if (error !== cut) throw error;
            return { isDone: false };
          });

        await cutRun();
        state.now += later;
        await cutRun();

        const wasCut = left <= 0;
        left = Number.POSITIVE_INFINITY;
        expect(await opens(), `cut ${at}`).toBe(true);
        await devices[0]?.reboot();
        expect(await opens(), `cut ${at}, restarted`).toBe(true);
        if (!wasCut) break;
        cuts += 1;
        for (let runs = 0; runs < 5; runs += 1) {
          if ((await run()).isDone) break;
          state.now += later;
        }
        const [next = new Secret('')] = valuesIn(
          (await store.read('rack4/pw', signal)) ?? new Secret(''),
        );
        expect(await opens(1, only(state.applied, next)), `cut ${at}, ended`).toBe(true);
        expect(await store.list('rack4/next')).toHaveLength(0);
      }
      expect(cuts).toBeGreaterThan(isLong ? 8 : 1);
    },
  );
});

describe('what cannot be rotated', () => {
  it.each([
    ['synaccess', 'the documented commands cannot change the password'],
    ['unifi-switch', 'the UniFi controller sets the password'],
    ['routeros, transport: http', 'skolo changes its passwords only over ssh'],
  ])('says so: %s', async (model, message) => {
    const rack = parseRack(
      `rack: rack4
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
logins: { devices: { username: u, password: { file: secrets/pw } } }
infrastructure: { d: { model: ${model}, address: 192.168.1.9, login: devices } }
`,
      { file: '/x/rack.yaml' },
    );
    const secret = rackSecrets(rack).find(({ name }) => name === 'pw');

    expect(secret && (await rotationRejection(secret, rack))).toContain(
      `d (${model.replace(/,.*/, '')}): ${message}`,
    );
  });
});
