import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@skolo/base/secrets';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { generateValue, installHook, sealSops, verifyRepository } from '../index.ts';

const canary = 'hunter2-canary';
let dir: string;
let recipients: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'skolo-verify-'));
  await mkdir(join(dir, 'kube/racks/rack4/secrets'), { recursive: true });
  await mkdir(join(dir, 'kube/sops/rack4'), { recursive: true });
  run('init', '-q');
  const make = async () => identityToRecipient(await generateX25519Identity());
  recipients = [await make(), await make()];
  await write('.sops.yaml', `creation_rules: [{ age: "${recipients.join()}" }]\n`);
});
afterEach(() => rm(dir, { recursive: true }));

const run = (...args: string[]) => execFileSync('git', ['-C', dir, ...args], { stdio: 'pipe' });
const write = (file: string, text: string) => writeFile(join(dir, file), text);
const sealed = (value: string, whom = recipients) => sealSops(new Secret(value), whom, Date.now());

async function findings(values: Record<string, string> = {}) {
  run('add', '--all', '--force');
  const { found, quotes } = await verifyRepository({
    folder: join(dir, 'kube'),
    env: process.env,
    signal: new AbortController().signal,
    kube: join(dir, 'kube'),
    stores: [join(dir, 'kube/sops')],
    forbidden: [join(dir, 'kube/racks/rack4/secrets')],
    values: new Map(Object.entries(values).map(([place, text]) => [place, new Secret(text)])),
  }).then((all) => ({
    found: all.map(({ file, line, problem }) => `${file}${line ? `:${line}` : ''}: ${problem}`),
    quotes: JSON.stringify(all).includes(canary),
  }));
  expect(quotes).toBe(false);
  return found;
}

describe('a repository of racks', () => {
  it('is well with encrypted files for two people', async () => {
    await write('kube/sops/rack4/switch.sops', await sealed(canary));
    await write(
      'kube/racks/rack4/rack.yaml',
      'logins: { switches: { password: secrets/switch } }\n',
    );

    expect(await findings({ 'rack4/switch': canary })).toEqual([]);
  });

  it('has no value of the store in any file, in no form', async () => {
    const key = (await generateValue('ssh-key', 'c')).value.reveal();
    await write('notes.txt', `one\nthe password is ${canary}!\n`);
    await write(
      'secret.yaml',
      `data: { switch: ${Buffer.from(`${canary}\n`).toString('base64')} }\n`,
    );
    await write('key.txt', key.replaceAll('\n', '\r\n'));
    await write('short.txt', 'admin\n');

    expect(
      await findings({ 'rack4/switch': `${canary}\n`, 'rack4/id': key, 'rack4/short': 'admin' }),
    ).toEqual([
      expect.stringMatching(
        /^key.txt:\d+: contains the value of rack4\/id, unencrypted; remove the value/,
      ),
      expect.stringMatching(/^notes.txt:2: contains the value of rack4\/switch/),
      expect.stringMatching(/^secret.yaml:1: contains the value of rack4\/switch/),
    ]);
  });

  it('has nothing next to its racks that looks like a secret', async () => {
    const identity = await generateX25519Identity();
    const key = (await generateValue('ssh-key', 'c')).value.reveal();
    await write('kube/racks/rack4/a', `x\n${identity}\n`);
    await write('kube/racks/rack4/b', key);
    await write('kube/racks/rack4/c', `skolo_${'xY'.repeat(21)}x K10${'0'.repeat(64)}::server:x`);
    await write('kube/racks/rack4/d', '-----BEGIN PUBLIC KEY-----\n');
    await write('kube/racks/rack4/e', 'skolo_alerts_last_success_timestamp_seconds_of_something');

    expect(await findings()).toEqual([
      expect.stringMatching(/^kube\/racks\/rack4\/a:2: looks like an age identity, unencrypted/),
      expect.stringMatching(/^kube\/racks\/rack4\/b:1: looks like a private key/),
      expect.stringMatching(/^kube\/racks\/rack4\/c:1: looks like a service token/),
      expect.stringMatching(/^kube\/racks\/rack4\/c:1: looks like a k3s token/),
    ]);
  });

  it('has no file that rack.yaml names as a secret', async () => {
    await write('kube/racks/rack4/secrets/switch', 'short');

    expect(await findings()).toEqual([
      expect.stringMatching(
        /^kube\/racks\/rack4\/secrets\/switch: rack.yaml lists this file as a secret/,
      ),
    ]);
  });

  it('has files of the store that a second person can open', async () => {
    const [ann = '', bob = ''] = recipients;
    await write('kube/sops/rack4/alone.sops', await sealed(canary, [ann]));
    await write('kube/sops/rack4/clear', 'short');
    await write('kube/sops/rack4/broken.sops', '{}');
    await write('kube/sops/rack4/switch.sops', await sealed(canary));
    await mkdir(join(dir, 'kube/sops/etc'));
    await write('kube/sops/etc/.sops.yaml', `creation_rules: [{ age: ${bob} }]\n`);
    await write('kube/sops/etc/k3s.sops', await sealed(canary, [bob]));

    expect(await findings()).toEqual([
      expect.stringMatching(
        /^kube\/sops\/etc\/k3s.sops: has only one recipient, so nobody can decrypt it if/,
      ),
      `kube/sops/rack4/alone.sops: does not match .sops.yaml: not encrypted for ${bob}; run \`sops updatekeys\`, or skolo secrets set`,
      expect.stringMatching(/^kube\/sops\/rack4\/broken.sops: not a sops file with binary content/),
      expect.stringMatching(
        /^kube\/sops\/rack4\/clear: does not end with .sops, so it is probably not encrypted/,
      ),
    ]);
  });

  it('is checked as it would be committed', async () => {
    await write('notes.txt', canary);
    run('add', '--all');
    await write('notes.txt', 'nothing');

    const found = await verifyRepository({
      folder: dir,
      env: process.env,
      signal: new AbortController().signal,
      kube: join(dir, 'kube'),
      stores: [],
      forbidden: [],
      values: new Map([['rack4/switch', new Secret(canary)]]),
    });

    expect(found).toMatchObject([{ file: 'notes.txt', line: 1 }]);
  });
});

const root = join(import.meta.dirname, '../../../../..');
it.skipIf(!existsSync(join(root, '.git')) && 'not in a clone')(
  'the racks of this repository are well',
  async () => {
    const found = await verifyRepository({
      folder: root,
      env: process.env,
      signal: new AbortController().signal,
      kube: join(root, 'kube'),
      stores: [join(root, 'kube/sops')],
      forbidden: [join(root, 'kube/racks/rack4/secrets')],
      values: new Map(),
    });

    expect(found).toEqual([]);
  },
);

describe('the commit hook', () => {
  const deps = () => ({ folder: dir, env: process.env, signal: new AbortController().signal });

  it('is installed once, and never over another one', async () => {
    const path = await installHook(deps());

    expect(path).toBe(join(dir, '.git/hooks/pre-commit'));
    expect((await stat(path)).mode & 0o777).toBe(0o755);
    expect(await installHook(deps())).toBe(path);
    await writeFile(path, '#!/bin/sh\nmine\n');
    await expect(installHook(deps())).rejects.toThrow(
      'add the line `skolo check secrets || exit 1`',
    );
  });
});
