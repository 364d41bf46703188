/** Computers are sshd on loopback. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Jumphost as Computer, lacks, peer, startJumphost } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runToEnd } from '../program.ts';
import { rack4 } from '../testing/rack4.ts';
import { openComputers } from './open-computers.ts';
import { openJumphost } from './open-jumphost.ts';

const { signal } = new AbortController();

describe.skipIf(lacks('ssh', 'sshd'))('computers of a workstation', () => {
  const names = ['host01', 'host02', 'jumphost-rack4'];
  let folder: string;
  let env: NodeJS.ProcessEnv;
  let all: Computer[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-computers-'));
    const started = await Promise.all(names.map((name) => startJumphost({ name })));
    all = started.filter((each) => each !== undefined);
    const configs = await Promise.all(all.map(({ sshConfig }) => readFile(sshConfig, 'utf8')));
    await writeFile(join(folder, 'ssh_config'), configs.join('\n'));
    const ssh = `#!/bin/sh\nexec '${peer('ssh')}' -F '${join(folder, 'ssh_config')}' "$@"\n`;
    await writeFile(join(folder, 'ssh'), ssh, { mode: 0o755 });
    env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, XDG_RUNTIME_DIR: folder };
  });
  afterAll(async () => {
    for (const each of all ?? []) await each.close();
    await rm(folder, { recursive: true, force: true });
  });

  const target = (name: string) => ({ name, address: '127.0.0.1' });

  it('are reached each by itself: one that hangs delays no other', async () => {
    const wait = all[0]?.relay.inject({ effect: 'wait' });
    const computers = await openComputers({ env, connectMs: 2000 });
    const said = async (name: string) => {
      const child = await computers.start(target(name), `echo I am ${name}`, {}, signal);
      return await runToEnd(() => child);
    };

    await expect(said('host01')).rejects.toThrow('host01: no SSH connection within 2 s');
    // Its connection may take longer than that on a busy computer.
    await expect.poll(() => said('host02')).toMatchObject({ code: 0, stdout: 'I am host02\n' });
    // A connection that has dropped is made again.
    all[1]?.relay.cut();
    wait?.end();
    await expect.poll(() => said('host02')).toMatchObject({ code: 0 });
    await expect.poll(() => said('host01')).toMatchObject({ code: 0, stdout: 'I am host01\n' });
    const [one, two] = await Promise.all(all.map((each) => each.commands()));
    expect(one).toEqual(['echo I am host01']);
    expect(new Set(two)).toEqual(new Set(['echo I am host02']));

    await computers.close();
  });

  it('are reached through a jumphost', async () => {
    const jumphost = await openJumphost(
      { ...rack4, overlay: folder },
      { env, mayAsk: false, signal },
    );
    const computers = await openComputers({ env, jumphost });

    const child = await computers.start(target('host01'), 'echo here; exec sleep 60', {}, signal);
    child.stdout?.once('data', () => all[2]?.relay.cut());

    expect(await runToEnd(() => child)).toMatchObject({ code: 255, stdout: 'here\n' });
    await computers.close();
    await jumphost.close();
  });
});
