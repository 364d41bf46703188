/** What is known of a device besides what it runs: what it would boot with, how old its ssh is, how long it may take. */
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { listen } from '@skolo/base/testing';
import { type EdgeSwitchOptions, startEdgeSwitch } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Lab, startIdleLab, startLab } from '../testing/lab.ts';

const text = (line: string) => `hostname router\npassword canary-${line}\nend\n`;

describe('a device that would boot with another configuration', () => {
  it('has both in the history, and one can be compared with the other', async () => {
    const lab = await startIdleLab();
    const router = lab.devices.get('router');
    router.text = text('new');
    router.startup = text('old');

    const { equipment } = await lab.run('router');

    expect(equipment[0]).toMatchObject({ result: 'changed', unsaved: true });
    const shown = await lab.device('router');
    expect(shown).toMatchObject({
      unsaved: true,
      startup: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
    const { diff, from } = await lab.admin.diff({
      params: { equipment: 'router' },
      query: { from: 'startup', to: 'latest', secrets: 'true' },
    });
    expect(from).toMatchObject({ id: shown.startup, equipment: 'router.startup', model: 'frr' });
    expect(diff).toContain('-password canary-old\n+password canary-new');
    const masked = await lab.admin.diff({
      params: { equipment: 'router' },
      query: { from: 'startup', to: 'latest' },
    });
    expect(masked.diff).toMatch(/^-password <secret \w+>$/m);
    // Read again, it is the same version; and once it is saved, it is one configuration again.
    await lab.run('router');
    expect((await lab.device('router')).startup).toBe(shown.startup);
    expect(await lab.metrics()).toContain('skolo_backup_unsaved{device="router"} 1');
    router.startup = `! up 5 days\n${router.text}`;
    await lab.run('router');
    const saved = await lab.device('router');
    expect(saved.unsaved).toBe(false);
    expect(saved.startup).toBeUndefined();
  });

  it('differs from one of which no other configuration was ever read', async () => {
    const lab = await startIdleLab();

    await expect(
      lab.admin.diff({ params: { equipment: 'router' }, query: { from: 'startup', to: 'latest' } }),
    ).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining('does not contain a startup configuration'),
    });
  });
});

async function startSwitches(options: Partial<EdgeSwitchOptions>): Promise<Lab> {
  const device = await startEdgeSwitch({
    username: 'ubnt',
    password: 'canary',
    ports: 4,
    ...options,
  });
  onTestFinished(() => device.close());
  return await startLab({
    isFake: false,
    yaml: `logins:
  switches: { username: ubnt, password: password, legacySsh: true }
equipment:
  switch-1: { model: edgeswitch, address: 127.0.0.1, ports: { ssh: ${device.port} }, login: switches }
`,
    settings: '    jumphost: { backup: false }',
    prepare: (stateDir) => writeFile(join(stateDir, '../password'), 'canary\n', { mode: 0o600 }),
  });
}

describe('ssh of a device', () => {
  it('that agrees only on old algorithms is reported', async () => {
    const lab = await startSwitches({ legacyOnly: true });
    await lab.run('switch-1');

    const { legacyAlgorithms, state } = await lab.device('switch-1');

    expect(state).toBe('ok');
    expect(legacyAlgorithms).toContain('diffie-hellman-group14-sha1');
  });

  it('that has newer ones is not, whatever its login allows', async () => {
    const lab = await startSwitches({});
    await lab.run('switch-1');

    expect((await lab.device('switch-1')).legacyAlgorithms).toEqual([]);
  });
});

it('time-outs are those of the device where rack.yaml gives it its own', async () => {
  const silent = createServer((socket) => void socket.on('error', () => undefined));
  const port = await listen(silent);
  const lab = await startLab({
    isFake: false,
    yaml: `logins:
  switches: { username: ubnt, password: password }
equipment:
  switch-1: { model: edgeswitch, address: 127.0.0.1, ports: { ssh: ${port} }, login: switches, backup: { idleSeconds: 1 } }
`,
    settings: '    jumphost: { backup: false }',
    prepare: (stateDir) => writeFile(join(stateDir, '../password'), 'canary\n', { mode: 0o600 }),
  });

  const { equipment } = await lab.run('switch-1');

  expect(equipment[0]).toMatchObject({ failure: 'timeout', detail: expect.stringMatching(/ 1 s/) });
});
