/** Two racks with the same addresses: commands with the rack.yaml of one, and the services of the other. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createTokens,
  startMachineState,
  startPowerCycleDaemon,
  startRouterBackup,
} from '@skolo/scripted-services';
import { expect, it, onTestFinished } from 'vitest';
import { runCommand } from './testing/run-command.ts';

/** rack.yaml of berlin, whose addresses lead to services of rack4. */
async function wrongRack() {
  const tokens = await createTokens();
  const power = await startPowerCycleDaemon({ tokens });
  const backup = await startRouterBackup({ tokens });
  const state = await startMachineState({ tokens });
  const dir = await mkdtemp(join(tmpdir(), 'skolo-berlin-'));
  onTestFinished(async () => {
    for (const { close } of [power, backup, state]) await close();
    await tokens.remove();
    await rm(dir, { recursive: true });
  });
  const yaml = (name: string) => `rack: ${name}
jumphost: { name: jumphost, address: 127.0.0.1 }
services:
  power-cycle-daemon: { url: "${power.url}" }
  router-backup: { url: "${backup.url}" }
  machine-state: { url: "${state.url}" }
  alert-to-pubsub: { url: "${power.url}" }
`;
  const files = Object.fromEntries(
    await Promise.all(
      ['berlin', 'rack4'].map(async (name) => {
        await writeFile(join(dir, `${name}.yaml`), yaml(name));
        return [name, join(dir, `${name}.yaml`)] as const;
      }),
    ),
  );
  const token = join(dir, 'token');
  await writeFile(token, tokens.admin, { mode: 0o600 });
  const run = (rack: string, line: string) =>
    runCommand([...line.split(' '), '--rack', files[rack] ?? '', '--token-file', token]);
  return { run, power, state };
}

it('a command with the rack.yaml of another rack changes nothing, shows nothing, and names both racks', async () => {
  const { run, power, state } = await wrongRack();

  for (const line of [
    'power cycle skia-rpi2-rack4-shelf1-003 --reason test',
    'power status',
    'power follow skia-rpi2-rack4-shelf1-003',
    'backup status',
    'machine list',
    'alerts send',
    `power cycle skia-rpi2-rack4-shelf1-003 --reason test --url ${power.url}`,
    `machine list --url ${state.url}`,
  ]) {
    const { out, err, exitCode } = await run('berlin', line);

    expect([exitCode, out, err], line).toEqual([
      1,
      '',
      expect.stringMatching(/this is rack rack[47], not berlin/),
    ]);
  }
  // As of an agent.
  const { out } = await run('berlin', `machine list --agents --url ${state.url}`);
  expect(out).toContain('this is rack rack7, not berlin');
  expect(power.calls).toEqual([]);
  expect((await run('rack4', 'backup status')).err).not.toContain('this is rack');
});
