/** `--on RACK`: commands that reach their service through a real sshd. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Desk, startDesk } from '@skolo/fleet/testing';
import { peer } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPowerCycleDaemon } from './testing/power-cycle-daemon.ts';
import { createTokens } from './testing/tokens.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

describe.skipIf(!peer('sshd') || !peer('ssh'))('--on', () => {
  let desk: Desk | undefined;
  const ends: (() => Promise<void>)[] = [];
  let tokenFile = '';

  beforeAll(async () => {
    desk = await startDesk();
    const tokens = await createTokens();
    const daemon = await startPowerCycleDaemon({ tokens });
    ends.push(desk.close, tokens.remove, daemon.close);
    const example = new URL('../testdata/files/rack4.yaml', import.meta.url);
    const text = (await readFile(example, 'utf8')).replace('http://127.0.0.1:4', daemon.url);
    await writeFile(join(desk.rack.overlay, 'rack.yaml'), text);
    tokenFile = join(desk.env.HOME ?? '', 'token');
    await writeFile(tokenFile, tokens.operate, { mode: 0o600 });
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });

  it('is as foreign as anybody: without a token it reads nothing, although the jumphost may', async () => {
    const here = await skolo(
      'power',
      'holds',
      '--rack',
      join(desk?.rack.overlay ?? '', 'rack.yaml'),
    );
    const there = await skolo('power', 'holds', '--on', 'rack4');

    expect(here).toMatchObject({ code: 0 });
    expect(there).toMatchObject({ code: 1, stderr: expect.stringContaining('no token') });
    expect(await desk?.left()).toEqual([]);
  });

  it('does with a token what the command does in the rack', async () => {
    const args = ['--token-file', tokenFile];

    const there = await skolo('power', 'status', '--on', 'rack4', ...args);

    expect(there).toMatchObject({ code: 0, stderr: '' });
    const rack = join(desk?.rack.overlay ?? '', 'rack.yaml');
    expect(there.stdout).toBe((await skolo('power', 'status', '--rack', rack)).stdout);
    expect(await desk?.left()).toEqual([]);
  });

  it('names the rack.yaml of the rack for commands without a service', async () => {
    expect(await skolo('rack', 'check', '--on', 'rack4')).toMatchObject({ code: 0 });
    expect((await skolo('rack', 'check', '--on', 'rack5')).stderr).toContain(
      'kube/racks/rack5/rack.yaml: no such file',
    );
  });

  it('says which service does not answer', async () => {
    const { code, stderr } = await skolo('alerts', 'status', '--on', 'rack4');

    expect(code).toBe(1);
    expect(stderr).toMatch(/^skolo: .*connection refused/);
  });

  function skolo(...args: string[]) {
    return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      const options = { env: desk?.env, cwd: desk?.env.HOME };
      const child = execFile(process.execPath, [main, ...args], options, (_error, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      );
    });
  }
});
