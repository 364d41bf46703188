/** The commands of docs/alone/router-backup.md that keep the history of Oxidized or RANCID, as printed. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Repository } from '@skolo/backup';
import { expect, it, onTestFinished } from 'vitest';
import { excluded } from '../jumphost/program.ts';

const run = promisify(execFile);
const page = resolve(import.meta.dirname, '../../../../docs/alone/router-backup.md');

it.each([
  ['Oxidized', 'router', '--bare', '/home/oxidized/.config/oxidized/oxidized.git'],
  ['RANCID', 'configs/router.example.com', '', '/var/lib/rancid/GROUP'],
])('of %s stays complete next to that of router-backup', async (_, path, bare, place) => {
  const folder = await mkdtemp(join(tmpdir(), 'skolo-earlier-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const env = { PATH: process.env.PATH, HOME: folder };
  const sh = async (script: string) =>
    (await run('sh', ['-euc', script], { cwd: folder, env })).stdout;
  const old = join(folder, place);
  await makeHistory(join(folder, 'work'), path, sh);
  await sh(`git clone --quiet ${bare} work '${old}'`);
  const state = join(folder, 'var/lib/skolo/router-backup');
  await mkdir(state, { recursive: true });

  const [keep, look] = await printed(place);
  await sh(inFolder(keep, folder));
  const repository = await Repository.open(join(state, 'repository'), { rack: 'lab' });
  onTestFinished(() => repository.close());
  const about = { rack: 'lab', model: 'eos', run: '1', time: '2026-11-20T03:15:00Z', by: 'ann' };
  await repository.commit({ device: 'router', content: { bytes: Buffer.from('vlan 3\n') }, about });
  await repository.check(AbortSignal.timeout(60_000));
  await repository.maintain(AbortSignal.timeout(60_000));
  await rm(old, { recursive: true });

  const log = await sh(inFolder(look, folder).replace('NAME', path));
  expect(log).toContain('+vlan 2');
  expect(log).toContain('-vlan 1');
  expect(log).not.toContain('vlan 3');
  expect(await sh(`git -C '${state}/earlier' fsck --full --strict 2>&1`)).not.toMatch(
    /error|missing/,
  );
  expect(excluded).not.toContain('earlier');
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

/** The block of this program, and the next one. */
async function printed(place: string): Promise<[string, string]> {
  const blocks = [...(await readFile(page, 'utf8')).matchAll(/^```\w*\n([\s\S]*?)^```$/gm)];
  const texts = blocks.map(([, text = '']) => text);
  const keep = texts.find((text) => text.includes(`cp -r ${place} `)) ?? '';
  const look = texts.find((text) => text.includes('log --patch')) ?? '';
  expect({ keep, look }).not.toMatchObject({ keep: '' });
  return [keep, look];
}

/** Its paths are in this folder. */
function inFolder(script: string, folder: string): string {
  return script.replaceAll(/(?<= )\/(?=(home|var)\/)/g, `${folder}/`);
}
