/** As root on this computer, in a mount namespace of its own. */
import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators/peer';
import { describe, expect, it } from 'vitest';
import { onlyRoot, onlyRootProgram } from './only-root.ts';

const nobody = 65_534;

/** `/base/dir/program`, below a directory that only root can write. */
async function startFolder() {
  const base = await tempDir();
  const dir = join(base, 'dir');
  await mkdir(dir, { mode: 0o755 });
  const program = join(dir, 'program');
  await writeFile(program, 'echo "ran $1"\n', { mode: 0o755 });
  return { base, dir, program };
}

/** The test's directory is in one that all can write, which is sticky. */
function said(...files: string[]): string[] {
  const script = `${onlyRoot}\nonly_root "$@"`;
  const text = execFileSync('sh', ['-c', script, 'sh', ...files], { encoding: 'utf8' });
  return text.split('\n').filter(Boolean);
}

describe.skipIf(lacks('root'))('a file that root runs', () => {
  it('is nobody else’s, through links, relative ones and those of directories too', async () => {
    const { base, dir, program } = await startFolder();
    await symlink('dir', join(base, 'link'));
    await symlink('../link/./program', join(dir, 'again'));

    expect(said(program, `${base}/link/again`, `${base}//dir/../dir/program`)).toEqual([]);
  });

  it('need not exist, as long as nobody else can create it', async () => {
    const { base, dir } = await startFolder();
    expect(said(join(dir, 'none'), join(base, 'no/such/folder'))).toEqual([]);

    await chmod(dir, 0o777);
    expect(said(join(dir, 'none'))).toEqual([expect.stringContaining(`${dir} has mode 777`)]);
  });

  it.each<[string, (of: Awaited<ReturnType<typeof startFolder>>) => Promise<void>, string]>([
    ['all can write its directory', ({ dir }) => chmod(dir, 0o777), 'dir has mode 777'],
    ['all can write it', ({ program }) => chmod(program, 0o757), 'dir/program has mode 757'],
    [
      'a group can write it',
      ({ program }) => groupWritable(program, nobody),
      'dir/program has mode 775',
    ],
    [
      'a group can write its directory',
      ({ dir }) => groupWritable(dir, nobody),
      'dir has mode 775',
    ],
    [
      'somebody owns it',
      ({ program }) => chown(program, nobody, 0),
      'dir/program has mode 755, owner nob',
    ],
    [
      'somebody owns its directory',
      ({ dir }) => chown(dir, nobody, 0),
      'dir has mode 755, owner nob',
    ],
  ])('is named where %s, and behind a link', async (_, spoil, expected) => {
    const folder = await startFolder();
    await symlink(folder.program, join(folder.base, 'link'));
    await spoil(folder);

    for (const file of [folder.program, join(folder.base, 'link')]) {
      expect(said(file)).toEqual([expect.stringContaining(`${folder.base}/${expected}`)]);
    }
  });

  it('is named once for each directory, and its group if only that one can write', async () => {
    const { dir, program } = await startFolder();
    await writeFile(join(dir, 'other'), '');
    await chmod(dir, 0o777);
    await groupWritable(program, 0);

    expect(said(program, join(dir, 'other'))).toHaveLength(1);
  });

  it('ends in a loop of links', async () => {
    const { base } = await startFolder();
    await symlink(join(base, 'b'), join(base, 'a'));
    await symlink(join(base, 'a'), join(base, 'b'));

    expect(said(join(base, 'a'))).toEqual([]);
  });

  it('may be of the group staff in the directories that Debian gives it, with a note', () => {
    const inNamespace = (place: string) =>
      execFileSync(
        'unshare',
        [
          '--mount',
          'sh',
          '-c',
          `mount -t tmpfs -o gid=staff,mode=2775 tmpfs ${place}; ${onlyRoot}\nonly_root ${place}/program`,
        ],
        { encoding: 'utf8' },
      );

    expect(inNamespace('/usr/local')).toMatch(
      /^note: \/usr\/local is writable for the group staff/,
    );
    expect(inNamespace('/opt')).toMatch(/^\/opt has mode 2775, owner root and group staff/);
  });

  it('is not run where somebody else could have written it, and the message says what to do', async () => {
    const { dir, program } = await startFolder();
    const runner = join(dir, 'runner');
    await writeFile(runner, onlyRootProgram.content, { mode: 0o755 });
    const run = () => execFileSync(runner, [program, 'well'], { encoding: 'utf8', stdio: 'pipe' });
    expect(run()).toBe('ran well\n');

    await chmod(dir, 0o777);

    expect(run).toThrow(/dir has mode 777.*chmod go-w/s);
  });
});

async function groupWritable(path: string, group: number): Promise<void> {
  await chown(path, 0, group);
  await chmod(path, 0o775);
}
