import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, link, mkdir, readdir, readFile, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { mountSmall, tempDir } from '@skolo/base/testing';
import {
  AnswerCut,
  DeviceRejected,
  DeviceTimeout,
  DeviceUnreachable,
} from '@skolo/equipment/transports';
import type { LinuxHost, LinuxHostOptions } from '@skolo/simulators';
import { describe, expect, it, type TestContext } from 'vitest';
import { z } from 'zod';
import { memberStream, readTar, type TarMember } from '../configuration/archive.ts';
import { createMask } from '../configuration/mask.ts';
import { textOf } from '../configuration/text.ts';
import type { Content, Reading } from '../contract/backup.ts';
import { linuxHost, makeBusybox, type SittingHost } from '../testing/linux-host.ts';

interface Sitting extends SittingHost {
  read(): Promise<Reading>;
}

interface Files {
  files?: readonly string[];
  exclude?: readonly string[];
  sudo?: boolean;
}

/** Paths of `files` and `exclude` are below the host's root. */
async function sit(
  context: TestContext,
  about: Files = {},
  options?: LinuxHostOptions,
): Promise<Sitting> {
  const { files = ['/etc/**'], exclude = [], sudo = false } = about;
  const optionsFor = (root: string) => {
    const beneath = (path: string) => (path.startsWith('/') ? `${root}${path}` : path);
    return { files: files.map(beneath), exclude: exclude.map(beneath), sudo };
  };
  const sitting = await linuxHost(context, optionsFor, options);
  return { ...sitting, read: () => sitting.model.read(sitting.connect()) };
}

async function members(
  content: Content,
  { root }: LinuxHost,
): Promise<(TarMember & { path: string })[]> {
  return (await readTar(content)).map((member) => ({
    ...member,
    path: `/${member.name}`.slice(root.length),
  }));
}

async function paths(content: Content, host: LinuxHost): Promise<string[]> {
  return (await members(content, host)).map(({ path }) => path);
}

async function hashIn(content: Content, member: TarMember | undefined): Promise<string> {
  const hash = createHash('sha256');
  if (member) for await (const chunk of memberStream(content, member)) hash.update(chunk);
  return hash.digest('hex');
}

const strange = [
  'with blank.conf',
  'it\'s "quoted".conf',
  String.raw`dev-disk-by\x2duuid.swap`,
  '-rf',
  'größe',
  '*?[x].conf',
  '$(reboot) `x`;&|<>#~!',
  '\ttab',
];

describe('files of a Linux host', () => {
  it.for(['GNU', 'BusyBox'])(
    'are read with mode, owner and links, by tools of %s',
    async (tools, context) => {
      const { host, model, read, scratch } = await sit(context, {
        exclude: ['*.bak', '/etc/cache/**'],
      });
      if (tools === 'BusyBox') await makeBusybox(context, host);
      await host.write('etc/hosts', 'localhost\n');
      // Only root can read all.
      const mode = process.getuid?.() === 0 ? 0o000 : 0o400;
      await host.write('etc/shadow', 'root:*:1::\n', mode);
      await host.write('etc/network/interfaces', 'auto lo\n', 0o4755);
      await host.write('etc/hosts.bak', 'old\n');
      await host.write('etc/cache/x', 'x');
      for (const name of strange) await host.write(`etc/strange/${name}`, `${name}\n`);
      await mkdir(join(host.root, 'etc/empty'));
      await chmod(join(host.root, 'etc/empty'), 0o700);
      await symlink('../run/resolv.conf', join(host.root, 'etc/resolv.conf'));
      await link(join(host.root, 'etc/hosts'), join(host.root, 'etc/same'));
      if (process.getuid?.() === 0) await chown(join(host.root, 'etc/hosts'), 4242, 300_000);

      const { content } = await read();

      const found = new Map((await members(content, host)).map((member) => [member.path, member]));
      expect([...found.keys()].sort()).toEqual(
        [
          ...['cache', 'empty', 'hosts', 'network', 'network/interfaces', 'resolv.conf'],
          ...['same', 'shadow', 'strange'],
          ...strange.map((name) => `strange/${name}`),
        ]
          .map((name) => `/etc/${name}`)
          .sort(),
      );
      expect(found.get('/etc/shadow')).toMatchObject({ type: 'file', mode, size: 11 });
      expect(found.get('/etc/network/interfaces')).toMatchObject({ mode: 0o4755, size: 8 });
      expect(found.get('/etc/empty')).toMatchObject({ type: 'folder', mode: 0o700 });
      expect(found.get('/etc/resolv.conf')).toMatchObject({
        type: 'link',
        target: '../run/resolv.conf',
      });
      for (const path of ['/etc/hosts', '/etc/same']) {
        expect(found.get(path)).toMatchObject({ type: 'file', size: 10 });
        if (process.getuid?.() === 0)
          expect(found.get(path)).toMatchObject({ uid: 4242, gid: 300_000 });
      }
      expect(await model.incomplete(content)).toBeUndefined();
      expect((await readdir(scratch)).filter((name) => /^[0-9a-f-]{36}$/.test(name))).toEqual([]);
    },
  );

  it('are the same bytes, whoever packs them and when', async (context) => {
    const { host, read } = await sit(context);
    await host.write('etc/b', 'b');
    await host.write('etc/a/c', 'c');
    await symlink('b', join(host.root, 'etc/link'));

    const first = await read();
    await host.write('etc/b', 'b');
    const second = await read();
    await makeBusybox(context, host);
    const third = await read();

    expect(second.content).toEqual(first.content);
    expect(third.content).toEqual(first.content);
  });

  it('tell who they belong to', async (context) => {
    const { host, read } = await sit(context);
    await host.write('etc/hosts', '');
    await host.program('uname', 'echo rt-7');
    await host.program(
      'cat',
      'case $1 in /etc/machine-id) echo 0123456789abcdef ;; *) PATH=$REAL cat "$@" ;; esac',
    );

    expect((await read()).identity).toEqual({ serial: '0123456789abcdef', hostname: 'rt-7' });
  });

  it('that match nothing are an incomplete backup, some that do not are none', async (context) => {
    const { host, model, read } = await sit(context, {
      files: ['/etc/*.conf', '/var/lib/x', '/opt/**'],
    });

    const nothing = await read();
    await host.write('etc/a.conf', 'a');
    const something = await read();

    expect(await model.incomplete(nothing.content)).toMatch(/^no file matches \/.*\.conf or /);
    expect(await model.incomplete(something.content)).toBeUndefined();
    expect(await paths(something.content, host)).toEqual(['/etc/a.conf']);
  });

  it('that are large are never in memory', async (context) => {
    const { host, model, read } = await sit(context);
    const large = randomBytes(10 * 1024 * 1024);
    await host.write('etc/large', large);
    await host.write('etc/small', 'small');

    const { content } = await read();

    expect('file' in content && content.size > large.length).toBe(true);
    const [member] = await readTar(content);
    expect(await hashIn(content, member)).toBe(createHash('sha256').update(large).digest('hex'));
    expect(await model.incomplete(content)).toBeUndefined();
  });

  it('are read again when one changes meanwhile', async (context) => {
    const { host, read } = await sit(context);
    await host.write('etc/a', 'a');
    await host.write('etc/b', 'b');
    await host.program(
      'sha256sum',
      `[ -e ${host.root}/done ] || echo new >> ${host.root}/etc/a; touch ${host.root}/done; PATH=$REAL sha256sum "$@"`,
    );

    const { content } = await read();

    const [a, b] = await members(content, host);
    expect([a?.path, a?.size, b?.path, b?.size]).toEqual(['/etc/a', 5, '/etc/b', 1]);
  });

  it('that change all the time are named', async (context) => {
    const { host, read, scratch } = await sit(context);
    await host.write('etc/a', 'a');
    await host.write('etc/log', 'b');
    await host.program('sha256sum', `echo new >> ${host.root}/etc/log; PATH=$REAL sha256sum "$@"`);

    const reading = read();

    await expect(reading).rejects.toThrow(AnswerCut);
    await expect(reading).rejects.toThrow(
      /: 1 file changed during each of 3 readings: \S+\/etc\/log;/,
    );
    expect((await readdir(scratch)).filter((name) => /^[0-9a-f-]{36}$/.test(name))).toEqual([]);
  });

  it('that vanish meanwhile are not there', async (context) => {
    const { host, read } = await sit(context);
    await host.write('etc/a', 'a');
    await host.write('etc/b', 'b');
    await host.program('tar', `rm -f ${host.root}/etc/b; PATH=$REAL tar "$@"`);

    expect(await paths((await read()).content, host)).toEqual(['/etc/a']);
  });

  it('that cannot be read are named, unless they are excluded', async (context) => {
    if (process.getuid?.() !== 0) context.skip('only root can be somebody else');
    const { host, read } = await sit(context, {}, { asNobody: true });
    const other = await sit(
      context,
      { exclude: ['/etc/private/**', 'shadow'] },
      { asNobody: true },
    );
    for (const { write } of [host, other.host]) {
      await write('etc/hosts', 'a');
      await write('etc/shadow', 'secret', 0o600);
      await write('etc/private/key', 'secret');
    }
    for (const { root } of [host, other.host]) await chmod(join(root, 'etc/private'), 0o700);

    const first = await read();
    await chmod(join(host.root, 'etc/private'), 0o755);
    const second = await read();
    const excluding = await other.read();

    const partOf = ({ extent }: Reading) => z.object({ part: z.string() }).parse(extent).part;
    expect(partOf(first)).toMatch(
      /^not all files can be read: \S+\/etc\/private: Permission denied, \S+\/etc\/shadow: Permission denied; make them readable for the account, set `sudo: true`, or exclude these files$/,
    );
    expect(partOf(second)).toMatch(
      /^not all files can be read: \S+\/etc\/shadow: Permission denied;/,
    );
    expect(await paths(first.content, host)).toEqual(['/etc/hosts']);
    expect(await paths(second.content, host)).toEqual([
      '/etc/hosts',
      '/etc/private',
      '/etc/private/key',
    ]);
    expect(await paths(excluding.content, other.host)).toEqual(['/etc/hosts']);
    expect(excluding.extent).toBe('whole');
  });

  it('are read with sudo where that is said', async (context) => {
    const { host, read } = await sit(context, { sudo: true });
    await host.write('etc/hosts', 'a');
    await host.program('sudo', `echo "$1 $2" >> ${host.root}/sudo; shift; exec "$@"`);
    await read();
    const asked = await readFile(join(host.root, 'sudo'), 'utf8');

    await host.program('sudo', 'echo "sudo: a password is required" >&2; exit 1');

    expect(asked).toBe('-n find\n-n tar\n-n sha256sum\n');
    await expect(read()).rejects.toThrow(
      'sudo: a password is required; check `sudo -n` on the host',
    );
  });

  it.for([
    [
      'a name that is not UTF-8',
      Buffer.from('etc/gr\xf6\xdfe', 'latin1'),
      'the name is not valid UTF-8',
    ],
    ['a line break in a name', Buffer.from('etc/a\nb'), 'not all files can be read: b;'],
  ] as const)('with %s are rejected by name', async ([, name, why], context) => {
    const { host, read } = await sit(context);
    await host.write('etc/hosts', '');
    const file = Buffer.concat([Buffer.from(`${host.root}/`), name]);
    await symlink('x', file);

    await expect(read()).rejects.toThrow(why);
  });

  it.for([
    ['is cut', 'PATH=$REAL tar "$@" | head -c 2000', AnswerCut],
    ['says nothing', 'exit 2', DeviceRejected],
    ['is no tar', 'echo "tar: command not found"', AnswerCut],
    ['fails', 'PATH=$REAL tar "$@"; exit 64', DeviceRejected],
    [
      'dies with the session',
      'PATH=$REAL tar "$@" | head -c 2000; kill -9 $SSHD',
      DeviceUnreachable,
    ],
    ['falls silent', 'PATH=$REAL tar "$@" | head -c 2000; exec sleep 20', DeviceTimeout],
  ] as const)('are not read when tar %s', async ([how, script, error], context) => {
    const { host, model, connect, scratch } = await sit(context);
    await host.write('etc/a', randomBytes(3000));
    // Its features are queried first.
    const first = 'case "$*" in */dev) PATH=$REAL exec tar "$@" ;; esac';
    await host.program('tar', `${first}; ${script}`);

    const idle = how === 'falls silent' ? { idleMs: 3000 } : {};
    await expect(model.read(connect(idle))).rejects.toThrow(error);
    expect((await readdir(scratch)).filter((name) => /^[0-9a-f-]{36}$/.test(name))).toEqual([]);
  });

  describe('never fill the disk', () => {
    const mib = 2 ** 20;
    const tooMany = /the archive is not valid: it contains more than 20000 members; exclude files/;
    const tooMuch =
      /more than 32 MiB would be written to disk for one reading, .*; exclude files, or raise/;
    /** A program in place of tar, once its features are known. */
    const endless = (script: string) => async (host: LinuxHost) => {
      await host.write('etc/a', 'a');
      const first = 'case "$*" in */dev) PATH=$REAL exec tar "$@" ;; esac';
      await host.program('tar', `${first}\n${script}`);
    };
    /** 60,000 members of a kind: fewer bytes to send than to write. */
    const members = (kind: string, nameOf: string) =>
      endless(`exec ${process.execPath} -e '
const block = Buffer.alloc(512);
for (let n = 0; n < 60000; n += 1) {
  block.fill(0);
  block.write(${nameOf}, 0);
  block.write("0000644\\0000000000\\0000000000\\00000000000000\\00000000000000\\0        ${kind}target", 100, "latin1");
  block.write("ustar\\x0000", 257, "latin1");
  const sum = block.reduce((a, b) => a + b);
  block.write(sum.toString(8).padStart(6, "0") + "\\0 ", 148, "latin1");
  require("fs").writeSync(1, block);
}
require("fs").writeSync(1, Buffer.alloc(1024));'`);

    const kinds: [string, (host: LinuxHost) => Promise<unknown>, RegExp][] = [
      [
        'hard links',
        async (host) => {
          await host.write('etc/0', randomBytes(mib));
          for (let n = 1; n < 100; n += 1) {
            await link(join(host.root, 'etc/0'), join(host.root, `etc/${n}`));
          }
        },
        tooMuch,
      ],
      [
        'a sparse file',
        async (host) => {
          await host.write('etc/sparse', '');
          await truncate(join(host.root, 'etc/sparse'), 2 ** 42);
        },
        tooMuch,
      ],
      [
        'attempts, each with another content',
        async (host) => {
          await host.write('etc/a', randomBytes(7 * mib));
          await host.program('sha256sum', `echo >> ${host.root}/etc/a; PATH=$REAL sha256sum "$@"`);
        },
        tooMuch,
      ],
      ['tiny files', members('0', '"etc/x" + n'), tooMany],
      ['links', members('2', '"etc/" + n'), tooMany],
      ['the same file again and again', members('0', '"etc/x"'), tooMany],
      ['zeros behind the end', endless('exec cat /dev/zero'), tooMuch],
      ['a name without an end', endless(`printf 'x%.0s' $(seq 90000); exec yes x`), tooMuch],
    ];
    it.for(kinds)('with %s', async ([, prepare, why], context) => {
      const { host, model, connect } = await sit(context);
      const scratch = await tempDir();
      await mountSmall(context, scratch, 'size=36m');
      await prepare(host);

      const reading = model.read(connect({ scratch, diskBytes: 32 * mib }));

      await expect(reading).rejects.toThrow(why);
      expect(await readdir(scratch)).toEqual([]);
    });
  });

  it('have their secrets masked', async (context) => {
    const { host, model, read } = await sit(context);
    const pem = [
      '-----BEGIN OPENSSH PRIVATE KEY-----',
      'canary-1',
      'canary-2',
      '-----END OPENSSH PRIVATE KEY-----',
      '',
    ];
    await host.write('etc/ssh/ssh_host_ed25519_key', pem.join('\n'));
    await host.write('etc/ssl/mixed.pem', ['cert', ...pem, 'public'].join('\n'));
    await host.write('etc/ssl/raw.key', 'canary-3\n');
    await host.write('etc/shadow', 'root:$6$canary-4:19000:0:99999:7:::\nsshd:*:19000::\n');
    await host.write(
      'etc/wireguard/wg0.conf',
      '[Interface]\nPrivateKey = canary-5=\nListenPort = 51820\n[Peer]\nPresharedKey=canary-6=\nPublicKey = shown=\n',
    );
    await host.write('etc/wpa.conf', 'ssid="lab"\npsk="canary-7"\n');
    await host.write('etc/app.ini', 'user=x\npassword = canary-8\n');
    await host.write('etc/ppp/chap-secrets', '# client server secret\nme * canary-9 *\n');
    await host.write('etc/z', 'the end\n');

    const { content } = await read();
    const text = 'bytes' in content ? textOf(content.bytes, 'tar') : '';
    const masked = createMask(Buffer.from('key')).text(text, model.secrets);

    expect(text.match(/canary-\d/g)).toHaveLength(11);
    expect(masked).not.toContain('canary');
    for (const shown of [
      'ListenPort = 51820',
      'PublicKey = shown=',
      'sshd:*:19000',
      'ssid="lab"',
      'cert',
      'public',
      'the end',
    ]) {
      expect(masked).toContain(shown);
    }
  });
});
