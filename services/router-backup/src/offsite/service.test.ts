/** Copies off site, through the service as a whole. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openSource } from '@skolo/backup';
import { Secret } from '@skolo/base/secrets';
import { expect, it } from 'vitest';
import { startIdleLab, threeDevices } from '../testing/lab.ts';

/** Made by age-keygen for this test alone. */
const recipient = 'age1sml852a9e9qjcm5eq2tsyh5yfu330uqhn7q5ap29wj6vldg9p5lqjnstcn';
const identities = [
  new Secret('AGE-SECRET-KEY-17U8ZSYGVSC9L7UYP3XMPRM57U6N539TKMY0558LSU5R87VG9NNJSG66MCS'),
];

it('leave the rack after a backup, and come back without it', async () => {
  const lab = await startIdleLab();
  const place = join(lab.dir, 'offsite');
  await mkdir(place);
  expect((await lab.device('router')).offsite).toBe('none');

  await lab.edit(threeDevices, `    upload: ${place}\n    encrypt: [${recipient}]\n`);
  await expect.poll(async () => (await lab.device('router')).offsite).toBe('stored');
  const router = lab.devices.get('router');
  router.text = router.text.replace('hostname', 'domain lan\nhostname');
  await lab.run('router');
  // The jumphost is backed up as soon as there is a recipient.
  for (const device of ['router', 'jumphost-rack1']) {
    await expect.poll(async () => (await lab.device(device)).offsite).toBe('stored');
  }

  const { offsite } = await lab.admin.allEquipment({ query: {} });
  expect(offsite).toMatchObject([{ kind: 'upload', url: place, queued: 0 }]);
  expect(await lab.metrics()).toContain(`skolo_backup_offsite_queue{place="${place}"} 0`);
  await lab.stop();
  const source = await openSource(place, { identities });
  expect(await source.devices()).toEqual(['jumphost-rack1', 'router', 'switch-1', 'switch-2']);
  const [newest] = await source.versions('router');
  expect(newest && String(await source.content(newest))).toBe(router.text);
  const [archive] = await source.versions('jumphost-rack1');
  // Its SHA-1 was checked when it was opened.
  const tar = archive && (await source.content(archive));
  expect(tar?.toString('latin1', 257, 262)).toBe('ustar');
  expect((await readdir(place)).every((name) => /\.gz\.age$|^\.skolo-backups$/.test(name))).toBe(
    true,
  );
});

it('wait while the disk is not mounted, which is reported', async () => {
  const lab = await startIdleLab();
  const place = join(lab.dir, 'offsite');

  await lab.edit(threeDevices, `    upload: ${place}\n    encrypt: none\n`);

  await expect.poll(() => lab.degraded()).toContain('check that the disk is mounted');
  await lab.run('router');
  expect((await lab.device('router')).offsite).toBe('queued');
  const { offsite } = await lab.admin.allEquipment({ query: {} });
  expect(offsite).toMatchObject([
    {
      kind: 'upload',
      queued: 3,
      problem: expect.stringContaining('check that the disk is mounted'),
    },
  ]);
});
