import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@skolo/base/secrets';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type SecretStore, StoreError, type StorePlace } from '../index.ts';

const { signal } = new AbortController();
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'skolo-store-'));
  await mkdir(join(dir, 'kube/racks/rack4'), { recursive: true });
});
afterEach(() => rm(dir, { recursive: true }));

async function open(place: StorePlace, identity?: string): Promise<SecretStore> {
  return await openStore(place, {
    dir: join(dir, 'kube/racks/rack4'),
    home: dir,
    env: process.env,
    now: () => 1_700_000_000_000,
    identities: async () => (identity === undefined ? [] : [new Secret(identity)]),
  });
}

describe.each(['sops', 'folder'])('a store of kind %s', (kind) => {
  it('keeps values by place', async () => {
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    await writeFile(join(dir, '.sops.yaml'), `creation_rules: [{ age: ${recipient} }]\n`);
    const store = await open(kind === 'sops' ? {} : { folder: '~/private' }, identity);
    expect(await store.find('rack4/switch')).toBeUndefined();
    expect(await store.read('rack4/switch', signal)).toBeUndefined();

    await store.write('rack4/switch', new Secret('hunter2\n'));
    await store.write('etc/k3s-node-token', new Secret('shared'));

    expect((await store.read('rack4/switch', signal))?.reveal()).toBe('hunter2\n');
    expect((await store.find('rack4/switch'))?.changedAt).toBeGreaterThan(1_600_000_000_000);
  });

  it('keeps nothing outside of its folder', async () => {
    const store = await open(kind === 'sops' ? {} : { folder: '~/private' });

    for (const place of ['../switch', 'rack4/../../switch', 'rack4/.git', '/etc/passwd', '']) {
      await expect(store.read(place, signal)).rejects.toThrow(StoreError);
    }
  });
});

describe('files in the clear', () => {
  it('can be read by their owner alone', async () => {
    const store = await open({ folder: join(dir, 'private') });
    await store.write('rack4/switch', new Secret('hunter2'));

    expect((await stat(join(dir, 'private/rack4/switch'))).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, 'private/rack4'))).mode & 0o777).toBe(0o700);
    await chmod(join(dir, 'private'), 0o750);
    await expect(open({ folder: join(dir, 'private') })).rejects.toThrow(/chmod 700/);
  });

  it('are never in a git clone', async () => {
    execFileSync('git', ['init', '-q', dir]);

    await expect(open({ folder: join(dir, 'kube/private') })).rejects.toMatchObject({
      message: expect.stringContaining('in a git clone'),
    });
  });
});

describe('encrypted files', () => {
  it('are made in kube/sops, where everyone may read them', async () => {
    const recipient = await identityToRecipient(await generateX25519Identity());
    await writeFile(join(dir, '.sops.yaml'), `creation_rules: [{ age: ${recipient} }]\n`);

    await (await open({})).write('rack4/switch', new Secret('hunter2'));

    const file = join(dir, 'kube/sops/rack4/switch.sops');
    expect(await readFile(file, 'utf8')).not.toContain('hunter2');
    expect((await stat(file)).mode & 0o777).toBe(0o644);
  });

  it('say whose name in .sops.yaml is wrong', async () => {
    await writeFile(join(dir, '.sops.yaml'), 'creation_rules: [{ age: age1nobody }]\n');

    const store = await open({});
    await expect(store.write('rack4/switch', new Secret('hunter2'))).rejects.toThrow(
      'age1nobody: not an age recipient; fix .sops.yaml',
    );
  });
});

describe('a command', () => {
  it('prints the value of a rack, or one that racks share', async () => {
    const store = await open({ command: ['printf', '%s', 'value of {rack}-{name}'] });

    expect((await store.read('rack4/bots.json', signal))?.reveal()).toBe(
      'value of rack4-bots.json',
    );
    expect((await store.read('etc/k3s', signal))?.reveal()).toBe('value of etc-k3s');
    await expect(store.write('rack4/x', new Secret('y'))).rejects.toMatchObject({
      message: expect.stringContaining('skolo can only read this store'),
    });
  });

  it.each([
    [['sh', '-c', 'echo hunter2; exit 4'], 'sh (rack4/x): exited with code 4'],
    [['no-such-program'], 'check that it is installed'],
    [['true'], 'true (rack4/x): empty'],
    [['printf', '\\377'], 'not UTF-8 text'],
  ])('that fails says how: %j', async (command, message) => {
    const failed = (await open({ command })).read('rack4/x', signal);

    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.not.toThrow(/hunter2/);
  });

  it('ends with its signal', async () => {
    const stop = new AbortController();
    const reading = (await open({ command: ['sleep', '60'] })).read('rack4/x', stop.signal);
    stop.abort(new Error('enough'));

    await expect(reading).rejects.toThrow('enough');
  });
});
