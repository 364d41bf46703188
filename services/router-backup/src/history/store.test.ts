/** The disk and the repository fail: nothing that was stored is lost, what is not stored is said. */
import { randomBytes } from 'node:crypto';
import { chmod, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mountSmall, run } from '@skolo/base/testing';
import { describe, expect, it, type TestContext } from 'vitest';
import { type Lab, type LabOptions, startIdleLab, startLab } from '../testing/lab.ts';

const git = async (lab: Lab, ...args: string[]) => {
  const folder = join(lab.stateDir, 'repository');
  const { stdout } = await run('git', ['-C', folder, ...args], { maxBuffer: 1 << 26 });
  return stdout;
};

/** The whole state directory on a disk that is small enough to be filled. */
async function onSmallDisk(context: TestContext, options: LabOptions = {}): Promise<Lab> {
  const prepare = (stateDir: string) => mountSmall(context, stateDir, 'size=8m');
  return startLab({ ...options, prepare });
}

async function fill(lab: Lab): Promise<() => Promise<void>> {
  const file = join(lab.stateDir, 'filler');
  for (const size of [1 << 20, 1 << 16, 1 << 12]) {
    for (let count = 0; count < 16; count += 1) {
      await writeFile(file, Buffer.alloc(size), { flag: 'a' }).catch(() => undefined);
    }
  }
  return () => rm(file);
}

describe('the history of the service', () => {
  it('is readable with plain git', async () => {
    const lab = await startIdleLab();
    lab.devices.get('router').text = 'hostname router\npassword canary-2\nend\n';
    await lab.run('router');

    const log = await git(lab, 'log', '-p', '--format=%s%n%b', 'main', '--', 'devices/router');

    expect(log).toContain('router: changed (+1 -1)');
    expect(log).toMatch(/^Rack: rack1$/m);
    expect(log).toMatch(/^Device: router$/m);
    expect(log).toMatch(/^Run: \S+$/m);
    expect(log).toContain('-password canary-router');
    await git(lab, 'fsck', '--strict');
  });

  it('is for the service alone', async () => {
    const lab = await startIdleLab();

    lab.devices.get('router').text = '';
    await lab.run('router');
    const names = ['repository', 'transcripts', 'transcripts/router.txt', 'mask-key'];
    const modes = await Promise.all(
      names.map(async (name) => (await stat(join(lab.stateDir, name))).mode & 0o077),
    );

    expect(modes).toEqual([0, 0, 0, 0]);
  });

  it('is set aside when it is broken, and a new one begins with all devices', async () => {
    const lab = await startIdleLab();
    await lab.stop();
    const objects = join(lab.stateDir, 'repository', 'objects');
    for (const folder of await readdir(objects)) {
      if (folder.length === 2 || folder === 'pack') {
        for (const file of await readdir(join(objects, folder))) {
          await chmod(join(objects, folder, file), 0o600);
          await writeFile(join(objects, folder, file), 'rotten');
        }
      }
    }

    const next = await startLab({ previous: lab });
    await expect.poll(async () => (await next.device('router')).versions).toBe(1);
    await next.idle();

    expect(await next.device('switch-2')).toMatchObject({ state: 'ok', versions: 1 });
    expect(await next.degraded()).toContain('repository.broken-');
    const names = await readdir(next.stateDir);
    const broken = names.filter((name) => name.startsWith('repository.broken-'));
    expect(broken).toHaveLength(1);
    // The new one is sound, and the previous one's versions are not in it.
    expect(await next.degraded()).not.toContain('"repository"');
    expect(await next.metrics()).toContain('skolo_backup_history_lost_devices 3');
    await next.admin.acceptLoss({ body: { reason: 'nothing can be saved of it' } });
    expect(await next.metrics()).toContain('skolo_backup_repository_sound 1');

    await rm(join(next.stateDir, broken[0] ?? ''), { recursive: true });
    await expect.poll(() => next.degraded()).not.toContain('repository.broken-');
  });

  it('loses nothing on a full disk, and goes on when there is space', async (context) => {
    const lab = await onSmallDisk(context);
    await lab.idle();
    const router = lab.devices.get('router');
    const makeRoom = await fill(lab);
    router.text = `hostname router\n${'! line of a long configuration\n'.repeat(4000)}end\n`;

    const { equipment } = await lab.admin
      .requestBackup({ body: { equipment: ['router'] } })
      .then(({ id }) => lab.finished(id))
      .catch(() => ({ equipment: [{ failure: 'storage' }] }));
    const full = await lab.degraded();
    await makeRoom();
    await expect
      .poll(async () => (await lab.run('router').catch(() => undefined))?.equipment[0]?.result)
      .toBe('changed');

    expect(equipment[0]?.failure).toBe('storage');
    expect(full).toMatch(/no space|disk is full/i);
    expect(full).toContain('disk-full');
    expect((await lab.device('router')).versions).toBe(2);
    await git(lab, 'fsck', '--strict');
  });

  it('reports that a version does not fit, and reads the device again as soon as it does', async (context) => {
    const lab = await onSmallDisk(context, { retryPauses: { byHand: [3_600_000], byItself: [] } });
    await lab.idle();
    const filler = join(lab.stateDir, 'filler');
    await writeFile(filler, Buffer.alloc(6 << 20));
    // The journal has room, the history has not.
    const random = randomBytes(2_400_000).toString('base64');
    lab.devices.get('router').text = `hostname router\n${random}\nend\n`;

    const { id } = await lab.admin.requestBackup({ body: { equipment: ['router'] } });
    await expect
      .poll(() => lab.degraded())
      .toMatch(/"repository".*router could not be stored: the (disk|data)/);
    const metrics = await lab.metrics();
    const entry = async () => (await lab.admin.backup({ params: { id } })).equipment[0];
    await expect.poll(entry).toMatchObject({ state: 'waiting', failure: 'storage' });
    await rm(filler);

    const { equipment } = await lab.finished(id);
    expect(metrics).toMatch(/^skolo_backup_repository_sound 0$/m);
    expect(equipment[0]?.result).toBe('changed');
    expect(await lab.degraded()).not.toContain('"repository"');
    expect(await lab.metrics()).toMatch(/^skolo_backup_repository_sound 1$/m);
    await git(lab, 'fsck', '--strict');
  });

  it('starts and reports it while the state directory cannot be written, and recovers', async (context) => {
    let dir = '';
    const lab = await startLab({
      async prepare(stateDir) {
        dir = stateDir;
        await mountSmall(context, stateDir, 'ro');
      },
    });

    const rejected = await lab.admin.requestBackup({ body: {} }).catch((error: unknown) => error);
    const down = await lab.degraded();
    await run('mount', ['-o', 'remount,rw', dir]);
    await expect
      .poll(async () => (await lab.device('router').catch(() => undefined))?.state)
      .toBe('ok');

    expect(rejected).toMatchObject({ status: 503 });
    expect(down).toMatch(/read-only/);
    await expect.poll(() => lab.degraded()).not.toMatch(/"(journal|repository)"/);
  });
});
