import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, powerCycleDaemonApi, swarmingClientApi } from '@skolo/api';
import { agentPublicKey, newAgentKey } from '@skolo/base/secrets';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { agentState, betweenTasks, holdMachine, jobOn, type MachineTasks } from '@skolo/setup/k3s';
import { peer, startAdbServer, startLocalPrograms, startSwarming } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { runCommand } from '../../../packages/cli/src/testing/run-command.ts';
import { startGoogle } from './google.ts';
import { operatorToken, startService } from './service-process.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const scope = 'https://www.googleapis.com/auth/userinfo.email';
const machine = 'rpi-1';

it('gives the bot tokens, lets its task end under a hold, and has the phone power-cycled at its own hub', async ({
  skip,
}) => {
  if (!peer('python3')) skip('python3 is not installed');
  if (!peer('adb')) skip('adb is not installed');
  const dir = await tempDir();
  const file = (name: string) => join(dir, name);

  const google = await startGoogle('bots', file('bots.json'));
  const agentKey = newAgentKey();
  await writeFile(file('agent-key'), agentKey.reveal(), { mode: 0o600 });
  const hooks = join(root, 'services/swarming-client/python/skolo_bot_config.py');
  const swarming = await startSwarming({
    accepts: (token, bot) => bot === machine && token !== undefined && google.isValid(token, scope),
    hookScript: await readFile(hooks, 'utf8'),
  });
  onTestFinished(() => swarming.close());
  const adb = untilTestEnds(await startAdbServer({ phones: [{ serial: 'A1', rebootMs: 200 }] }));
  const programs = untilTestEnds(await startLocalPrograms());
  programs.plug(adb.phone(), 'usb/1-1.2');

  const rackFile = file('rack.yaml');
  const writeRack = (
    urls: { metadata?: string; power?: string; agent?: string },
    taskGraceSeconds = 600,
  ) =>
    writeFile(
      rackFile,
      `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1, identity: bots }
identities:
  bots: { project: my-project, scopes: [${scope}], credentials: { serviceAccountKey: bots.json } }
access:
  tokens: { file: tokens.yaml }
  agents: { privateKey: agent-key, publicKey: ${agentPublicKey(agentKey)} }
  anonymousRead: [127.0.0.0/8]
machines:
  ${machine}:
    kind: rpi
    address: 127.0.1.1
    identity: bots
    device: { kind: android, power: usb/1-1.2 }
    swarming: { url: "${urls.agent ?? 'http://127.0.1.1:11001'}" }
services:
  metadata-server: { url: "${urls.metadata ?? 'http://127.0.0.1:9'}" }
  power-cycle-daemon: { url: "${urls.power ?? 'http://127.0.0.1:9'}" }
  swarming-client:
    server: ${swarming.url}
    python: python3
    botDir: ${file('b/s')}
    backoffSeconds: { first: 0.1, most: 1 }
    readSeconds: 1
    taskGraceSeconds: ${taskGraceSeconds}
    afterTask: { reboot: false }
`,
    );
  const flags = (name: string) => ['--rack', rackFile, '--state-dir', file(name)];
  await writeRack({});
  const metadata = await startService('metadata-server', flags('metadata'));
  const power = await startService('power-cycle-daemon', flags('power'));
  const urls = { metadata: metadata.url, power: power.url };
  await writeRack(urls);
  const skolo = async (...args: string[]) => (await runCommand([...args, '--rack', rackFile])).out;
  const token = await operatorToken(dir);
  await writeFile(file('token'), token, { mode: 0o600 });

  await writeFile(
    file('oauth.json'),
    JSON.stringify({
      url: `${metadata.url}/computeMetadata/v1/instance/service-accounts/default/token`,
      headers: { 'Metadata-Flavor': 'Google' },
    }),
  );
  const agent = await startService(
    'swarming-client',
    [
      ...['--machine', machine, '--metadata-url', metadata.url, '--state-dir', file('agent')],
      ...['--host', '127.0.1.1', '--hook-port', '0'],
    ],
    {
      PATH: `${programs.path}:/usr/bin:${process.env.PATH}`,
      HOME: dir,
      SKOLO_OAUTH_CONFIG: file('oauth.json'),
      ADB_SERVER_SOCKET: `tcp:127.0.0.1:${adb.port}`,
    },
  );
  const known = { ...urls, agent: agent.url.replace('127.0.0.1', '127.0.1.1') };
  await writeRack(known);
  const running = swarming.addTask({
    python: `import os, time
while not os.path.exists('${file('go')}'): time.sleep(0.1)`,
  });
  await expect.poll(() => swarming.task(running).state).toBe('running');
  const daemon = createClient(powerCycleDaemonApi, { baseUrl: power.url, token });
  const status = createClient(swarmingClientApi, { baseUrl: known.agent });
  const reported: string[] = [];
  const report = (text: string) => void reported.push(text);
  const reason = 'a new hat';
  const tasks: MachineTasks = {
    readState: async () => agentState(await status.status()),
    job: () => jobOn(machine, { power: daemon }),
    hold: () => holdMachine(machine, { power: daemon, reason, now: Date.now, report }),
  };
  const times = { taskMs: 400_000, heldMs: 240_000, pollMs: 100 };
  const { signal } = new AbortController();
  let next = '';
  const held = betweenTasks(machine, tasks, { times, report, signal }, async () => {
    await expect.poll(() => swarming.bots.get(machine)?.state.maintenance).toContain(reason);
    return { ...(await tasks.readState()), next: swarming.task(next).state };
  });
  await expect.poll(() => reported.join()).toContain(`${machine}: waiting for the task`);
  // Before, it may begin another task.
  await writeRack(known, 601);
  await expect.poll(tasks.readState).toMatchObject({ isRunning: true, accepts: false });
  next = swarming.addTask({ python: 'print("done")' });
  await writeFile(file('go'), '');

  expect(await held).toMatchObject({ isRunning: false, accepts: false, next: 'pending' });
  expect(swarming.task(running).state).toBe('completed');
  expect((await daemon.holds()).holds).toEqual([]);
  await writeRack(known, 602);
  await expect.poll(() => swarming.task(next).state).toBe('completed');
  expect(swarming.task(next).output).toContain('done');
  // The server knows first.
  await expect.poll(tasks.readState).toMatchObject({ isRunning: false });

  const params = { name: `${machine}-device` };
  await daemon.setBusy({ params, body: { text: 'nightly' } });
  const upgraded = betweenTasks(machine, tasks, { times, report, signal }, async () =>
    (await daemon.holds()).holds.map(({ kind }) => kind),
  );
  await expect.poll(() => reported.at(-1)).toMatch(/waiting for the job of .* \(nightly\)$/);
  await daemon.endBusy({ params });

  expect(await upgraded).toEqual(['out-of-service']);
  // The agent asks for its holds again.
  await writeRack(known, 603);
  await expect.poll(tasks.readState).toMatchObject({ accepts: true });

  const seen = ['on'];
  // Ports that have power together are switched one after the other.
  programs.usb.on('change', () => {
    const state = programs.usb.isOn('usb/1-1.2') ? 'on' : 'off';
    if (state !== seen.at(-1)) seen.push(state);
  });
  const cycled = await skolo(
    ...['power', 'cycle', `${machine}-device`, '--mode', 'hard', '--reason', 'to see it', '--wait'],
    ...['--token-file', file('token')],
  );

  expect(cycled).toContain('a newer USB connection confirms that the power was off');
  expect(seen).toEqual(['on', 'off', 'on']);
  expect(await skolo('machine', 'status', machine)).toContain('ok');
});
