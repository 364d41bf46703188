import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../../peer.ts';
import { openSsh } from '../../testing.ts';
import { startOpenwrt } from './openwrt.ts';

const login = { user: 'root', password: 'op3n' };

async function start() {
  const device = await startOpenwrt({ username: 'root', password: 'op3n' });
  onTestFinished(() => device.close());
  async function exec(command: string, stdin = Buffer.alloc(0)) {
    const ssh = await openSsh(device, { ...login, options: ['-T', '-q'], command });
    ssh.endWith(stdin);
    const status = await ssh.ended;
    return { status, output: Buffer.from(ssh.output, 'latin1') };
  }
  return { device, exec };
}

async function unpack(archive: Buffer): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-openwrt-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'backup.tar.gz'), archive);
  execFileSync('tar', ['-xzf', 'backup.tar.gz'], { cwd: dir });
  return dir;
}

describe.skipIf(lacks('ssh'))('the configuration of an OpenWrt router', () => {
  it('is an archive that tar can read', async () => {
    const { device, exec } = await start();

    const { status, output } = await exec('sysupgrade -b -');
    const list = await exec('sysupgrade -l');
    const dir = await unpack(output);

    expect(status).toBe(0);
    expect(list.output.toString().trim().split('\n')).toEqual(
      [...device.contents().keys()].sort().map((name) => `/${name}`),
    );
    for (const [name, content] of device.contents()) {
      expect(await readFile(join(dir, name))).toEqual(content);
    }
  });

  it('is never the same archive twice, for its times', async () => {
    const { exec } = await start();

    const [one, other] = [await exec('sysupgrade -b -'), await exec('sysupgrade -b -')];

    expect(one.output.equals(other.output)).toBe(false);
  });

  it('keeps the archive that is restored', async () => {
    const { device, exec } = await start();
    const { output } = await exec('sysupgrade -b -');

    const { status } = await exec('sysupgrade -r -', output);

    expect(status).toBe(0);
    expect(device.restored()).toEqual(output);
  });
});
