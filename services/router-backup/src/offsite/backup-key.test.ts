/** How copies become authenticated, with a real directory off site. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openSource, parseObjectName } from '@skolo/backup';
import { Secret } from '@skolo/base/secrets';
import { expect, it } from 'vitest';
import { identity, jumphost, type OffsiteLab, startOffsite } from '../testing/offsite-lab.ts';

const keys = ['of the rack, '.repeat(3), 'another one, '.repeat(3)] as const;

async function setKey(lab: OffsiteLab, key: string | undefined): Promise<void> {
  const file = join(lab.dir, 'secrets/backup-key');
  await mkdir(dirname(file), { recursive: true });
  if (key === undefined) await rm(file);
  else await writeFile(file, `${key}\n`, { mode: 0o600 });
  await lab.copies.follow();
  await lab.idle();
}

/** The versions of a device that a reader with this key uses, newest first. */
async function authenticated(lab: OffsiteLab, device: string, key: string): Promise<string[]> {
  const trust = { backupKey: new Secret(key) };
  const source = await openSource(lab.offsite, { identities: [identity], trust });
  const contents = [];
  for (const version of await source.versions(device)) {
    contents.push(await source.content(version).then(String, ({ code }) => code));
  }
  return contents;
}

it('sends copies without a key as before, and reports that', async () => {
  const lab = await startOffsite();
  await lab.copied('router', 'one');

  expect(lab.degraded.get('backup key')).toMatch(
    /^copies are not authenticated, .*secrets\/backup-key: no such file; .* skolo secrets generate rack\w+ backup-key/,
  );
  expect(await authenticated(lab, 'router', keys[0])).toEqual(['unauthenticated']);
  await lab.settings('{}');
  expect(lab.degraded.get('backup key')).toBeUndefined();
});

it('sends the newest versions again once it has a key, and when it has another', async () => {
  const lab = await startOffsite();
  for (const text of ['one', 'two']) await lab.copied('router', text);
  await lab.copied('switch-1', 'three');

  for (const key of keys) {
    const before = await readdir(lab.offsite);
    await setKey(lab, key);
    expect((await readdir(lab.offsite)).length - before.length).toBe(2);
    expect(await authenticated(lab, 'router', key)).toContain('two');
    expect(await authenticated(lab, 'switch-1', key)).toContain('three');
  }
  expect(lab.degraded.get('backup key')).toBeUndefined();
  await lab.copied('router', 'four');
  expect(await authenticated(lab, 'router', keys[1])).toContain('four');

  const names = await readdir(lab.offsite);
  await lab.restart();
  await lab.copies.follow();
  await lab.idle();
  expect(await readdir(lab.offsite)).toEqual(names);
});

it('applies the key whenever rack.yaml changes', async () => {
  const lab = await startOffsite();
  await lab.copied('router', 'one');
  await mkdir(join(lab.dir, 'secrets'));
  await writeFile(join(lab.dir, 'secrets/backup-key'), keys[0]);

  await lab.copies.follow();
  await lab.idle();

  expect(await authenticated(lab, 'router', keys[0])).toContain('one');
  await rm(join(lab.dir, 'secrets/backup-key'));
  await lab.copies.follow();
  expect(lab.degraded.get('backup key')).toContain('not authenticated');
});

it('notices a key that came while no process was running', async () => {
  const lab = await startOffsite();
  await lab.copied('router', 'one');
  await lab.close();
  await mkdir(join(lab.dir, 'secrets'));
  await writeFile(join(lab.dir, 'secrets/backup-key'), keys[0]);
  lab.journal = undefined;
  await lab.startProcess();
  await lab.idle();

  expect(await authenticated(lab, 'router', keys[0])).toContain('one');
});

it('sends archives of the jumphost again from the last one with the machine history', async () => {
  const lab = await startOffsite();
  for (const [at, isPartial] of [false, true, true].entries()) {
    await lab.archive(`archive ${at}`, isPartial ? { isPartial } : {});
    await lab.idle();
  }
  const before = await readdir(lab.offsite);

  await setKey(lab, keys[0]);

  const added = (await readdir(lab.offsite)).filter((name) => !before.includes(name));
  expect(added.map((name) => parseObjectName(name)?.device)).toEqual(Array(3).fill(jumphost));
  await setKey(lab, undefined);
  await setKey(lab, keys[0]);
  expect((await readdir(lab.offsite)).length).toBe(before.length + 3);
});

it('authenticates what is still waiting, in order', async () => {
  const lab = await startOffsite();
  await lab.copied('router', 'one');
  const { offsite } = lab;
  await rm(join(offsite, '.skolo-backups'));
  const versions = [await lab.store('router', 'two'), await lab.store('router', 'three')];
  await expect.poll(() => lab.degraded.get('upload')).toContain('the marker file');
  await mkdir(join(lab.dir, 'secrets'));
  await writeFile(join(lab.dir, 'secrets/backup-key'), keys[0]);
  await lab.copies.follow();

  await writeFile(join(offsite, '.skolo-backups'), '');
  lab.time.pass(3_600_000);
  await lab.idle();

  expect((await authenticated(lab, 'router', keys[0])).sort()).toEqual([
    ...['three', 'two', 'unauthenticated'],
  ]);
  expect(lab.copies.isStored('router', versions[1]?.id ?? '')).toBe(true);
});
