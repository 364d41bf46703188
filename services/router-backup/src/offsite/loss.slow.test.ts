/** The history is deleted or replaced by an older one: that is reported, and a copy off site restores it. */

import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSource, rebuildHistory, writeBundle } from '@skolo/backup';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { type Lab, startIdleLab, startLab } from '../testing/lab.ts';

const { signal } = new AbortController();
const repositoryOf = (lab: Lab) => join(lab.stateDir, 'repository');
const textOf = (n: number) => `hostname router\npassword canary-${n}\nend\n`;

/** With a folder as the place off site, and three versions of the router. */
async function withVersions(): Promise<Lab> {
  const lab = await startIdleLab({
    settings: (dir) => `    upload: ${join(dir, 'offsite')}\n    encrypt: none`,
    prepare: async (stateDir) =>
      void (await mkdir(join(stateDir, '../offsite'), { recursive: true })),
  });
  for (const n of [1, 2]) await change(lab, n);
  await expect.poll(async () => (await lab.device('router')).offsite).toBe('stored');
  return lab;
}

async function change(lab: Lab, n: number): Promise<void> {
  lab.devices.get('router').text = textOf(n);
  await lab.run('router');
}

async function lost(lab: Lab) {
  return (await lab.admin.allEquipment({ query: {} })).lost;
}

/** What `skolo backup restore-history --from` does. */
async function restore(lab: Lab, from: string) {
  const folder = await tempDir();
  const source = await openSource(from);
  await rebuildHistory(source, join(folder, 'history'), { rack: 'rack1', signal });
  await source.close();
  const file = join(folder, 'bundle');
  await writeBundle(join(folder, 'history'), file);
  const bytes = await readFile(file);
  const half = Math.floor(bytes.length / 2);
  for (const [offset, piece] of [
    [0, bytes.subarray(0, half)],
    [half, bytes.subarray(half)],
  ] as const) {
    await lab.admin.receiveHistory({ body: { offset, data: piece.toString('base64') } });
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return await lab.admin.restoreHistory({ body: { sha256, reason: 'it was deleted' } });
}

async function contents(lab: Lab): Promise<string[]> {
  const { versions } = await lab.admin.versions({ params: { equipment: 'router' }, query: {} });
  return await Promise.all(
    versions.map(async ({ id }) => {
      const url = `${lab.url}/v1/equipment/router/versions/${id}/content?secrets=true`;
      const headers = { authorization: `Bearer ${lab.adminToken}` };
      return await (await fetch(url, { headers })).text();
    }),
  );
}

describe('a history that was deleted', () => {
  it('while the service runs is reported, also after a restart, and restored with what came since', async () => {
    const lab = await withVersions();
    const before = await contents(lab);
    expect(before).toHaveLength(3);
    // At once, as a file system does that is no longer mounted; a deletion takes as long as it likes.
    await rename(repositoryOf(lab), join(lab.dir, 'gone'));

    await expect.poll(() => lost(lab)).toHaveLength(3);
    expect(await lab.metrics()).toMatch(/^skolo_backup_repository_sound 0$/m);
    expect(await lab.metrics()).toMatch(/^skolo_backup_history_lost_devices 3$/m);
    expect(await lab.degraded()).toContain('versions of router, switch-1, switch-2 are no longer');
    // Backups go on, in a new history.
    await lab.idle();
    await change(lab, 3);
    expect((await lab.device('router')).versions ?? 0).toBeLessThanOrEqual(2);
    await lab.stop();
    const next = await startLab({
      previous: lab,
      settings: `    upload: ${join(lab.dir, 'offsite')}\n    encrypt: none`,
    });
    expect(await lost(next)).toMatchObject([
      { equipment: 'router', versions: 3, unsent: [] },
      { equipment: 'switch-1', versions: 1 },
      { equipment: 'switch-2', versions: 1 },
    ]);
    await next.idle();

    const restored = await restore(next, join(lab.dir, 'offsite'));

    expect(restored).toMatchObject({ equipment: 3, lost: [] });
    const after = await contents(next);
    expect(after.slice(-3)).toEqual(before);
    expect(after[0]).toBe(textOf(3));
    expect(await next.metrics()).toMatch(/^skolo_backup_repository_sound 1$/m);
    expect(await next.degraded()).not.toContain('history lost');
    // The next version goes on top, and leaves the rack.
    await change(next, 4);
    expect((await contents(next))[0]).toBe(textOf(4));
    await expect.poll(async () => (await next.device('router')).offsite).toBe('stored');
  });

  it('before the service starts is reported; a loss that is accepted is reported no longer', async () => {
    const lab = await startIdleLab();
    await lab.stop();
    await rm(repositoryOf(lab), { recursive: true });

    const next = await startLab({ previous: lab });

    expect(await lost(next)).toHaveLength(3);
    expect(await next.metrics()).toMatch(/^skolo_backup_repository_sound 0$/m);
    await next.idle();
    expect((await next.device('router')).versions).toBe(1);
    await expect(next.operator.acceptLoss({ body: { reason: 'x' } })).rejects.toMatchObject({
      status: 403,
    });
    const { accepted } = await next.admin.acceptLoss({ body: { reason: 'there is no copy' } });
    expect(accepted.map(({ equipment }) => equipment)).toEqual(['router', 'switch-1', 'switch-2']);
    expect(await lost(next)).toEqual([]);
    expect(await next.metrics()).toMatch(/^skolo_backup_repository_sound 1$/m);
  });

  // The two losses are those of the tests above.
  it('twice is reported with what was stored in between', async () => {
    const lab = await startIdleLab();
    await change(lab, 1);
    await rename(repositoryOf(lab), join(lab.dir, 'gone'));
    await expect.poll(() => lost(lab)).toHaveLength(3);
    await expect.poll(async () => (await lab.device('router')).versions).toBe(1);
    await lab.idle();
    await change(lab, 2);
    const { version, versions = Number.NaN } = await lab.device('router');
    await rename(repositoryOf(lab), join(lab.dir, 'gone, too'));

    await expect
      .poll(async () => (await lost(lab))[0])
      .toMatchObject({ equipment: 'router', versions: 2 + versions, newest: { id: version } });
  });

  it('names the versions that are in no copy', async () => {
    const lab = await withVersions();
    // The place is gone: what comes now stays in the rack.
    await rm(join(lab.dir, 'offsite'), { recursive: true });
    await change(lab, 3);
    const newest = (await lab.device('router')).version;
    await lab.stop();
    await rm(repositoryOf(lab), { recursive: true });

    const next = await startLab({
      previous: lab,
      settings: `    upload: ${join(lab.dir, 'offsite')}\n    encrypt: none`,
    });

    expect((await lost(next))[0]).toMatchObject({
      equipment: 'router',
      versions: 4,
      newest: { id: newest },
      unsent: [{ id: newest }],
    });
    expect(await next.degraded()).toContain('1 of them had not been copied off site yet');
  });

  it('and replaced by an older copy is reported for what is missing in it', async () => {
    const first = await startIdleLab();
    // Its upkeep creates and removes files.
    await first.stop();
    await cp(repositoryOf(first), join(first.dir, 'older'), { recursive: true });
    const lab = await startLab({ previous: first });
    await change(lab, 1);
    const { version } = await lab.device('router');
    await lab.stop();
    await rm(repositoryOf(lab), { recursive: true });
    await cp(join(lab.dir, 'older'), repositoryOf(lab), { recursive: true });

    const next = await startLab({ previous: lab });

    expect(await lost(next)).toMatchObject([{ equipment: 'router', newest: { id: version } }]);
    expect((await next.device('switch-1')).versions).toBe(1);
  });

  it('is whole where only the journal was lost: that is reported, and what had waited is sent', async () => {
    const offsite = (dir: string) => `    upload: ${join(dir, 'offsite')}\n    encrypt: none`;
    const lab = await withVersions();
    // The place is gone for a while: what comes now waits in the journal.
    await rename(join(lab.dir, 'offsite'), join(lab.dir, 'unmounted'));
    await change(lab, 3);
    await change(lab, 4);
    await lab.stop();
    await rm(join(lab.stateDir, 'journal'), { recursive: true });
    await rm(join(lab.stateDir, 'journal.mark'), { force: true });
    await rename(join(lab.dir, 'unmounted'), join(lab.dir, 'offsite'));

    const next = await startLab({ previous: lab, settings: offsite(lab.dir) });
    await next.idle();

    expect(await next.degraded()).toContain(
      'the journal is new, but the history contains 3 configurations',
    );
    expect(await lost(next)).toEqual([]);
    await expect.poll(async () => (await next.device('router')).offsite).toBe('stored');
    const source = await openSource(join(lab.dir, 'offsite'));
    expect(await source.versions('router')).toHaveLength(5);
  });

  it('is no new one while a new journal stands beside a history that cannot be read yet', async () => {
    const lab = await startIdleLab();
    await change(lab, 1);
    await lab.stop();
    await rm(join(lab.stateDir, 'journal'), { recursive: true });
    await rm(join(lab.stateDir, 'journal.mark'), { force: true });
    await rename(repositoryOf(lab), join(lab.dir, 'hidden'));
    await writeFile(repositoryOf(lab), '');
    const next = await startLab({ previous: lab });
    const told = 'the journal is new, but the history contains 3 configurations';
    expect(await next.degraded()).not.toContain(told);

    await rm(repositoryOf(lab));
    await rename(join(lab.dir, 'hidden'), repositoryOf(lab));

    await expect.poll(() => next.degraded()).toContain(told);
  });

  it('is not replaced by what is no history', async () => {
    const lab = await startIdleLab();
    const before = await contents(lab);
    const data = Buffer.from('no bundle');
    await lab.admin.receiveHistory({ body: { offset: 0, data: data.toString('base64') } });
    const sha256 = createHash('sha256').update(data).digest('hex');

    const rejected = {
      status: 409,
      message: expect.stringContaining('this is not a valid history'),
    };
    await expect(
      lab.admin.restoreHistory({ body: { sha256, reason: 'try' } }),
    ).rejects.toMatchObject(rejected);

    expect(await contents(lab)).toEqual(before);
    await change(lab, 1);
    expect(await contents(lab)).toHaveLength(2);
    await expect(lab.admin.receiveHistory({ body: { offset: 7, data: '' } })).rejects.toMatchObject(
      { status: 409 },
    );
  });
});
