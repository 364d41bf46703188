import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { type Credentials, Secret, valuesIn } from '@skolo/base/secrets';
import { loadAccounts } from '@skolo/equipment/models/load';
import { HostKeys, publicKeyOf, SignInRejected } from '@skolo/equipment/transports';
import { parseRack, type Rack } from '@skolo/rack';
import { rackSecrets } from '@skolo/rack/secrets';
import { peer, type RealSshd, startEdgeos, startSshd, startVyos } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { folderStore } from '../stores/folder-store.ts';
import { generateValue } from '../values/generate.ts';
import { type RotateDeps, rotateSecret, rotationRejection } from './index.ts';
import { interruptibleStore } from './testing/interruptible-store.ts';

const place = 'rack4/id';
const later = 4 * 60_000;

function rackWith(more = '', username = 'root', count: 1 | 2 = 2): Rack {
  const [range, hosts] = count === 1 ? ['001', '101'] : ['001-002', '101-102'];
  return parseRack(
    `rack: rack4
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
logins:
  machines: { username: ${username}, privateKey: secrets/id }
machines:
  rpi-[${range}]: { kind: rpi, address: "192.168.1.[${hosts}]", login: machines }
${more}`,
    { file: '/x/rack.yaml' },
  );
}

const idOf = (rack: Rack) => {
  const found = rackSecrets(rack).find(({ name }) => name === 'id');
  if (found === undefined) throw new Error('no id');
  return found;
};

describe('what cannot be rotated', () => {
  it.each([
    [
      'adbkey',
      'machines:\n  p: { kind: rpi, address: 192.168.1.9, device: { kind: android } }\n',
      'a new key on its screen',
    ],
    [
      'id',
      'infrastructure:\n  r: { model: routeros, address: 192.168.1.1, login: machines }\n',
      'r (routeros): skolo cannot change SSH keys on this model',
    ],
    ['id', 'secrets: { shared: { id: etc/id } }\n', 'etc/id is shared'],
    [
      'id',
      'services:\n  router-backup: { git: { remote: "git@x:y", privateKey: secrets/id }, encrypt: none }\n',
      'is also used as services.router-backup.git.privateKey',
    ],
    ['k3s-token', '', 'skolo cannot change a secret of kind k3s-token in the other system'],
  ])('says so: %s', async (name, more, message) => {
    const text = more.startsWith('machines') ? '' : more;
    const rack = more.startsWith('machines')
      ? parseRack(`rack: rack4\njumphost: { name: j, address: 192.168.1.8 }\n${more}`, {
          file: '/x/rack.yaml',
        })
      : rackWith(text);
    const secret = rackSecrets(rack).find((each) => each.name === name);

    expect(secret && (await rotationRejection(secret, rack))).toContain(message);
  });
});

describe.skipIf(peer('sshd') === undefined)('an ssh key', () => {
  let sshd: RealSshd;
  let dir: string;
  let keys: string;
  let original: string;
  const { signal } = new AbortController();

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'skolo-rotate-'));
    const session = join(dir, 'session');
    await writeFile(session, `#!/bin/sh\nHOME=${dir} exec sh -c "$SSH_ORIGINAL_COMMAND"\n`, {
      mode: 0o755,
    });
    const started = await startSshd(session, ['MaxStartups 100', 'MaxSessions 100']);
    if (started === undefined) throw new Error('sshd is not installed');
    sshd = started;
    keys = join(dirname(sshd.privateKeyFile), 'authorized_keys');
    // Without a line end, as people leave it, and with a key of somebody else.
    const own = (await readFile(keys, 'utf8')).trim();
    original = `# mine\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPublicKeyOfSomebodyElse00000000000000000 ann\n${own}`;
    await symlink(dirname(sshd.privateKeyFile), join(dir, '.ssh'));
  });
  afterAll(async () => {
    await sshd?.close();
    await rm(dir, { recursive: true, force: true });
  });

  /** A rack as it was before, and what a rotation needs; `effect` is called before each effect. */
  async function begin(effect: () => void = () => {}, count: 1 | 2 = 2) {
    await writeFile(keys, original, { mode: 0o600 });
    const plain = await folderStore(await mkdtemp(join(dir, 'store-')));
    await plain.write(place, new Secret(sshd.privateKey));
    const rack = rackWith('', sshd.username, count);
    const store = interruptibleStore(plain, effect);
    const state = { now: Date.parse('2026-11-21T20:00:00Z'), isShared: true, applied: '' };
    const said: string[] = [];
    const deps: RotateDeps = {
      rack,
      store,
      signal,
      report: (text) => said.push(text),
      now: () => state.now,
      secrets: rackSecrets(rack),
      leaveOut: [],
      datagrams: () => Promise.reject(new Error('not used')),
      dial: async () => {
        effect();
        return connect(sshd.port, '127.0.0.1');
      },
      hostKeys: new HostKeys(join(dir, 'host-keys.json')),
      isShared: async () => state.isShared,
      async apply() {
        effect();
        state.applied = (await plain.read(place, signal))?.reveal() ?? '';
        effect();
        return 1;
      },
    };
    return { deps, store: plain, state, said, secret: idOf(rack) };
  }

  const opens = async (key: string) => {
    const [first = new Secret('')] = valuesIn(new Secret(key));
    return (await readFile(keys, 'utf8')).includes(publicKeyOf(first) ?? 'none');
  };

  it('is replaced everywhere, and the previous one stays known', async () => {
    const { deps, store, state, secret } = await begin();
    state.isShared = false;

    expect(await rotateSecret(secret, deps)).toMatchObject({
      isDone: false,
      next: expect.stringContaining('commit and push the store'),
    });
    const next = (await store.read(place, signal))?.reveal() ?? '';
    expect(next).not.toBe(sshd.privateKey);
    expect(state.applied).toBe(next);
    expect([await opens(next), await opens(sshd.privateKey)]).toEqual([true, true]);
    state.isShared = true;
    expect(await rotateSecret(secret, deps)).toMatchObject({
      next: expect.stringContaining('run the command again in 3 min'),
    });
    expect(await opens(sshd.privateKey)).toBe(true);
    state.now += later;
    expect(await rotateSecret(secret, deps)).toEqual({ isDone: true, failed: [] });

    expect([await opens(next), await opens(sshd.privateKey)]).toEqual([true, false]);
    expect(await store.list('rack4')).toEqual([
      place,
      'rack4/previous/id/2026-11-21T20-00-00.000Z',
    ]);
    const lines = (await readFile(keys, 'utf8')).split('\n');
    expect(lines.slice(0, 2)).toEqual(original.split('\n').slice(0, 2));
    expect(lines[2]).toBe(
      `${publicKeyOf(valuesIn(new Secret(next))[0] ?? new Secret(''))} rack4@skolo`,
    );
  });

  it('is not replaced while a machine does not accept the new one', async () => {
    const { deps, store, secret } = await begin();
    const silent: RotateDeps['dial'] = async (host, port, stop) => {
      if (host === '192.168.1.102') throw new Error(`${host}: no route`);
      return await deps.dial(host, port, stop);
    };

    expect(await rotateSecret(secret, { ...deps, dial: silent })).toEqual({
      isDone: false,
      failed: [{ name: 'rpi-002', why: expect.stringContaining('192.168.1.102: no route') }],
      next: expect.stringContaining('the previous key is still in use'),
    });
    expect((await store.read(place, signal))?.reveal()).toBe(sshd.privateKey);
  });

  it('of the store opens every machine whenever a rotation is cut, and the next run ends it', {
    timeout: 600_000,
  }, async () => {
    let cuts = 0;
    // In the long run at each step; otherwise at some.
    for (let at = isLong ? 1 : 3; ; at += isLong ? 1 : 4) {
      let left = at;
      const cut = new Error('cut');
      const { deps, store, state, secret } = await begin(() => {
        left -= 1;
        if (left === 0) throw cut;
      }, 1);
      const run = () =>
        rotateSecret(secret, deps).catch((error) => {
          if (error !== cut) throw error;
          return undefined;
        });

      await run();
      state.now += later;
      await run();

      const stored = (await store.read(place, signal))?.reveal() ?? '';
      expect(await opens(stored), `cut ${at}`).toBe(true);
      // What services have, which is what was applied, or what they had before.
      expect(await opens(state.applied || sshd.privateKey), `cut ${at}`).toBe(true);
      if (left > 0) break;
      cuts += 1;
      while (!(await rotateSecret(secret, deps)).isDone) state.now += later;
      const ended = (await store.read(place, signal))?.reveal() ?? '';
      expect([await opens(ended), await opens(sshd.privateKey)], `cut ${at}`).toEqual([
        true,
        false,
      ]);
      expect(await store.list('rack4/next')).toHaveLength(0);
    }
    expect(cuts).toBeGreaterThan(isLong ? 14 : 2);
  });
});

describe.each([
  { model: 'edgeos', username: 'ubnt', start: startEdgeos },
  { model: 'vyos', username: 'vyos', start: startVyos },
])('an ssh key of $model', ({ model, username, start }) => {
  it('is replaced and saved', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'skolo-rotate-'));
    const device = await start({ username, password: 'r0uter' });
    onTestFinished(async () => {
      await device.close();
      await rm(dir, { recursive: true, force: true });
    });
    const rack = parseRack(
      `rack: rack4
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
logins: { routers: { username: ${username}, privateKey: secrets/id } }
infrastructure: { router: { model: ${model}, address: 192.168.1.1, ports: { ssh: ${device.port} }, login: routers } }
`,
      { file: '/x/rack.yaml' },
    );
    const router = rack.infrastructure.get('router');
    const accounts = router && (await loadAccounts(router));
    if (router === undefined || typeof accounts !== 'object') throw new Error('no router');
    const store = await folderStore(join(dir, 'store'));
    const { value: previous } = await generateValue('ssh-key', 'previous');
    await store.write(place, previous);
    const { signal } = new AbortController();
    const access = {
      hostKeys: new HostKeys(join(dir, 'host-keys.json')),
      dial: async () => connect(device.port, '127.0.0.1'),
    };
    const session = (login: Omit<Credentials, 'legacySsh'>) =>
      accounts.open(
        router,
        { ...access, credentials: async () => ({ username, legacySsh: false, ...login }) },
        signal,
      );
    const first = await session({ password: new Secret('r0uter') });
    await first.addKey?.(publicKeyOf(previous) ?? '', 'previous');
    await first.save();
    await first.close();
    let now = Date.parse('2026-11-21T20:00:00Z');
    const run = () =>
      rotateSecret(idOf(rack), {
        rack,
        secrets: rackSecrets(rack),
        store,
        signal,
        leaveOut: [],
        ...access,
        now: () => now,
        report: () => {},
        apply: async () => 1,
        isShared: async () => true,
        datagrams: () => Promise.reject(new Error('not used')),
      });

    expect(await run()).toMatchObject({ isDone: false, failed: [] });
    now += later;
    expect(await run()).toEqual({ isDone: true, failed: [] });

    await device.reboot();
    const [next, second] = valuesIn((await store.read(place, signal)) ?? previous);
    expect(second?.reveal().trim()).toBe(previous.reveal().trim());
    await (await session({ privateKey: next ?? previous })).close();
    await expect(session({ privateKey: previous })).rejects.toThrow(SignInRejected);
  });
});
