import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { errorCode } from '@skolo/base';
import { mountSmall, tempDir } from '@skolo/base/testing';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { run, soon } from '../testing/offsite.ts';
import { directoryPlace, markName } from './directory.ts';

const name = '2026-11-20-router-da39a3ee5e6b4b0d3255bfef95601890afd80709.gz';
const about = { device: 'router', time: '2026-11-20T08:15:00.000Z' };

async function start(content = randomBytes(3_000_000)) {
  const dir = await tempDir();
  const folder = join(dir, 'away');
  const file = join(dir, 'outgoing');
  await mkdir(folder);
  await writeFile(file, content);
  return { dir, folder, file, content, place: directoryPlace(folder) };
}

describe('a directory', () => {
  it('keeps what was put there, with the time when it was read', async () => {
    const { folder, file, content, place } = await start();

    await place.put(name, file, about, soon());

    expect((await buffer(place.read(name, soon()))).equals(content)).toBe(true);
    expect(await place.list(soon())).toEqual([{ name, size: content.length, time: about.time }]);
    expect((await readdir(folder)).sort()).toEqual([markName, name].sort());
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  });

  it('replaces an object of the same name as a whole', async () => {
    const { folder, file, place } = await start();
    await writeFile(join(folder, name), 'damaged');
    await writeFile(join(folder, `.${name}.part`), 'left by one that was killed');

    await place.put(name, file, about, soon());

    expect((await readFile(join(folder, name))).equals(await readFile(file))).toBe(true);
    expect((await readdir(folder)).sort()).toEqual([markName, name].sort());
  });

  it('lists what others put there, too, but no folders and nothing hidden', async () => {
    const { folder, place } = await start();
    await mkdir(join(folder, 'lost+found'));
    await writeFile(join(folder, '.hidden'), '');
    await writeFile(join(folder, 'README'), 'hello');

    expect((await place.list(soon())).map((object) => object.name)).toEqual(['README']);
  });

  it('removes, and does not mind what is not there', async () => {
    const { file, place } = await start();
    await place.put(name, file, about, soon());

    await place.remove(name, soon());
    await place.remove(name, soon());

    expect(await place.list(soon())).toEqual([]);
    await expect(buffer(place.read(name, soon()))).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each(['../outgoing', 'a/b', '.hidden', '..', ''])('has no object %j', async (other) => {
    const { file, place } = await start();

    await expect(buffer(place.read(other, soon()))).rejects.toMatchObject({ code: 'not-found' });
    await expect(place.remove(other, soon())).rejects.toMatchObject({ code: 'not-found' });
    await expect(place.put(other, file, about, soon())).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('is not there: says so, and makes none', async () => {
    const { dir, file } = await start();
    const place = directoryPlace(join(dir, 'nowhere'));
    const error = {
      code: 'unreachable',
      message: `${join(dir, 'nowhere')}: the directory does not exist; check that the disk is mounted`,
    };

    await expect(place.put(name, file, about, soon())).rejects.toMatchObject(error);
    await expect(place.list(soon())).rejects.toMatchObject(error);
    expect(await readdir(dir)).not.toContain('nowhere');
  });

  it('is empty, though it was not: its disk is not mounted', async () => {
    const { folder, file, place } = await start();
    await place.put(name, file, about, soon());
    await rename(folder, `${folder}.unmounted`);
    await mkdir(folder);
    const known = directoryPlace(folder, { isKnown: () => true });

    await expect(known.put(name, file, about, soon())).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('check that the disk is mounted'),
    });
    expect(await readdir(folder)).toEqual([]);

    await writeFile(join(folder, markName), '');
    await known.put(name, file, about, soon());
  });

  it('does not respond: is given up, and not asked again before it does', async (context) => {
    const { folder, place: writable } = await start();
    await mkfifo(join(folder, name), context);
    const place = directoryPlace(folder, { patienceMs: 50 });

    // Opening a FIFO waits for its other end, as a share waits for its server.
    await expect(buffer(place.read(name, soon()))).rejects.toMatchObject({
      code: 'unreachable',
      message: `${folder}: no response within 0.05 s`,
    });
    await expect(place.list(soon())).rejects.toThrow(`${folder}: still no response`);

    await openOtherEnd(join(folder, name));
    await expect.poll(() => place.list(soon())).toEqual([]);
    await writable.list(soon());
  });

  it('closes what it opens after it was given up', async (context) => {
    const { folder, file } = await start();
    // The garbage collector would close it at any time, and warns then.
    const warnings: string[] = [];
    const onWarning = (warning: Error) => warnings.push(warning.message);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    await mkfifo(join(folder, name), context);
    const reading = directoryPlace(folder, { patienceMs: 50 });
    await expect(buffer(reading.read(name, soon()))).rejects.toThrow('no response');
    // Opening it to write completes the reader's call, and fails once there is no reader.
    const write = constants.O_WRONLY | constants.O_NONBLOCK;
    await openOtherEnd(join(folder, name));
    await expect
      .poll(() => open(join(folder, name), write).then((end) => end.close(), errorCode))
      .toBe('ENXIO');

    const half = join(folder, `.${name}.part`);
    await mkfifo(half, context);
    const writing = directoryPlace(folder, { patienceMs: 50 });
    await expect(writing.put(name, file, about, soon())).rejects.toThrow('no response');
    // Ends when the last writer has closed it.
    expect(await readFile(half, 'utf8')).toBe('');
    expect(warnings).toEqual([]);
  });

  it('stops waiting when it is told to', async (context) => {
    const { folder, place } = await start();
    await mkfifo(join(folder, name), context);
    const stopping = new AbortController();

    const getting = buffer(place.read(name, stopping.signal));
    stopping.abort(new Error('stopped'));

    await expect(getting).rejects.toThrow('stopped');
    await openOtherEnd(join(folder, name));
  });

  it('says that a disk is full, or may not be written, and leaves nothing half', async (context) => {
    const { file } = await start();
    const disk = await smallDisk(context);
    const place = directoryPlace(disk);

    await expect(place.put(name, file, about, soon())).rejects.toMatchObject({
      code: 'storage',
      message: `${disk}: the disk is full`,
    });
    expect((await readdir(disk)).filter((entry) => entry !== markName)).toEqual([]);

    await run('mount', ['-o', 'remount,ro', disk]);
    await expect(place.put(name, file, about, soon())).rejects.toMatchObject({
      code: 'rejected',
      message: `${disk}: the file system is read-only`,
    });
  });
});

async function mkfifo(path: string, context: TestContext) {
  await run('mkfifo', [path]).catch(() => context.skip('mkfifo is not installed'));
}

/** Opening waits for the reader, which then may close it. */
async function openOtherEnd(fifo: string) {
  await (await open(fifo, 'w')).close();
}

/** Of one megabyte. */
async function smallDisk(context: TestContext): Promise<string> {
  const disk = join(await tempDir(), 'disk');
  await mkdir(disk);
  await mountSmall(context, disk, 'size=1m');
  return disk;
}
