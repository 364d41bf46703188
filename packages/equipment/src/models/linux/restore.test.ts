import { execFileSync } from 'node:child_process';
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runs } from '@skolo/base/testing';
import { DeviceRejected } from '@skolo/equipment/transports';
import type { LinuxHostOptions } from '@skolo/simulators';
import fc from 'fast-check';
import { describe, expect, it, type TestContext } from 'vitest';
import { linuxHost, makeBusybox, type SittingHost } from '../testing/linux-host.ts';

interface Sitting extends SittingHost {
  read(): Promise<Buffer>;
  apply(version: Buffer): Promise<void>;
  /** By the last `apply`. */
  said: string[];
  check(version: Buffer): Promise<{ accepted?: boolean; said: string } | undefined>;
  /** Each path below the root, and its kind. */
  tree(): Promise<Record<string, string>>;
}

async function sit(
  context: TestContext,
  { sudo = false, ...options }: LinuxHostOptions & { sudo?: boolean } = {},
): Promise<Sitting> {
  const optionsFor = (root: string) => ({ files: [`${root}/etc/**`], exclude: [], sudo });
  const sitting = await linuxHost(context, optionsFor, options);
  const { host, model, connect } = sitting;
  const said: string[] = [];
  return {
    ...sitting,
    async read() {
      const { content } = await model.read(connect());
      return 'bytes' in content ? content.bytes : await readFile(content.file);
    },
    said,
    async apply(version) {
      said.length = 0;
      await model.restore.apply?.(connect(), version, (text) => said.push(text));
    },
    check: async (version) => model.restore.check?.(connect(), version),
    tree: () => treeOf(host.root),
  };
}

async function treeOf(root: string, folder = ''): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (const name of (await readdir(join(root, folder))).sort()) {
    const path = join(folder, name);
    const file = join(root, path);
    const stats = await lstat(file);
    const rights = (stats.mode & 0o7777).toString(8);
    if (stats.isSymbolicLink()) tree[path] = `-> ${await readlink(file)}`;
    else if (stats.isFile()) tree[path] = `${rights} ${await readFile(file, 'utf8')}`;
    else Object.assign(tree, { [path]: `folder ${rights}` }, await treeOf(root, path));
  }
  return tree;
}

/** Leftovers of a restore on the host. */
async function leftOf(said: readonly string[]): Promise<string[]> {
  const stage = /^uploaded to (\/\S+)$/m.exec(said.join('\n'))?.[1];
  if (stage === undefined) return ['nothing was uploaded'];
  const left = await readdir(stage).catch(() => []);
  await rm(stage, { recursive: true, force: true });
  return left;
}

async function fill({ host }: Sitting): Promise<void> {
  await host.write('etc/hosts', 'localhost\n');
  await host.write('etc/network/interfaces', 'auto lo\n', 0o600);
  await host.write("etc/it's $here/a b", 'strange\n');
  await mkdir(join(host.root, 'etc/empty'));
  await chmod(join(host.root, 'etc/empty'), 0o750);
  await symlink('hosts', join(host.root, 'etc/link'));
}

async function spoil({ host }: Sitting): Promise<void> {
  await host.write('etc/hosts', 'changed\n', 0o666);
  await rm(join(host.root, 'etc/network'), { recursive: true });
  await rm(join(host.root, 'etc/empty'), { recursive: true });
  await rm(join(host.root, 'etc/link'));
  await symlink('empty', join(host.root, 'etc/link'));
  await host.write('etc/new', 'new\n');
}

describe('a version of the files of a Linux host', () => {
  it.for(['GNU', 'BusyBox'])('is put in place by tools of %s', async (tools, context) => {
    const sitting = await sit(context);
    const { host, read, apply, tree, said } = sitting;
    if (tools === 'BusyBox') await makeBusybox(context, host);
    await fill(sitting);
    const [version, before] = [await read(), await tree()];
    await spoil(sitting);

    await apply(version);

    expect(await tree()).toEqual({ ...before, 'etc/new': '644 new\n' });
    expect(said[0]?.replaceAll(host.root, '')).toBe(
      [
        'missing on the host: /etc/empty, /etc/network, /etc/network/interfaces',
        'different on the host: /etc/hosts, /etc/link',
        'not in the version, so left unchanged: /etc/new',
      ].join('\n'),
    );
    expect(said.slice(-1)).toEqual(['read back: all files match the version']);
    expect(await leftOf(said)).toEqual(['log', 'old']);
  });

  it('may have links that lead to themselves', async (context) => {
    const sitting = await sit(context);
    await sitting.host.write('etc/hosts', 'localhost\n');
    await symlink('loop', join(sitting.host.root, 'etc/loop'));
    const [version, before] = [await sitting.read(), await sitting.tree()];
    await rm(join(sitting.host.root, 'etc/loop'));
    await sitting.host.write('etc/loop', 'a file');

    await sitting.apply(version);
    await leftOf(sitting.said);

    expect(await sitting.tree()).toEqual(before);
  });

  it('keeps what it replaced', async (context) => {
    const sitting = await sit(context);
    await fill(sitting);
    const version = await sitting.read();
    await spoil(sitting);

    await sitting.apply(version);

    const old = /kept in (\S+)/.exec(sitting.said.join('\n'))?.[1] ?? '';
    expect(await treeOf(join(old, sitting.host.root, 'etc'))).toEqual({
      hosts: '666 changed\n',
      link: '-> empty',
    });
    expect((await lstat(dirname(old))).mode & 0o777).toBe(0o700);
    await leftOf(sitting.said);
  });

  it('does nothing where it is there already', async (context) => {
    const sitting = await sit(context);
    await fill(sitting);

    await sitting.apply(await sitting.read());

    expect(sitting.said).toEqual(['all files match the version']);
  });

  it('is not put in place where one file cannot be: then all is as it was', async (context) => {
    const sitting = await sit(context);
    const { host, read, apply, tree, check, said } = sitting;
    await fill(sitting);
    await host.write('etc/z', 'z');
    const version = await read();
    await spoil(sitting);
    await rm(join(host.root, 'etc/z'));
    await mkdir(join(host.root, 'etc/z'));
    const before = await tree();

    const rehearsed = await check(version);
    const restore = apply(version);

    await expect(restore).rejects.toThrow(DeviceRejected);
    await expect(restore).rejects.toThrow(
      /did not install the files: \S+\/etc\/z is a folder, and not in the version; given up/,
    );
    expect(rehearsed?.accepted).toBe(false);
    expect(rehearsed?.said).toContain('/etc/z is a folder, and not in the version\n');
    expect(await tree()).toEqual(before);
    expect(await leftOf(said)).toEqual([]);
  });

  it('is taken back where moving the last file fails', async (context) => {
    const sitting = await sit(context);
    const { host, read, apply, tree, said } = sitting;
    await fill(sitting);
    const version = await read();
    await spoil(sitting);
    const before = await tree();
    await host.program(
      'mv',
      'case "$*" in *network/interfaces) exit 1 ;; esac; PATH=$REAL exec mv "$@"',
    );

    await expect(apply(version)).rejects.toThrow('cannot replace');

    expect(await tree()).toEqual(before);
    expect(await leftOf(said)).toEqual([]);
  });

  it('is put in place though the session dies meanwhile', async (context) => {
    const sitting = await sit(context);
    const { host, read, apply, tree, said } = sitting;
    await fill(sitting);
    const [version, before] = [await read(), await tree()];
    await spoil(sitting);
    await host.program('mv', 'kill -9 $SSHD 2>/dev/null; PATH=$REAL exec mv "$@"');

    await apply(version);

    expect(await leftOf(said)).toEqual(['log', 'old']);
    expect(said.join('\n')).toContain('waiting until the files are installed');
    expect(await tree()).toEqual({ ...before, 'etc/new': '644 new\n' });
  });

  it('is put in place though the host accepts no session for a while', async (context) => {
    const sitting = await sit(context);
    const { host, read, model, connect, tree } = sitting;
    await fill(sitting);
    const [version, before] = [await read(), await tree()];
    await spoil(sitting);
    // The listener first: the connection that is lost must not be replaced at once.
    const dir = dirname(host.config);
    const once = `mkdir ${dir}/killed 2>/dev/null && kill -9 $(cat ${dir}/pid) $SSHD`;
    await host.program('mv', `${once}; PATH=$REAL exec mv "$@"`);
    let started: Promise<void> | undefined;

    await model.restore.apply?.(connect(), version, (text) => {
      if (text.includes('; waiting until')) started = host.start();
    });

    await started;
    expect(await tree()).toEqual({ ...before, 'etc/new': '644 new\n' });
  });

  it('that other programs change at once is not said to be there', async (context) => {
    const sitting = await sit(context);
    const { host, read, apply } = sitting;
    await fill(sitting);
    const version = await read();
    await spoil(sitting);
    await host.program('sync', `echo again > ${host.root}/etc/hosts`);

    await expect(apply(version)).rejects.toThrow(
      'some have changed again: different on the host: ',
    );
    await leftOf(sitting.said);
  });

  it('is rehearsed, and nothing changes', async (context) => {
    const sitting = await sit(context);
    const { read, tree, check } = sitting;
    await fill(sitting);
    const version = await read();
    const same = await check(version);
    await spoil(sitting);
    const before = await tree();

    const rehearsed = await check(version);

    expect(same).toEqual({ accepted: true, said: 'all files match the version' });
    expect(rehearsed?.accepted).toBe(true);
    expect(rehearsed?.said).toContain('missing on the host: ');
    expect(await tree()).toEqual(before);
  });

  it('tells an account what it may not write', async (context) => {
    if (process.getuid?.() !== 0) context.skip('only root can be somebody else');
    const sitting = await sit(context, { asNobody: true });
    await fill(sitting);
    await chmod(join(sitting.host.root, 'etc/network/interfaces'), 0o644);
    await chmod(join(sitting.host.root, 'etc/empty'), 0o755);
    const version = await sitting.read();
    await sitting.host.write('etc/hosts', 'changed\n');

    const { accepted, said } = (await sitting.check(version)) ?? {};

    expect(accepted).toBe(false);
    expect(said?.replaceAll(sitting.host.root, '')).toBe(
      [
        'cannot write to /etc/',
        'only root can give /etc/hosts to its owner 0',
        'different on the host: /etc/hosts',
      ].join('\n'),
    );
    await expect(sitting.apply(version)).rejects.toThrow('cannot write beside');
  });

  it('is put in place with sudo where that is said', async (context) => {
    const sitting = await sit(context, { sudo: true });
    await sitting.host.program('sudo', `echo "$2" >> ${sitting.host.root}/sudo; shift; exec "$@"`);
    await fill(sitting);
    const [version, before] = [await sitting.read(), await sitting.tree()];
    await spoil(sitting);
    await rm(join(sitting.host.root, 'sudo'));

    await sitting.apply(version);
    await leftOf(sitting.said);

    const asked = await readFile(join(sitting.host.root, 'sudo'), 'utf8');
    expect(asked).toBe('find\ntar\nsha256sum\nfind\nsh\nfind\ntar\nsha256sum\n');
    const { sudo: _, ...now } = await sitting.tree();
    const { sudo: __, ...then } = before;
    expect(now).toEqual({ ...then, 'etc/new': '644 new\n' });
  });

  it('gets back by hand, as is printed', async (context) => {
    const sitting = await sit(context);
    const { host, read, model, device, connect, tree, scratch } = sitting;
    await fill(sitting);
    const [version, before] = [await read(), await tree()];
    await spoil(sitting);

    const about = { device, id: '0123abcd', time: '2026-11-20T03:15:00Z' };
    const steps = model.restore.steps(version, about);
    const own = (line: string) => line.replaceAll('/var/tmp/', `${host.root}/`);
    await writeFile(join(scratch, 'router.tar'), version);
    for (const { where, lines } of steps) {
      for (const line of lines.map(own)) {
        if (line.startsWith('scp')) execFileSync('cp', ['router.tar', host.root], { cwd: scratch });
        else if (where === 'equipment') await connect().exec(line);
      }
    }

    expect(steps[0]?.lines).toEqual([
      'skolo backup show router --version 0123abcd --secrets -o router.tar',
    ]);
    expect(await tree()).toMatchObject({ ...before, 'etc/new': '644 new\n' });
    const kept = execFileSync('tar', ['-tf', join(host.root, 'router-before.tar')]).toString();
    expect(kept).toContain('/etc/hosts\n');
  });

  it('replaces whatever is there', async (context) => {
    const sitting = await sit(context);
    const { host, read, apply, tree, said } = sitting;
    const etc = join(host.root, 'etc');
    const path = fc.constantFrom('a', 'b/c', 'b/d', 'b/e/f', "it's", '-x');
    const node = fc.oneof(
      fc.record({
        text: fc.constantFrom('', 'one\n', 'two\n'),
        mode: fc.constantFrom(0o644, 0o600, 0o4755),
      }),
      fc.record({ target: fc.constantFrom('a', 'b', 'nowhere') }),
    );
    const trees = fc.dictionary(path, node, { maxKeys: 5, noNullPrototype: true });

    async function make(
      nodes: Record<string, { text: string; mode: number } | { target: string }>,
    ) {
      await rm(etc, { recursive: true, force: true });
      await mkdir(etc);
      for (const [name, value] of Object.entries(nodes)) {
        if ('text' in value) await host.write(`etc/${name}`, value.text, value.mode);
        else {
          await mkdir(dirname(join(etc, name)), { recursive: true });
          await symlink(value.target, join(etc, name));
        }
      }
    }

    await fc.assert(
      fc.asyncProperty(trees, trees, async (wanted, other) => {
        await make(wanted);
        const [version, then] = [await read(), await tree()];
        await make(other);
        const before = await tree();
        await apply(version);
        await leftOf(said);
        expect(await tree()).toEqual({ ...before, ...then });
      }),
      { ...runs(2), endOnFailure: true },
    );
  });
});
