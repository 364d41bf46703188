/** `skolo pi kubernetes` as a person uses it: two computers with systemd and sshd, and a fake k3s in front of a real API server. */

import { execFile } from 'node:child_process';
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BareJumphost,
  bridge,
  network,
  startBareJumphost,
  whyNoJumphost,
} from '@skolo/setup/k3s/testing';
import { type Computer, peer } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const why = whyNoJumphost();

describe.skipIf(why)('Pis, booted', () => {
  let pis: BareJumphost;
  let second: Computer;
  let home = '';
  beforeAll(async () => {
    pis = await startBareJumphost({ bridge, place: { name: 'host01', address: `${network}.8` } });
    second = await pis.addSpare({ name: 'host02', address: `${network}.9` });
    home = pis.workstation.env.HOME ?? '';
    await symlink(peer('kubectl') ?? '', join(home, 'bin/kubectl'));
    await writeFile(
      join(home, 'rack.yaml'),
      `rack: pis
network: { subnet: ${network}.0/24 }
jumphost: { name: host01, address: ${network}.8 }
machines:
  host02: { kind: rpi, address: ${network}.9 }
`,
    );
  });
  afterAll(() => pis?.close());

  function skolo(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const env = { ...pis.workstation.env, SKOLO_RACK: join(home, 'rack.yaml') };
    return new Promise((resolve) => {
      execFile(process.execPath, [main, ...args], { env, cwd: home }, (error, out, err) => {
        const code = typeof error?.code === 'number' ? error.code : error ? 1 : 0;
        resolve({ code, out, err });
      });
    });
  }
  const verb = (...args: string[]) => skolo('pi', 'kubernetes', ...args);
  const setUp = (...more: string[]) =>
    verb('setup', '--master', 'host01', '--worker', 'host02', ...way(), ...more);
  const way = () => ['--sign-in-as', 'root', '--files', pis.workstation.files];

  it('get their programs', async () => {
    const { code, out } = await verb('deploy', 'host[01-02]', ...way());

    expect(out).toMatch(/^host01 +changed +\S*program /m);
    expect(code).toBe(0);
  });

  it('become a cluster in the list of racks', async () => {
    expect((await setUp('--check')).out).toMatch(/^host02 +(differs|failed) /m);

    const made = await setUp();

    expect(made).toMatchObject({
      code: 0,
      err: expect.stringContaining('run skolo attach pis to use it'),
    });
    expect(made.out).toMatch(/^host01 +changed .*k3s/m);
    expect(await readFile(join(home, 'kube/clusters/config.json'), 'utf8')).toContain(
      `"address": "${network}.8"`,
    );
    expect((await setUp()).out.match(/^host0[12] +ok /gm)).toHaveLength(2);
    expect((await skolo('attach', 'pis', '--', 'kubectl', 'get', 'nodes')).out).toMatch(
      /host02 +Ready/,
    );
    expect(await setUp('--name', 'others')).toMatchObject({ code: 0 });
    const [, entry] = [await skolo('racks', 'remove', 'others'), await setUp('--master', 'host02')];
    expect(entry).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'already contains a different cluster with this name; choose another name with --name',
      ),
    });
  });

  it('are verified', async () => {
    const { code, out } = await skolo('check', 'cluster', 'pis', '--no-pods');

    expect(out).toMatch(/^API server: ok: ready$/m);
    expect(out).toMatch(/^node \(host\[01-02\]\): ok: ready$/m);
    // The fake k3s's nodes have an invalid address, so the second one is not reached.
    expect(out).toMatch(/^ssh \(host02\): not checked: /m);
    expect(code).toBe(3);
  });

  it('are measured, and compared with the run before', async () => {
    const args = ['bench', 'pis', '--seconds', '1', '--folder', 'runs'];
    await verb(...args);
    const { out } = await verb(...args);

    expect(out).toMatch(/^fsync p99 +host01 +\S+ +ms +\S+ \(.*, 1 run\)/m);
    const kept = await readdir(join(home, 'runs'));
    expect(kept.filter((name) => name.endsWith('.svg'))).toHaveLength(2);
  });

  it('are taken apart when a person agrees', async () => {
    expect(await verb('reset', 'pis')).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /pis: the whole cluster will be removed, including 2 nodes and .*\n.*confirm with '--yes'/,
      ),
    });
    expect(await verb('reset', 'pis', '--node', 'host01', '--yes')).toMatchObject({
      code: 1,
      err: expect.stringContaining(
        'host01: this is the server of pis; omit --node to reset the whole cluster',
      ),
    });

    expect((await verb('reset', 'pis', '--yes')).out).toMatch(
      /^host02 +failed +the node is still running, because .*\nhost01 +failed +kept until all other nodes are removed$/m,
    );

    await second.cutPower();
    await expect
      .poll(async () => (await skolo('attach', 'pis', '--', 'kubectl', 'get', 'nodes')).out)
      .toMatch(/host02 +NotReady/);
    const { code, out } = await verb('reset', 'pis', '--yes');

    expect(code).toBe(0);
    expect(out).toMatch(
      /^host02 +left +removed from the cluster, but its software was not uninstalled: /m,
    );

    expect(out).toMatch(/^host01 +left +pis: removed from /m);
    expect(await readFile(join(home, 'kube/clusters/config.json'), 'utf8')).not.toContain('host01');
  });
});
