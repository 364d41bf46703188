/** The jumphost is power-cycled by a daemon that a workstation starts on another machine, through a real sshd. */
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Secret } from '@skolo/base/secrets';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { newToken } from '@skolo/common';
import { openJumphost } from '@skolo/fleet';
import { startWorkstation } from '@skolo/fleet/testing';
import { rackForDaemonOn } from '@skolo/rack/edit';
import { openHost } from '@skolo/setup/engine';
import {
  type DaemonPlace,
  daemonNeeds,
  startSpareDaemon,
  stopSpareDaemon,
} from '@skolo/setup/jumphost';
import { lacks, startApcRpdu2 } from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

const main = fileURLToPath(
  new URL('../../../services/power-cycle-daemon/src/main.ts', import.meta.url),
);

describe.skipIf(lacks('root', 'sshd', 'ssh'))('through sshd of a spare', () => {
  it('turns the outlet of the jumphost off and on, and leaves no secret behind', async () => {
    const { workstation, place, board, start, request } = await lab();
    const spare = await workstation();
    const url = await start(spare);

    expect(await request(spare, url, 'spare-rack4')).toMatchObject({ status: 404 });
    expect(await request(spare, url, 'pdu-1/2')).toMatchObject({
      status: 409,
      body: expect.stringContaining('spare-rack4, where this daemon runs, depends on pdu-1/2'),
    });
    expect(await request(spare, url, 'jumphost-rack4')).toMatchObject({ status: 202 });
    await vi.waitFor(() => expect(board.isOn('1')).toBe(false));
    await vi.waitFor(() => expect(board.isOn('1')).toBe(true));
    await stopSpareDaemon(spare.host, place);

    expect(board.isOn('2')).toBe(true);
    await expect(access(place.folder)).rejects.toThrow('ENOENT');
    expect(await readdir(place.state)).not.toEqual([]);
  });

  it('turns it on also when the workstation is gone, and a second one continues', async () => {
    const { workstation, place, board, start, request } = await lab();
    const first = await workstation();
    const url = await start(first);
    await request(first, url, 'jumphost-rack4');
    await vi.waitFor(() => expect(board.isOn('1')).toBe(false));

    await first.close();
    const second = await workstation();
    await start(second);

    await vi.waitFor(() => expect(board.isOn('1')).toBe(true));
    await stopSpareDaemon(second.host, place);
  });

  it('says why it does not start', async () => {
    const { workstation, place, start } = await lab();
    const spare = await workstation();

    await expect(start(spare, { ...place, program: ['/nowhere/node', main] })).rejects.toThrow(
      '/nowhere/node is missing; run skolo jumphost prepare',
    );
    await expect(
      start(spare, { ...place, program: [process.execPath, '/dev/null'] }),
    ).rejects.toThrow('the daemon did not start on this machine');
    await expect(access(place.folder)).rejects.toThrow('ENOENT');
  });
});

async function lab() {
  const { signal } = new AbortController();
  const dir = await tempDir();
  const pdu = untilTestEnds(await startApcRpdu2());
  const place: DaemonPlace = {
    program: [process.execPath, main],
    folder: join(dir, 'run'),
    state: join(dir, 'state'),
  };
  onTestFinished(async () => {
    const pid = await readFile(join(place.folder, 'pid'), 'utf8').catch(() => undefined);
    if (pid !== undefined) process.kill(-Number(pid), 'SIGTERM');
  });
  const text = `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.9, power: pdu-1/1 }
logins:
  pdus: { snmp: { version: 2, community: secrets/private }, read: readers }
  readers: { snmp: { version: 2, community: secrets/public } }
equipment: { pdu-1: { model: apc-rpdu2, address: 127.0.0.1, port: ${pdu.port}, login: pdus } }
machines: { spare-rack4: { kind: host, address: 127.0.0.8, power: pdu-1/2 } }
`;
  const file = join(dir, 'rack.yaml');
  const tokenFile = join(dir, 'tokens.yaml');
  const named = { name: 'ann', role: 'operate', expiresInDays: 1, now: Date.now() } as const;
  const token = await newToken(tokenFile, named);
  const tokens = await readFile(tokenFile, 'utf8');

  async function workstation() {
    const { rack, env, close } = await startWorkstation();
    onTestFinished(close);
    const spare = untilTestEnds(await openJumphost(rack, { env, mayAsk: false, signal }));
    const onSpare = (script: string, stop: AbortSignal) =>
      spare.startOnJumphost(script, { stdio: 'pipe' }, stop);
    return { ...spare, host: await openHost({ name: 'spare', start: onSpare, signal }) };
  }

  type Spare = Awaited<ReturnType<typeof workstation>>;

  async function start(spare: Spare, at = place) {
    const seen = rackForDaemonOn(text, 'spare-rack4', file);
    const needs = await daemonNeeds(seen, tokens, async ({ name }) => new Secret(name));
    return await startSpareDaemon(spare.host, needs, at);
  }

  async function request(spare: Spare, url: string, machine: string) {
    const answer = await spare.fetch(`${url}/v1/power-cycles`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ machines: [machine], reason: 'hangs', mode: 'hard', offSeconds: 3 }),
    });
    return { status: answer.status, body: await answer.text() };
  }

  return { workstation, place, board: pdu.board, start, request };
}
