import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { anyCharacter } from '@skolo/base/durable/any-character';
import { Secret } from '@skolo/base/secrets';
import { runs } from '@skolo/base/testing';
import { lacks, peer } from '@skolo/simulators';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openSops, sealSops, sopsHeader } from './sops-file.ts';

const now = Date.parse('2026-11-21T20:00:00Z');
let ann: Secret;
let bob: Secret;
let recipients: string[];
beforeAll(async () => {
  ann = new Secret(await generateX25519Identity());
  bob = new Secret(await generateX25519Identity());
  recipients = await Promise.all([ann, bob].map((one) => identityToRecipient(one.reveal())));
});

const seal = (text: string) => sealSops(new Secret(text), recipients, now);

describe('a file of sops', () => {
  it('is opened by each recipient, and by nobody else', async () => {
    const file = await seal('hunter2');
    const eve = new Secret(await generateX25519Identity());

    expect((await openSops(file, [ann], 'f')).reveal()).toBe('hunter2');
    expect((await openSops(file, [eve, bob], 'f')).reveal()).toBe('hunter2');
    await expect(openSops(file, [eve], 'switch.sops')).rejects.toMatchObject({
      message: expect.stringContaining(`encrypted for ${recipients.join(', ')}; set SOPS_AGE_KEY`),
    });
    await expect(openSops(file, [], 'f')).rejects.toThrow(/none of your age identities/);
  });

  it('says without a key for whom it is, and when it was written', async () => {
    expect(sopsHeader(await seal('hunter2'), 'f')).toEqual({ recipients, changedAt: now });
  });

  it('gives back any text, and never shows it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: anyCharacter, minLength: 1 }), async (text) => {
        const sure = text.toWellFormed();
        const file = await sealSops(new Secret(`canary${sure}`), recipients.slice(0, 1), now);

        expect((await openSops(file, [ann], 'f')).reveal()).toBe(`canary${sure}`);
        expect(file).not.toContain('canary');
      }),
      runs(10),
    );
  });

  it('is rejected if any part of it was changed', async () => {
    const file = await seal('hunter2');
    const swapped = JSON.parse(file);
    swapped.data = JSON.parse(await seal('another')).data;
    const later = JSON.parse(file);
    later.sops.lastmodified = '2027-01-01T00:00:00Z';
    const cut = file.replace(/data:.../, 'data:');

    for (const text of [JSON.stringify(swapped), JSON.stringify(later), cut, '{}', 'hunter2']) {
      await expect(openSops(text, [ann], 'f')).rejects.toThrow(/restore it from git/);
      await expect(openSops(text, [ann], 'f')).rejects.not.toThrow(/hunter2/);
    }
  });

  const sops = peer('sops');
  describe.skipIf(lacks('sops'))('and sops itself', () => {
    it('read what the other writes', async () => {
      const dir = await mkdtemp(join(tmpdir(), 'skolo-sops-'));
      onTestFinished(() => rm(dir, { recursive: true }));
      const env = { PATH: process.env.PATH, SOPS_AGE_KEY_FILE: join(dir, 'keys.txt') };
      const run = (...args: string[]) => execFileSync(sops ?? '', args, { env, encoding: 'utf8' });
      const file = join(dir, 'switch.sops');
      const text = 'hunter2 "ä"\nline two\n';
      await writeFile(env.SOPS_AGE_KEY_FILE, bob.reveal());
      await writeFile(file, await seal(text));
      await writeFile(join(dir, 'plain'), text);

      expect(run('decrypt', file)).toBe(text);
      const theirs = run('encrypt', '--age', recipients.join(), join(dir, 'plain'));

      expect((await openSops(theirs, [ann], 'f')).reveal()).toBe(text);
      expect(sopsHeader(theirs, 'f').recipients).toEqual(recipients);
      run('rotate', '--in-place', file);
      expect(run('decrypt', file)).toBe(text);
    });
  });
});
