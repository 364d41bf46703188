import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmod,
  link,
  mkdir,
  open,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { anyCharacter } from '@skolo/base/durable/any-character';
import { runs, tempDir, testSeed } from '@skolo/base/testing';
import fc from 'fast-check';
import { extract, type Headers, pack } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { memberBytes, memberStream, readTar, type TarMember, tarFault } from './archive.ts';
import { membersToWrite, type NewMember, tarOf, writeTar } from './archive-write.ts';

const owner = { uid: 0, gid: 0 };

function file(name: string, text: string, more: Partial<NewMember> = {}): NewMember {
  const content = Buffer.from(text);
  return { name, type: 'file', mode: 0o640, ...owner, size: content.length, content, ...more };
}

const some: NewMember[] = [
  file('etc/hosts', '127.0.0.1 localhost\n'),
  { name: 'etc', type: 'folder', mode: 0o755, ...owner, size: 0 },
  { name: 'etc/resolv.conf', type: 'link', mode: 0o777, ...owner, size: 0, target: '../run/x' },
  file('etc/empty', ''),
  file(`etc/${'long/'.repeat(60)}name`, 'deep', { mode: 0o4755 }),
  file('etc/größe.conf', 'ü', { uid: 4_000_000, gid: 300_000 }),
];

/** Packed directly with tar-stream, which accepts any name. */
async function hostile(...headers: Headers[]): Promise<Buffer> {
  const tar = pack();
  for (const header of headers) tar.entry(header, header.type === 'file' ? 'x' : undefined);
  tar.finalize();
  return await buffer(tar);
}

describe('an archive', () => {
  it('gives back what was put in, sorted', async () => {
    const bytes = await tarOf(some);
    const members = await readTar({ bytes });

    expect(members.map(({ name }) => name)).toEqual([
      'etc',
      'etc/empty',
      'etc/größe.conf',
      'etc/hosts',
      `etc/${'long/'.repeat(60)}name`,
      'etc/resolv.conf',
    ]);
    expect(members[2]).toMatchObject({ uid: 4_000_000, gid: 300_000, size: 2, type: 'file' });
    expect(members[4]).toMatchObject({ mode: 0o4755 });
    expect(members[5]).toMatchObject({ type: 'link', target: '../run/x' });
    const hosts = members.find(({ name }) => name === 'etc/hosts') as TarMember;
    expect(memberBytes({ bytes }, hosts).toString()).toBe('127.0.0.1 localhost\n');
    expect((await buffer(memberStream({ bytes }, hosts))).toString()).toBe('127.0.0.1 localhost\n');
  });

  it('has the last of several members with one name, as tar unpacks it', async () => {
    const folder = await tempDir();
    const archive = join(folder, 'all.tar');
    const append = (...paths: string[]) =>
      execFileSync('tar', ['-C', folder, '-rf', archive, ...paths]);
    await mkdir(join(folder, 'etc'));
    for (const text of ['first', 'second, longer', 'third']) {
      await writeFile(join(folder, 'etc/config'), text);
      append('etc', './etc/config');
    }
    await rm(join(folder, 'etc/config'));
    await symlink('config.d', join(folder, 'etc/link'));
    append('etc/link');
    await rm(join(folder, 'etc/link'));
    await writeFile(join(folder, 'etc/link'), 'a file now');
    append('etc/link');
    const content = { bytes: await readFile(archive) };
    const members = await readTar(content);

    expect(members.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'etc folder',
      'etc/config file',
      'etc/link file',
    ]);
    await rm(join(folder, 'etc'), { recursive: true });
    execFileSync('tar', ['-C', folder, '-xf', archive]);
    for (const member of members.slice(1)) {
      const unpacked = await readFile(join(folder, member.name));
      expect(memberBytes(content, member)).toEqual(unpacked);
    }
    expect(await readTar({ bytes: await tarOf(await membersToWrite(content)) })).toHaveLength(3);
  });

  it('is the same bytes whatever the order', async () => {
    expect(await tarOf([...some].reverse())).toEqual(await tarOf(some));
  });

  it('is read by GNU tar and tar-stream as it is by us', async () => {
    const dir = await tempDir();
    await writeTar(some, join(dir, 'a.tar'));

    const listed = execFileSync('tar', ['--numeric-owner', '-tvf', join(dir, 'a.tar')], {
      env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    }).toString();
    const names: string[] = [];
    const reader = extract();
    reader.on('entry', ({ name }, stream, next) => {
      names.push(name);
      stream.on('end', next).resume();
    });
    reader.end(await readFile(join(dir, 'a.tar')));
    await new Promise((resolve) => reader.on('finish', resolve));

    expect(names).toHaveLength(6);
    expect(listed).toContain('-rw-r----- 0/0              20 1970-01-01 00:00 etc/hosts\n');
    expect(listed).toContain('-rw-r----- 4000000/300000    2 1970-01-01 00:00 etc/gr');
    expect(listed).toContain('-rwsr-xr-x 0/0');
    expect(listed).toContain('etc/resolv.conf -> ../run/x\n');
  });

  it.each(['gnu', 'ustar', 'pax', 'oldgnu', 'v7'])(
    'of GNU tar is read, format %s',
    async (format) => {
      const dir = await tempDir();
      const long = format === 'v7' ? 'short' : 'd'.repeat(90);
      await mkdir(join(dir, 'root', long), { recursive: true });
      await writeFile(join(dir, 'root', long, 'f'), 'content');
      await chmod(join(dir, 'root', long, 'f'), 0o604);
      await writeFile(join(dir, 'root', 'a'), 'a');
      await link(join(dir, 'root', 'a'), join(dir, 'root', 'z'));
      await symlink('a', join(dir, 'root', 'l'));
      execFileSync('tar', [
        `--format=${format}`,
        '-C',
        join(dir, 'root'),
        '-cf',
        join(dir, 'a.tar'),
        '.',
      ]);
      const content = { file: join(dir, 'a.tar'), size: 0 };

      const members = await readTar(content);
      const written = await tarOf(await membersToWrite(content));

      expect(members.map(({ name }) => name).sort()).toEqual(
        ['.', 'a', long, `${long}/f`, 'l', 'z'].sort(),
      );
      expect(members.find(({ name }) => name === `${long}/f`)).toMatchObject({
        mode: 0o604,
        size: 7,
      });
      const again = await readTar({ bytes: written });
      for (const name of ['a', 'z']) {
        const member = again.find((each) => each.name === name) as TarMember;
        expect([member.type, memberBytes({ bytes: written }, member).toString()]).toEqual([
          'file',
          'a',
        ]);
      }
    },
  );

  it('with large members is written and read through', async () => {
    const dir = await tempDir();
    const chunk = randomBytes(1024 * 1024);
    const sha = createHash('sha256');
    for (let i = 0; i < 30; i++) sha.update(chunk);
    const from = () => Readable.from(Array.from({ length: 30 }, () => chunk));

    const big = file('big', '', { size: 30 * chunk.length, content: from });
    const content = await writeTar([big, file('small', 's')], join(dir, 'a.tar'));

    const [member] = (await readTar(content)) as [TarMember];
    const back = createHash('sha256');
    for await (const part of memberStream(content, member)) back.update(part as Buffer);
    expect(back.digest('hex')).toBe(sha.digest('hex'));
  });

  it('is not written where a content is not as long as was said', async () => {
    const dir = await tempDir();

    await expect(tarOf([file('a', 'abc', { size: 5 })])).rejects.toThrow('Size mismatch');
    await expect(
      writeTar(
        [file('a', 'abc', { size: 2, content: () => Readable.from([Buffer.from('abc')]) })],
        join(dir, 'a'),
      ),
    ).rejects.toThrow('Size mismatch');
  });

  it('that is not written has let go of its file', async () => {
    const pipe = join(await tempDir(), 'pipe');
    execFileSync('mkfifo', [pipe]);
    let isOver = false;

    const writing = writeTar([file('a', 'abc', { size: 5 })], pipe).catch(() => (isOver = true));
    // Its end of the pipe cannot be opened before the reader's; other files can.
    await stat(pipe);
    expect(isOver).toBe(false);
    const reader = await open(pipe);
    await writing;
    // Ends only if no writer is left.
    await reader.readFile();
    await reader.close();

    expect(isOver).toBe(true);
  });

  it('cut anywhere is not whole', async () => {
    const bytes = await tarOf(some);

    for (let length = 0; length < bytes.length; length += 100) {
      expect(await tarFault({ bytes: bytes.subarray(0, length) })).toContain(
        'the archive is not valid',
      );
    }
    expect(await tarFault({ bytes: bytes.subarray(0, -512) })).toContain(
      'half of the end marker is missing',
    );
    expect(await tarFault({ bytes: Buffer.concat([bytes, Buffer.alloc(5000)]) })).toBeUndefined();
    expect(await tarFault({ bytes: Buffer.concat([bytes, Buffer.from('x')]) })).toContain(
      'data after the end marker',
    );
  });

  it('cut in a file is not whole', async () => {
    const dir = await tempDir();
    const content = await writeTar(some, join(dir, 'a.tar'));
    await truncate(join(dir, 'a.tar'), 2000);

    expect(await tarFault(content)).toContain('the archive is not valid');
  });

  const f = { type: 'file' } as const;
  it.each([
    ['points outside the archive', [{ name: '../evil', ...f }]],
    ['points outside the archive', [{ name: 'a/../../evil', ...f }]],
    ['points outside the archive', [{ name: '/etc/passwd', ...f }]],
    ['points outside the archive', [{ name: 'a//b', ...f }]],
    [
      'occurs again after a hard link to it',
      [
        { name: 'a', ...f },
        { name: 'b', type: 'link', linkname: 'a' },
        { name: './a', ...f },
      ],
    ],
    [
      'is a link, but contains other members',
      [
        { name: 'a', type: 'directory' },
        { name: 'a/b', ...f },
        { name: 'a', type: 'symlink', linkname: '/' },
      ],
    ],
    [
      'is inside a link',
      [
        { name: 'a', type: 'symlink', linkname: '/' },
        { name: 'a/b', ...f },
      ],
    ],
    [
      '"a" is a link, but contains other members',
      [
        { name: 'a/b', ...f },
        { name: 'a', type: 'symlink', linkname: '/' },
      ],
    ],
    [
      'is inside a file',
      [
        { name: 'a', ...f },
        { name: 'a/b', ...f },
      ],
    ],
    ['not an earlier file', [{ name: 'a', type: 'link', linkname: 'etc/shadow' }]],
    ['is not a file, directory or link', [{ name: 'a', type: 'block-device', devmajor: 8 }]],
    ['is not a file, directory or link', [{ name: 'a', type: 'fifo' }]],
  ] satisfies [string, Headers[]][])('that %s is rejected: %j', async (why, headers) => {
    expect(await tarFault({ bytes: await hostile(...headers) })).toContain(why);
  });

  it('with too many members is rejected', async () => {
    const bytes = await tarOf(some);

    await expect(readTar({ bytes }, 5)).rejects.toThrow('more than 5 members');
    expect(await readTar({ bytes }, 6)).toHaveLength(6);
  });

  it('with names too deep for the memory is rejected', async () => {
    const headers = Array.from({ length: 30 }, (_, n): Headers => {
      return { name: `${n}/`.padEnd(4000, 'a/'), type: 'directory' };
    });

    expect(await tarFault({ bytes: await hostile(...headers) })).toContain('names are too long');
  });

  it('with any byte changed is read or rejected, and nothing else', async () => {
    const bytes = await tarOf(some);
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(255), async (at, byte) => {
        const changed = Buffer.from(bytes);
        changed[at] = byte;
        const fault = await tarFault({ bytes: changed });
        expect(fault ?? 'the archive is not valid').toContain('the archive is not valid');
      }),
      { numRuns: 300, seed: testSeed() },
    );
  });

  it('keeps any names and contents', async () => {
    const part = fc
      .string({ minLength: 1, maxLength: 40, unit: anyCharacter })
      .filter((text) => !/[/\0]|^\.\.?$/.test(text));
    const members = fc.uniqueArray(
      fc.record({
        name: part,
        mode: fc.nat(0o7777),
        uid: fc.nat(2 ** 31),
        gid: fc.nat(2 ** 31),
        content: fc.uint8Array({ maxLength: 2000 }),
      }),
      { selector: ({ name }) => name, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(members, async (wanted) => {
        const bytes = await tarOf(
          wanted.map((each) => ({
            ...each,
            type: 'file',
            size: each.content.length,
            content: Buffer.from(each.content),
          })),
        );
        const got = (await readTar({ bytes })).map((member) => ({
          ...member,
          content: new Uint8Array(memberBytes({ bytes }, member)),
        }));
        for (const each of wanted) {
          expect(got.find(({ name }) => name === each.name)).toMatchObject(each);
        }
      }),
      runs(500),
    );
  });
});
