import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommitAbout } from './commit-message.ts';
import { Repository } from './repository.ts';

const run = promisify(execFile);

let parent: string;
let folder: string;
let opened: Repository[];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'skolo-backup-'));
  folder = join(parent, 'history');
  opened = [];
});

afterEach(async () => {
  for (const repository of opened) await repository.close();
  await rm(parent, { recursive: true });
});

async function open() {
  const repository = await Repository.open(folder, { rack: 'rack4' });
  opened.push(repository);
  return repository;
}

function about(more: Partial<CommitAbout> = {}): CommitAbout {
  return {
    rack: 'rack4',
    model: 'edgeswitch',
    run: 'run-1',
    time: '2026-11-20T03:15:00Z',
    by: 'schedule',
    ...more,
  };
}

function bytes(text: string | Buffer) {
  return { bytes: Buffer.from(text) };
}

/** As a person would run it. */
async function plainGit(...args: string[]) {
  const { stdout } = await run('git', ['--git-dir', folder, ...args], {
    encoding: 'buffer',
    maxBuffer: 1 << 26,
  });
  return stdout;
}

describe('a history', () => {
  it('gives back what it was given, byte for byte', async () => {
    const repository = await open();
    const content = Buffer.from([0, 255, 10, 13, 10, 0xc3, 0x28, 0]);

    const version = await repository.commit({
      device: 'switch-1',
      content: { bytes: content },
      about: about(),
    });

    expect(await repository.content(version)).toEqual(content);
    expect(await plainGit('show', 'main:devices/switch-1')).toEqual(content);
    expect(version).toEqual({
      id: (await plainGit('rev-parse', 'main')).toString().trim(),
      device: 'switch-1',
      time: '2026-11-20T03:15:00.000Z',
      size: 8,
      sha1: createHash('sha1').update(content).digest('hex'),
      model: 'edgeswitch',
      run: 'run-1',
      by: 'schedule',
      summary: 'switch-1: first version',
    });
  });

  it('is nobody else’s', async () => {
    await open();

    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await readdir(parent)).toEqual(['history']);
  });

  it('is the same when it is opened again', async () => {
    const first = await open();
    await first.commit({ device: 'switch-1', content: bytes('a\nb\n'), about: about() });
    await first.commit({ device: 'router', content: bytes('x\n'), about: about() });
    const third = await first.commit({
      device: 'switch-1',
      content: bytes('a\nc\nd\n'),
      about: about({ reason: 'port 3\nis lab', changedBy: 'admin' }),
    });
    await first.note('router', 'retired', about());

    const second = await open();

    expect(await second.devices()).toEqual(['router', 'switch-1']);
    expect(await second.newest('switch-1')).toEqual(third);
    expect(third).toMatchObject({
      summary: 'switch-1: changed (+2 -1)',
      reason: 'port 3 is lab',
      changedBy: 'admin',
    });
    expect(await second.count('switch-1')).toBe(2);
    expect(await second.count('router')).toBe(1);
    const versions = await second.versions('switch-1');
    expect(versions.map(({ summary }) => summary)).toEqual([
      'switch-1: changed (+2 -1)',
      'switch-1: first version',
    ]);
    expect(versions).toEqual(await first.versions('switch-1'));
    expect(await second.versions('switch-1', { limit: 1 })).toEqual([third]);
  });

  it('makes no commit of what is the newest already', async () => {
    const first = await open();
    const version = await first.commit({ device: 'switch-1', content: bytes('a'), about: about() });

    const same = await first.commit({
      device: 'switch-1',
      content: bytes('a'),
      about: about({ run: '2' }),
    });
    const afterwards = await (await open()).commit({
      device: 'switch-1',
      content: bytes('a'),
      about: about(),
    });

    expect(same).toEqual(version);
    expect(afterwards).toEqual(version);
    expect((await plainGit('rev-list', '--count', 'main')).toString().trim()).toBe('2');
  });
});

describe('a history that is looked after', () => {
  it('is sound, and stays so with few packs', async () => {
    const repository = await open();
    for (let n = 0; n < 12; n += 1) {
      await repository.commit({
        device: `switch-${n % 3}`,
        content: bytes(`${n}\n`),
        about: about(),
      });
    }

    await repository.maintain(new AbortController().signal);
    await repository.maintain(new AbortController().signal);

    const names = await readdir(join(folder, 'objects/pack'));
    expect(names.filter((name) => name.endsWith('.pack'))).toHaveLength(1);
    expect(await repository.check(new AbortController().signal)).toBeUndefined();
    const versions = await repository.versions('switch-1');
    expect(await Promise.all(versions.map((version) => repository.content(version)))).toEqual(
      ['10\n', '7\n', '4\n', '1\n'].map((text) => Buffer.from(text)),
    );
  });
});
