/** How copies become authenticated, with a real directory off site. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { openSource, parseObjectName } from '@skolo/backup';
import { Secret } from '@skolo/base/secrets';
import { expect, it } from 'vitest';
import { identity, jumphost, type OffsiteLab, startOffsite } from '../testing/offsite-lab.ts';
import { openPlace } from './destination.ts';

const keys = ['of the rack, '.repeat(3), 'another one, '.repeat(3)] as const;

async function writeKey(lab: OffsiteLab, key: string | undefined): Promise<void> {
  const file = join(lab.dir, 'secrets/backup-key');
  await mkdir(dirname(file), { recursive: true });
  if (key === undefined) await rm(file);
  else await writeFile(file, `${key}\n`, { mode: 0o600 });
}

async function setKey(lab: OffsiteLab, key: string | undefined): Promise<void> {
  await writeKey(lab, key);
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

it('authenticates the newest version and what is still waiting, in order', async () => {
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
    ...['one', 'three', 'two', 'unauthenticated'],
  ]);
  expect(lab.copies.isStored('router', versions[1]?.id ?? '')).toBe(true);
});

it.each([
  ['nothing waits', []],
  ['a version waits', ['four']],
])(
  'sends all versions since the last one if the key came with a restart: %s',
  async (_, waiting) => {
    const lab = await startOffsite();
    await lab.copied('router', 'zero');
    const first = await lab.copied('router', 'one');
    await rm(join(lab.offsite, '.skolo-backups'));
    for (const text of waiting) await lab.store('router', text);
    await lab.close();
    await lab.storeOnly('router', 'two');
    const newest = await lab.storeOnly('router', 'three');
    await writeKey(lab, keys[0]);
    await writeFile(join(lab.offsite, '.skolo-backups'), '');
    lab.journal = undefined;
    await lab.startProcess();
    expect(lab.copies.isStored('router', first.id)).toBe(false);
    await lab.idle();

    const all = ['three', 'two', ...waiting, 'one'];
    const contents = await authenticated(lab, 'router', keys[0]);
    expect(contents.filter((content) => content !== 'unauthenticated')).toEqual(all);
    expect(lab.copies.isStored('router', newest.id)).toBe(true);
    const names = await readdir(lab.offsite);
    await lab.restart();
    await lab.idle();
    expect(await readdir(lab.offsite)).toEqual(names);
  },
);

it.each([[1], [2]])(
  'authenticates an archive with the machine history if others wait when the key comes: %s',
  async (waiting) => {
    const lab = await startOffsite();
    await lab.archive('with history');
    for (let at = 0; at < 2; at += 1) await lab.archive(`partial ${at}`, { isPartial: true });
    await lab.idle();
    await rm(join(lab.offsite, '.skolo-backups'));
    let newest = '';
    for (let at = 0; at < waiting; at += 1)
      newest = (await lab.archive(`waits ${at}`, { isPartial: true })).id;
    await expect.poll(() => lab.degraded.get('upload')).toContain('the marker file');
    const before = await readdir(lab.offsite);
    await writeKey(lab, keys[0]);
    await lab.copies.follow();
    await writeFile(join(lab.offsite, '.skolo-backups'), '');
    lab.time.pass(3_600_000);
    await lab.idle();

    const added = (await readdir(lab.offsite)).filter(
      (name) => parseObjectName(name) && !before.includes(name),
    );
    expect(added).toHaveLength(3 + waiting);
    expect(lab.copies.isStored(jumphost, newest)).toBe(true);
  },
);

it('sends a copy again if the key comes while it is sent', async () => {
  const sending = Promise.withResolvers<void>();
  const mayArrive = Promise.withResolvers<void>();
  const lab = await startOffsite({
    async openPlace(rack) {
      const place = await openPlace(rack, () => false);
      return {
        ...place,
        async put(...args) {
          sending.resolve();
          await mayArrive.promise;
          await place.put(...args);
        },
      };
    },
  });
  const version = await lab.store('router', 'one');
  await sending.promise;
  await writeKey(lab, keys[0]);
  await lab.copies.follow();
  mayArrive.resolve();
  await lab.idle();

  expect((await authenticated(lab, 'router', keys[0])).sort()).toEqual(['one', 'unauthenticated']);
  expect(lab.copies.isStored('router', version.id)).toBe(true);
});

it('counts a version as queued until the current key authenticates it', async () => {
  const lab = await startOffsite();
  const version = await lab.copied('router', 'one');
  expect(lab.copies.stateOf(version)).toBe('stored');
  await rm(join(lab.offsite, '.skolo-backups'));
  await writeKey(lab, keys[0]);
  await lab.copies.follow();

  expect(lab.copies.stateOf(version)).toBe('queued');
});

it('looks for what is missing again if the versions could not be listed when the key came', async () => {
  const lab = await startOffsite();
  await lab.copied('router', 'one');
  lab.failures.add('inHistory');
  await writeKey(lab, keys[0]);
  await lab.copies.follow();
  await lab.settled();
  const newest = await lab.store('router', 'two');
  lab.failures.clear();
  lab.time.pass(3_600_000);
  await lab.idle();

  await expect.poll(() => lab.copies.isStored('router', newest.id)).toBe(true);
  expect((await authenticated(lab, 'router', keys[0])).sort()).toEqual([
    ...['one', 'two', 'unauthenticated'],
  ]);
});
