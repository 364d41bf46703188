import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Repository } from '@skolo/backup';
import { run, tempDir } from '@skolo/base/testing';
import { neverArchived } from '@skolo/rack/jumphost';
import { expect, it, onTestFinished } from 'vitest';

const page = resolve(import.meta.dirname, '../../../../docs/adopt/alone.md');

it.each([
  ['earlier-oxidized', 'router', '--bare', '/home/oxidized/.config/oxidized/oxidized.git'],
  ['earlier-GROUP', 'configs/router.example.com', '', '/var/lib/rancid/GROUP'],
])('%s stays complete next to the history of router-backup', async (copy, path, bare, place) => {
  const folder = await tempDir();
  const env = { PATH: process.env.PATH, HOME: folder };
  const sh = async (script: string) =>
    (await run('sh', ['-euc', script], { cwd: folder, env })).stdout;
  const old = join(folder, place);
  await makeHistory(join(folder, 'work'), path, sh);
  await sh(`git clone --quiet ${bare} work '${old}'`);
  const state = join(folder, 'var/lib/skolo/router-backup');
  await mkdir(state, { recursive: true });

  const [keep, look] = await printed(place, copy);
  await sh(inFolder(keep, folder));
  const repository = await Repository.open(join(state, 'repository'), { rack: 'lab' });
  onTestFinished(() => repository.close());
  const about = { rack: 'lab', model: 'eos', run: '1', time: '2026-11-20T03:15:00Z', by: 'ann' };
  await repository.commit({ device: 'router', content: { bytes: Buffer.from('vlan 3\n') }, about });
  await repository.check(new AbortController().signal);
  await repository.maintain(new AbortController().signal);
  await rm(old, { recursive: true });

  const log = await sh(inFolder(look, folder).replace(/NODE|configs\/HOST/, path));
  expect(log).toContain('+vlan 2');
  expect(log).toContain('-vlan 1');
  expect(log).not.toContain('vlan 3');
  expect(await sh(`git -C '${state}/${copy}' fsck --full --strict 2>&1`)).not.toMatch(
    /error|missing/,
  );
  expect(await sh(`find '${state}/${copy}' -perm /077`)).toBe('');
  expect(neverArchived).not.toContain(copy);
});

async function makeHistory(work: string, path: string, sh: (script: string) => Promise<string>) {
  const git = `git -C '${work}' -c user.name=old -c user.email=old@example.com`;
  await sh(`git init --quiet '${work}'`);
  await mkdir(join(work, dirname(path)), { recursive: true });
  for (const text of ['vlan 1\n', 'vlan 2\n']) {
    await writeFile(join(work, path), text);
    await sh(`${git} add . && ${git} commit --quiet --message=update`);
  }
}

/** The commands that copy this history, and that show the copy. */
async function printed(place: string, copy: string): Promise<[string, string]> {
  const lines = (await readFile(page, 'utf8')).split('\n');
  const keep = lines.find((line) => line.includes(`cp -r ${place} `)) ?? '';
  const look = lines.find((line) => line.includes(`${copy} log --patch`)) ?? '';
  expect([keep, look]).not.toContain('');
  return [keep, look];
}

/** Its paths are in this folder. */
function inFolder(script: string, folder: string): string {
  return script.replaceAll(/(?<= )\/(?=(home|var)\/)/g, `${folder}/`);
}
