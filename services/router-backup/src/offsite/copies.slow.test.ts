import { createHash, createHmac } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { decrypt, type OffsitePlace, parseObjectName, type Version } from '@skolo/backup';
import { sha256 } from '@skolo/base';
import { mountSmall, run, untilTestEnds } from '@skolo/base/testing';
import { makeServiceAccountKey, startGoogleOAuth, startGoogleStorage } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  contentsIn,
  identity,
  jumphost,
  type OffsiteLab,
  recipient,
  startOffsite,
} from '../testing/offsite-lab.ts';

const hour = 3_600_000;

async function objectsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
}

async function bareRemote(dir: string): Promise<string> {
  const remote = join(dir, 'remote.git');
  await run('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote]);
  return remote;
}

describe('what has to leave the rack', () => {
  it('is stored in the directory, and it is known that it is', async () => {
    const lab = await startOffsite();

    const first = await lab.store('router', 'hostname r1\n');
    expect(lab.copies.stateOf(first)).toBe('queued');
    await lab.idle();
    const second = await lab.store('router', 'hostname r2\n');
    await lab.copied('switch-1', 'hostname s1\n');

    expect(await contentsIn(lab.offsite, 'router')).toEqual(['hostname r2\n', 'hostname r1\n']);
    expect(await contentsIn(lab.offsite, 'switch-1')).toEqual(['hostname s1\n']);
    expect(lab.copies.stateOf(second)).toBe('stored');
    expect(lab.copies.isStored('router', second.id)).toBe(true);
    expect(lab.copies.stateOf(undefined)).toBe('none');
    expect(lab.copies.status()).toEqual([
      { kind: 'upload', url: lab.offsite, queued: 0, lastSuccess: '2026-11-20T08:00:00.000Z' },
    ]);
    expect(await readdir(join(lab.stateDir, 'outgoing'))).toEqual([]);
    expect(lab.logged.filter(({ msg }) => msg === 'version was copied off site')).toHaveLength(3);
  });

  it('keeps every version, also a content that comes back on the same day', async () => {
    const lab = await startOffsite({
      settings: '{ upload: OFFSITE, encrypt: none, retention: { days: 1, versions: 3 } }',
    });

    for (const content of ['A\n', 'B\n', 'A\n']) {
      await lab.copied('router', content);
    }

    expect(await contentsIn(lab.offsite, 'router')).toEqual(['A\n', 'B\n', 'A\n']);
    const names = await objectsIn(lab.offsite);
    expect(names).toHaveLength(3);
    // Made up for once more, nothing is stored twice.
    const before = lab.logged.length;
    await lab.kill();
    await lab.idle();
    expect(await objectsIn(lab.offsite)).toEqual(names);
    expect(lab.logged.slice(before)).not.toContainEqual(
      expect.objectContaining({ msg: 'version was copied off site' }),
    );
  });

  it('has the same name where it is sent again, because its arrival was not recorded', async () => {
    const lab = await startOffsite();
    await lab.copied('router', 'one');
    const names = await objectsIn(lab.offsite);
    await lab.close();
    await rm(join(lab.stateDir, 'journal'), { recursive: true });
    lab.journal = undefined;

    await lab.startProcess();
    await lab.idle();

    const sent = lab.logged.filter(({ msg }) => msg === 'version was copied off site');
    expect(sent).toHaveLength(2);
    expect(await objectsIn(lab.offsite)).toEqual(names);
  });

  it('is encrypted for the recipients in rack.yaml, as soon as it names them', async () => {
    const lab = await startOffsite();
    await lab.copied('router', 'one');

    await lab.settings(`{ upload: OFFSITE, encrypt: [${recipient}] }`);
    await lab.copied('router', 'secret canary\n');

    const names = await objectsIn(lab.offsite);
    const encrypted = names.filter((name) => parseObjectName(name)?.encrypted);
    expect([names.length, encrypted.length]).toEqual([2, 1]);
    const bytes = await readFile(join(lab.offsite, encrypted[0] ?? ''));
    expect(bytes.toString('latin1')).toMatch(/^age-encryption\.org\/v1/);
    expect(String(gunzipSync(await decrypt(bytes, [identity], 'it')))).toBe('secret canary\n');
  });

  // rack.yaml is rejected with these; that is not to be the only thing that keeps it here.
  it.each([[undefined], [[]]])(
    'stays in the rack where it is encrypted for %j',
    async (encrypt) => {
      const lab = await startOffsite();
      const remote = await bareRemote(lab.dir);
      await lab.settings(`{ upload: OFFSITE, encrypt: none, git: { remote: ${remote} } }`);
      await lab.idle();
      const pushed = () => readFile(join(remote, 'refs', 'heads', 'main'), 'utf8');
      const before = await pushed();
      await lab.change(({ services, ...rack }) => {
        const { encrypt: _, ...settings } = services['router-backup'];
        const changed = { ...settings, ...(encrypt && { encrypt }) };
        return { ...rack, services: { ...services, 'router-backup': changed } };
      });

      const version = await lab.store('router', 'hostname r1\n');
      const why = encrypt ? 'no age recipient is configured' : 'nothing is copied off site until';
      await expect.poll(() => lab.degraded.get('upload')).toContain(why);
      await expect.poll(() => lab.degraded.get('git remote')).toContain(why);

      expect(lab.copies.stateOf(version)).toBe('queued');
      expect(await objectsIn(lab.offsite)).toEqual([]);
      expect(await pushed()).toBe(before);
    },
  );

  it('is nothing where no place is named', async () => {
    const lab = await startOffsite({ settings: '{}' });

    const version = await lab.store('router', 'hostname r1\n');

    expect(lab.copies.stateOf(version)).toBe('none');
    expect(lab.copies.status()).toEqual([]);
  });

  it('is, of the jumphost, its archive as it is, and not in git', async () => {
    const lab = await startOffsite();
    const remote = await bareRemote(lab.dir);
    await lab.settings(`{ upload: OFFSITE, encrypt: none, git: { remote: ${remote} } }`);

    const archive = await lab.archive('encrypted already');
    await lab.idle();

    const [name = ''] = await objectsIn(lab.offsite);
    expect(parseObjectName(name)).toMatchObject({
      device: jumphost,
      digest: sha256('encrypted already').slice(0, 40),
      encrypted: true,
    });
    expect(await readFile(join(lab.offsite, name), 'utf8')).toBe('encrypted already');
    expect(lab.copies.stateOf(archive)).toBe('stored');
    expect(lab.copies.status().map(({ queued }) => queued)).toEqual([0, 0]);
    expect(await readdir(lab.dir)).toContain('archive-0.tar.gz.age');
  });

  it('is the archive of the jumphost, also where the history cannot be used', async () => {
    const lab = await startOffsite();
    await lab.copied('switch-1', 'one');
    const history = join(lab.stateDir, 'repository');
    await rename(history, `${history}.elsewhere`);
    await lab.restart();

    for (const content of ['first', 'second']) {
      const archive = await lab.archive(content);
      lab.time.pass(hour);
      await expect.poll(() => lab.copies.stateOf(archive)).toBe('stored');
    }

    expect(lab.degraded.get('upload')).toContain('git cannot be run');
    await rename(`${history}.elsewhere`, history);
    await lab.storeOnly('switch-1', 'two');
    lab.time.pass(hour);
    await lab.idle();
    expect(await contentsIn(lab.offsite, 'switch-1')).toEqual(['two', 'one']);
  });
});

describe('a bucket', () => {
  async function startBucket(accepts: (token: string | undefined) => boolean = () => true) {
    const google = untilTestEnds(await startGoogleStorage({ buckets: ['backups'], accepts }));
    vi.stubEnv('STORAGE_EMULATOR_HOST', google.url);
    onTestFinished(() => void vi.unstubAllEnvs());
    return google;
  }

  async function startWithBucket() {
    const google = await startBucket();
    const lab = await startOffsite({
      settings: '{ upload: "gs://backups/rack4", encrypt: none }',
      openPlace: await bucketAt(google.url),
    });
    return { google, lab };
  }

  it('is written with the key of a service account, that is read again when it was rejected', async () => {
    const oauth = untilTestEnds(await startGoogleOAuth());
    const google = await startBucket((token) => token !== undefined && oauth.isValid(token));
    const email = 'backups@my-project.iam.gserviceaccount.com';
    const keyOf = (version: number) =>
      makeServiceAccountKey({ email, tokenUri: oauth.tokenUrl, version });
    const [old, current] = [keyOf(1), keyOf(2)];
    oauth.addServiceAccountKey(current);
    const lab = await startOffsite({ settings: '{}' });
    await writeFile(join(lab.dir, 'key.json'), JSON.stringify(old));
    await lab.settings('{ upload: "gs://backups/rack4", uploadKey: key.json, encrypt: none }');
    await lab.store('router', 'hostname r1\n');
    await expect
      .poll(() => lab.degraded.get('upload'))
      .toMatch(/400 invalid_grant: Invalid JWT Signature/);

    await writeFile(join(lab.dir, 'key.json'), JSON.stringify(current));
    await lab.settled();
    lab.time.pass(10_000);
    await lab.idle();

    expect(google.objects('backups')).toHaveLength(1);
    expect([...lab.degraded.keys()]).toEqual(['backup key']);
  });

  it('is unreachable for half a day: backups go on, nothing is lost, it is seldom asked', async () => {
    const { google, lab } = await startWithBucket();
    await lab.copied('router', 'version 0');
    const before = google.calls.length;
    google.script({ status: 503 });

    for (let count = 1; count <= 2; count += 1) {
      const version = await lab.store('router', `version ${count}`);
      await lab.store(`switch-${count}`, 'hostname s\n');
      expect(lab.copies.stateOf(version)).toBe('queued');
      for (let quarter = 0; quarter < 24; quarter += 1) {
        await lab.settled();
        lab.time.pass(hour / 4);
      }
    }
    await lab.settled();
    expect(lab.copies.status()).toMatchObject([
      { queued: 4, problem: expect.stringContaining('gs://backups/rack4: status 503') },
    ]);
    expect(lab.degraded.get('upload')).toContain('status 503');
    const asked = google.calls.length - before;
    expect(asked).toBeGreaterThan(45);
    expect(asked).toBeLessThan(60);
    google.behave();
    lab.time.pass(hour / 4);
    await lab.idle();

    const names = google.objects('backups').map(({ name }) => name.replace('rack4/', ''));
    const digestOf = ({ nonce = '' }: Version, number: number) =>
      createHmac('sha256', nonce).update(`version ${number}`).digest('hex').slice(0, 40);
    const oldestFirst = (await lab.repository.versions('router')).reverse();
    const expected = oldestFirst.map(digestOf);
    const found = names.map((name) => parseObjectName(name)?.digest);
    expect(found).toEqual(expect.arrayContaining(expected));
    expect(names).toHaveLength(5);
    expect([...lab.degraded.keys()]).toEqual(['backup key']);
    const order = google.calls
      .filter(
        ({ operation, status, object }) =>
          operation === 'insert' && status === 200 && object?.includes('-router-'),
      )
      .map(({ object }) => parseObjectName(object?.replace('rack4/', '') ?? '')?.digest);
    expect(order).toEqual(expected);
  });

  it('that stored something else holds back that device, and no other', async () => {
    const { google, lab } = await startWithBucket();
    await lab.idle();
    google.spoilUploads(1);
    const lastSuccess = () => lab.copies.status()[0]?.lastSuccess;
    const before = lastSuccess();
    lab.time.pass(1000);

    const broken = await lab.store('router', 'hostname r1\n');
    const newer = await lab.store('router', 'hostname r2\n');
    const other = await lab.store('switch-1', 'hostname s1\n');
    await expect.poll(() => lab.copies.stateOf(other)).toBe('stored');
    await lab.settled();

    expect(lab.copies.stateOf(newer)).toBe('queued');
    expect(lab.degraded.get('upload')).toMatch(/^router: .* was not stored correctly/);
    expect(google.calls.map(({ operation }) => operation)).not.toContain('delete');
    // Otherwise, BackupOffsiteBehind would never fire.
    expect(lastSuccess()).toBe(before);
    lab.time.pass(10_000);
    await lab.idle();
    expect(lastSuccess()).not.toBe(before);
    expect(google.objects('backups')).toHaveLength(3);
    expect(lab.copies.stateOf(broken), 'only the newest is known').toBe('queued');
    expect(lab.copies.stateOf(newer)).toBe('stored');
    expect([...lab.degraded.keys()]).toEqual(['backup key']);
  });
});

describe('a process that ends', () => {
  it('sends in order what is stored while it is made up for', async () => {
    const lab = await startOffsite();
    await lab.copied('router', 'one');
    await lab.storeOnly('router', 'two');
    const newest = await lab.storeOnly('router', 'three');

    await lab.kill();
    lab.copies.add(newest);
    await lab.idle();

    expect(lab.copies.stateOf(newest)).toBe('stored');
    expect(await contentsIn(lab.offsite, 'router')).toEqual(['three', 'two', 'one']);
  });

  it('ends with the newest version where a place is new while one is stored', async () => {
    const lab = await startOffsite({ settings: '{}' });
    const older = await lab.storeOnly('router', 'one');
    const newest = await lab.storeOnly('router', 'two');

    await lab.settings('{ upload: OFFSITE, encrypt: none }');
    lab.copies.add(older);
    await lab.idle();

    expect(lab.copies.stateOf(newest)).toBe('stored');
  });

  it('does not need the journal to go on', async () => {
    const lab = await startOffsite();
    await lab.idle();
    const { journal } = lab;
    lab.journal = undefined;

    const version = await lab.store('router', 'one');
    await expect.poll(() => lab.copies.stateOf(version)).toBe('stored');
    lab.journal = journal;
    await lab.copies.flush();
    await lab.restart();

    expect(lab.copies.stateOf(version)).toBe('stored');
  });
});

describe('places in rack.yaml', () => {
  it('that are new get the newest version of every device', async () => {
    const lab = await startOffsite({ settings: '{}' });
    for (const content of ['one', 'two']) await lab.store('router', content);
    await lab.store('switch-1', 'three');

    await lab.settings('{ upload: OFFSITE, encrypt: none }');
    await lab.idle();

    expect(await contentsIn(lab.offsite, 'router')).toEqual(['two']);
    expect(await contentsIn(lab.offsite, 'switch-1')).toEqual(['three']);
  });

  it('that are new get the archives of the jumphost down to a complete one', async () => {
    const lab = await startOffsite({ settings: '{}' });
    for (const content of ['one', 'two']) await lab.archive(content);
    for (const content of ['three', 'four']) await lab.archive(content, { isPartial: true });

    await lab.settings('{ upload: OFFSITE, encrypt: none }');
    await lab.idle();

    const names = await objectsIn(lab.offsite);
    const texts = names.map((name) => readFile(join(lab.offsite, name), 'utf8'));
    expect((await Promise.all(texts)).toSorted()).toEqual(['four', 'three', 'two']);
  });

  it('that have left rack.yaml lose their queue, which is logged', async () => {
    const lab = await startOffsite();
    await lab.idle();
    await rm(lab.offsite, { recursive: true });
    await lab.store('router', 'one');
    await expect.poll(() => lab.degraded.get('upload')).toContain('check that the disk is mounted');

    await lab.settings('{}');

    expect(lab.copies.status()).toEqual([]);
    expect(lab.degraded.size).toBe(0);
    expect(lab.logged.at(-1)).toMatchObject({
      msg: 'off-site copy was removed from rack.yaml; its queue was dropped',
      place: `upload ${lab.offsite}`,
      dropped: 1,
    });
    await mkdir(lab.offsite);
    await lab.settings('{ upload: OFFSITE, encrypt: none }');
    await lab.idle();
    expect(await contentsIn(lab.offsite, 'router')).toEqual(['one']);
  });

  it('that change are tried at once', async () => {
    const lab = await startOffsite({ settings: '{ upload: OFFSITE/nowhere, encrypt: none }' });
    await lab.store('router', 'one');
    await expect.poll(() => lab.degraded.get('upload')).toContain('check that the disk is mounted');

    await lab.settings('{ upload: OFFSITE, encrypt: none }');
    await lab.idle();

    expect(await contentsIn(lab.offsite, 'router')).toEqual(['one']);
  });
});

it('a directory whose disk is not mounted is waited for, and nothing is written below it', async () => {
  const lab = await startOffsite();
  await lab.copied('router', 'one');
  await rename(lab.offsite, `${lab.offsite}.unmounted`);
  await mkdir(lab.offsite);

  await lab.store('router', 'two');
  await expect.poll(() => lab.degraded.get('upload')).toContain('check that the disk is mounted');
  expect(await readdir(lab.offsite)).toEqual([]);
  await lab.settled();
  await rm(lab.offsite, { recursive: true });
  await rename(`${lab.offsite}.unmounted`, lab.offsite);
  lab.time.pass(10_000);
  await lab.idle();

  expect(await contentsIn(lab.offsite, 'router')).toEqual(['two', 'one']);
});

it('a full disk of the jumphost keeps copies from being made, and leaves no halves', async (context) => {
  const lab = await startOffsite();
  await lab.idle();
  const outgoing = join(lab.stateDir, 'outgoing');
  await mountSmall(context, outgoing, 'size=256k');

  const version = await lab.store('router', randomText(1_000_000));
  await expect.poll(() => lab.degraded.get('upload')).toContain('the disk is full');
  expect(await readdir(outgoing)).toEqual([]);
  expect(lab.copies.stateOf(version)).toBe('queued');
  await lab.settled();
  await run('mount', ['-o', 'remount,size=8m', outgoing]);
  lab.time.pass(10_000);
  await lab.idle();

  expect(lab.copies.stateOf(version)).toBe('stored');
  expect(await readdir(outgoing)).toEqual([]);
});

it('a version that is gone is given up and named; the others leave', async () => {
  const lab = await startOffsite();
  await lab.idle();
  const newest = await lab.storeOnly('router', 'one');

  lab.copies.add({ ...newest, id: '0'.repeat(40) });
  lab.copies.add(newest);
  await lab.idle();

  expect(await contentsIn(lab.offsite, 'router')).toEqual(['one']);
  expect(lab.logged).toContainEqual(
    expect.objectContaining({
      msg: 'version cannot be copied off site',
      device: 'router',
      version: '0'.repeat(40),
    }),
  );
});

describe('old copies', () => {
  const settings = '{ upload: OFFSITE, encrypt: none, retention: { days: 10, versions: 2 } }';
  const sha1 = (number: number) => String(number).padStart(40, '0');

  async function startWithOld(): Promise<OffsiteLab> {
    const lab = await startOffsite({ settings: '{}' });
    for (const [number, day] of ['01', '02', '03'].entries()) {
      await writeFile(join(lab.offsite, `2026-11-${day}-router-${sha1(number)}.gz`), '');
    }
    await writeFile(join(lab.offsite, '2020-01-01-notes.txt'), '');
    return lab;
  }

  it('are removed at start, after an upload and each day, but for the newest', async () => {
    const lab = await startWithOld();
    await lab.settings(settings);
    await lab.settled();
    const old = [1, 2].map((number) => `2026-11-0${number + 1}-router-${sha1(number)}.gz`);
    expect(await objectsIn(lab.offsite)).toEqual(['2020-01-01-notes.txt', ...old]);

    await lab.copied('router', 'newest');
    expect(await objectsIn(lab.offsite)).toEqual([
      '2020-01-01-notes.txt',
      old[1],
      expect.stringMatching(/^2026-11-20-router-/),
    ]);

    await writeFile(join(lab.offsite, old[0] ?? ''), '');
    lab.time.pass(24 * hour);
    await expect.poll(() => objectsIn(lab.offsite)).not.toContain(old[0]);
    await expect
      .poll(() => lab.logged.filter(({ msg }) => msg === 'old copy was removed'))
      .toHaveLength(3);
  });

  it('stay where the wall clock jumped, until the day after', async () => {
    const lab = await startWithOld();
    await lab.settings('{ upload: OFFSITE, encrypt: none, retention: { days: 10, versions: 3 } }');
    await lab.copied('router', 'newest');
    const before = await objectsIn(lab.offsite);
    await writeFile(join(lab.offsite, `2026-11-19-router-${sha1(7)}.gz`), '');

    lab.time.clock.setWall('2036-02-07T06:28:16Z');
    lab.time.pass(24 * hour);
    await expect
      .poll(() => lab.logged.map(({ msg }) => msg))
      .toContain('the clock jumped; old copies will be removed tomorrow');
    expect(await objectsIn(lab.offsite)).toHaveLength(before.length + 1);

    await lab.settled();
    lab.time.pass(24 * hour);
    await expect
      .poll(async () => (await objectsIn(lab.offsite)).length)
      .toBeLessThan(before.length + 1);
  });
});

it('old copies also stay where the clock has jumped and something new is stored on the same day', async () => {
  const lab = await startOffsite({
    settings: '{ upload: OFFSITE, encrypt: none, retention: { days: 10, versions: 1 } }',
  });
  await lab.store('router', 'one');
  await lab.copied('router', 'two');
  const before = await objectsIn(lab.offsite);

  lab.time.clock.setWall('2036-02-07T06:28:16Z');
  await lab.copied('router', 'three');
  await lab.copied('router', 'four');

  expect(await objectsIn(lab.offsite)).toEqual(expect.arrayContaining(before));
  expect(before).toHaveLength(2);
});

describe('a git remote', () => {
  it('gets the history, encrypted, in one push', async () => {
    const lab = await startOffsite({ settings: '{}' });
    const remote = await bareRemote(lab.dir);
    await lab.store('router', 'one');
    await lab.store('router', 'two');
    await lab.store('switch-1', 'three');

    await lab.settings(`{ encrypt: [${recipient}], git: { remote: ${remote} } }`);
    await lab.idle();
    const version = await lab.copied('router', 'four');

    expect(lab.copies.status()).toMatchObject([{ kind: 'git', url: remote, queued: 0 }]);
    expect(lab.copies.stateOf(version)).toBe('stored');
    expect(await contentsIn(remote, 'router')).toEqual(['four', 'two', 'one']);
    expect(await contentsIn(remote, 'switch-1')).toEqual(['three']);
    await lab.restart();
    expect(await readdir(join(lab.stateDir, 'outgoing', 'mirror'))).toEqual(['encrypted.git']);
  });

  it('that rejects a version is named, and does not delay the other place', async () => {
    const lab = await startOffsite({ settings: '{}' });
    const remote = await bareRemote(lab.dir);
    await writeFile(join(remote, 'hooks', 'pre-receive'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });

    await lab.settings(`{ upload: OFFSITE, encrypt: none, git: { remote: ${remote} } }`);
    const version = await lab.store('router', 'one');
    await expect.poll(() => lab.degraded.get('git remote')).toContain('pre-receive hook declined');
    await expect.poll(() => contentsIn(lab.offsite, 'router')).toEqual(['one']);

    expect(lab.copies.stateOf(version)).toBe('queued');
    await rm(join(remote, 'hooks', 'pre-receive'));
    await lab.settled();
    lab.time.pass(hour);
    await lab.idle();
    expect(lab.copies.stateOf(version)).toBe('stored');
  });
});

function randomText(length: number): string {
  let text = '';
  for (let n = 0; text.length < length; n += 1) {
    text += createHash('sha512').update(String(n)).digest('base64');
  }
  return text;
}

async function bucketAt(url: string): Promise<() => Promise<OffsitePlace>> {
  const { gcsPlace } = await import('@skolo/backup');
  return async () => gcsPlace('gs://backups/rack4', { apiEndpoint: url, token: async () => 'any' });
}
