import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks, peer } from '../../../peer.ts';
import { type DeviceFault, OutletBoard } from '../../device.ts';
import { Core } from '../core.ts';
import { makeSshKey } from '../host-key.ts';
import { startCliDevice } from '../start.ts';
import { decodeText, encodeText } from '../text-bytes.ts';
import { unixModel } from './model.ts';
import { memoryFiles } from './shell-files.ts';

const odd = Buffer.from('caf\xe9 \xff\r\nGr\xc3\xbc\xc3\x9fe\n', 'latin1');

async function start(fault?: DeviceFault) {
  const core = new Core({ board: new OutletBoard([]) });
  const files = memoryFiles({
    files: { '/config/odd': decodeText(odd), '/config/long': 'line\n'.repeat(1000) },
    configuration: ['/config/long'],
  });
  const { private: key, public: known } = makeSshKey('ed25519');
  const model = unixModel({
    name: 'box',
    core,
    ident: 'dropbear_2022.83',
    box: { motd: '', prompt: '# ', programs: {}, files },
    powerUp: () => {},
  });
  const device = await startCliDevice(model, { username: 'root', authorizedKeys: [known] });
  onTestFinished(() => device.close());
  if (fault) device.faults.set(fault);
  const dir = await mkdtemp(join(tmpdir(), 'skolo-scp-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const identity = join(dir, 'id');
  await writeFile(identity, key, { mode: 0o600 });
  const remote = (path: string) => `root@${device.host}:${path}`;
  async function copy(from: string, to: string): Promise<number | string> {
    const args = ['-O', '-q', '-F', 'none', '-P', String(device.port), '-i', identity];
    args.push('-oStrictHostKeyChecking=no', `-oUserKnownHostsFile=${join(dir, 'known')}`);
    const program = join(dirname(peer('ssh') ?? '/usr/bin/ssh'), 'scp');
    try {
      await promisify(execFile)(program, [...args, from, to]);
      return 0;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  return { dir, files, remote, copy };
}

describe.skipIf(lacks('ssh'))('a device with files, to scp', () => {
  it('gives a file byte for byte', async () => {
    const { dir, remote, copy } = await start();

    const status = await copy(remote('/config/odd'), join(dir, 'got'));

    expect(status).toBe(0);
    expect(await readFile(join(dir, 'got'))).toEqual(odd);
  });

  it('takes a file byte for byte', async () => {
    const { dir, files, remote, copy } = await start();
    await writeFile(join(dir, 'mine'), odd);

    const status = await copy(join(dir, 'mine'), remote('/tmp/yours'));

    expect(status).toBe(0);
    expect(encodeText(files.read('/tmp/yours') ?? '')).toEqual(odd);
  });

  it('says what it does not have, and where it takes nothing', async () => {
    const { dir, remote, copy } = await start();
    await writeFile(join(dir, 'mine'), odd);

    expect(await copy(remote('/config/none'), join(dir, 'got'))).toContain('No such file');
    expect(await copy(join(dir, 'mine'), remote('/nowhere/yours'))).toContain('Permission denied');
  });

  it.each(['drops-mid-configuration', 'cut-short'] as const)('%s', async (fault) => {
    const { dir, remote, copy } = await start(fault);

    expect(await copy(remote('/config/long'), join(dir, 'got'))).not.toBe(0);
  });
});
