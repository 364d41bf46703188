/** A reboot of the jumphost waits for a real power-cycle daemon, through a real sshd. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { type Client, createClient, powerCycleDaemonApi } from '@skolo/api';
import { listen, tempDir, untilTestEnds } from '@skolo/base/testing';
import { newToken } from '@skolo/common';
import { openJumphost } from '@skolo/fleet';
import { startWorkstation } from '@skolo/fleet/testing';
import { parseRack } from '@skolo/rack';
import { jumphostServices } from '@skolo/rack/light';
import { openHost } from '@skolo/setup/engine';
import { rebootJumphost } from '@skolo/setup/jumphost';
import { lacks, type OutletBoard, startApcRpdu2 } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startService } from './service-process.ts';

describe.skipIf(lacks('root', 'sshd', 'ssh'))('through sshd', () => {
  it('waits until an outlet is on again, then for the new boot and the services', async () => {
    const { deps, lines, pdu, reboots } = await lab();
    const { board, faults } = pdu;
    await cycle(deps.power, board, 0.5);
    // It is under way until it has been seen.
    faults.set('ignores-commands');
    const report = (line: string) => {
      lines.push(line);
      if (line === 'rpi-1: being power-cycled') faults.set('ignores-commands', false);
    };

    await rebootJumphost({ ...deps, report });

    expect(board.isOn('1')).toBe(true);
    expect(lines).toEqual([
      'rack4 is on hold: no new power cycles start',
      'rpi-1: being power-cycled',
      'jumphost-rack4 is rebooting',
      'jumphost-rack4: not rebooted yet',
      'jumphost-rack4 has rebooted',
      expect.stringMatching(/^metadata-server: .*connection/),
      'metadata-server: not ready (503)',
      'all services are ready',
    ]);
    expect(await reboots()).toBe(1);
    expect((await deps.power.holds()).holds).toEqual([]);
  });

  it('does not reboot while a cycle does not end, and ends its hold', async () => {
    const { deps, pdu, reboots } = await lab();
    await cycle(deps.power, pdu.board, 600);

    await expect(
      rebootJumphost({ ...deps, limits: { ...deps.limits, quiet: 100 } }),
    ).rejects.toThrow('rack4: rpi-1: being power-cycled');

    expect(await reboots()).toBe(0);
    expect((await deps.power.holds()).holds).toEqual([]);
  });

  it('says why it does not reboot', async () => {
    const { deps, jumphost } = await lab();
    await jumphost.program('systemctl', 'echo "Access denied" >&2; exit 1');

    await expect(rebootJumphost(deps)).rejects.toThrow(
      'jumphost-rack4: Access denied (systemctl reboot)',
    );
  });
});

/** Fulfilled when the outlet is off: a hold ends what has not begun. */
async function cycle(
  power: Client<typeof powerCycleDaemonApi>,
  board: OutletBoard,
  offSeconds: number,
) {
  const body = { machines: ['rpi-1'], reason: 'hangs', mode: 'hard' as const, offSeconds };
  await power.requestCycles({ headers: {}, body });
  await expect.poll(() => board.isOn('1')).toBe(false);
}

async function lab() {
  const dir = await tempDir();
  const pdu = untilTestEnds(await startApcRpdu2());
  const file = join(dir, 'rack.yaml');
  const text = `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
access: { tokens: { file: tokens.yaml } }
logins: { pdus: { snmp: { version: 2, community: community } } }
equipment: { pdu-1: { model: apc-rpdu2, address: 127.0.0.1, port: ${pdu.port}, login: pdus } }
machines: { rpi-1: { kind: rpi, address: 127.0.0.8, power: pdu-1/1 } }
services:
`;
  const ours = '  power-cycle-daemon: { seenBackSeconds: 1 }\n';
  await writeFile(file, `${text}${ours}`);
  await writeFile(join(dir, 'community'), 'private', { mode: 0o600 });
  const named = { name: 'ann', role: 'operate', expiresInDays: 1, now: Date.now() } as const;
  const token = await newToken(join(dir, 'tokens.yaml'), named);
  const daemon = await startService('power-cycle-daemon', [
    ...['--rack', file, '--state-dir', join(dir, 'state')],
  ]);

  const workstation = untilTestEnds(await startWorkstation());
  // The first look after the reboot still sees the old boot.
  const log = join(dir, 'boots');
  await writeFile(log, '');
  await workstation.jumphost.program('systemctl', `echo reboot >> '${log}'`);
  await workstation.jumphost.program(
    'cat',
    `[ -s '${log}' ] && echo look >> '${log}'
if [ "$(grep -c look '${log}')" -gt 1 ]; then echo second; else echo first; fi`,
  );
  const reboots = async () => (await readFile(log, 'utf8')).split('reboot').length - 1;
  const { signal } = new AbortController();
  const jumphost = await openJumphost(workstation.rack, {
    env: workstation.env,
    mayAsk: false,
    signal,
  });
  onTestFinished(jumphost.close);
  const lines: string[] = [];
  const deps = {
    rack: parseRack(`${text}${await startServices()}`, { file }),
    power: createClient(powerCycleDaemonApi, {
      baseUrl: daemon.url,
      token,
      fetch: jumphost.fetch,
    }),
    host: await openHost({
      name: 'jumphost-rack4',
      signal,
      start: (script, stop) => jumphost.startOnJumphost(script, { stdio: 'pipe' }, stop),
    }),
    fetch: jumphost.fetch,
    signal,
    now: Date.now,
    report: (line: string) => void lines.push(line),
    limits: { betweenLooks: 50 },
  };
  return { deps, lines, pdu, reboots, jumphost: workstation.jumphost };
}

/** Their settings: one of them responds to the second look, and is ready at the third. */
async function startServices(): Promise<string> {
  let looks = 0;
  const server = createServer(({ url = '' }, response) => {
    const isLate = url.startsWith('/metadata-server/') && looks < 2;
    if (isLate && ++looks === 1) response.destroy();
    else response.writeHead(isLate ? 503 : 200).end();
  });
  const port = await listen(server);
  return jumphostServices
    .map((name) => `  ${name}: { metricsUrl: "http://127.0.0.1:${port}/${name}" }\n`)
    .join('');
}
