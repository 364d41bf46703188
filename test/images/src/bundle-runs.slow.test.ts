/** Bundles do what the packages do that they are made of, with what these load late, by path, or natively. */

import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { startGroupServer, startTcpServer } from '@skolo/equipment/transports/testing/ssh-packets';
import type { ServiceName } from '@skolo/rack';
import {
  makeServiceAccountKey,
  peer,
  startApcRpdu2,
  startBroker,
  startEdgeSwitch,
  startGoogleOAuth,
  startGooglePubSub,
  startGoogleStorage,
  startMqttPlug,
  startSwarming,
} from '@skolo/simulators';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { skolo, startBundle } from './bundle-process.ts';
import { bundle, version } from './bundles.ts';
import { root } from './paths.ts';

const scope = 'https://www.googleapis.com/auth/cloud-platform';
/** There is no listener here. */
const noListener = 'http://127.0.0.1:9';
const account = { username: 'admin', password: 'a password of this test' };

const { dir: bundles } = inject('bundles');

/** A folder with a rack.yaml of this service, and what its secrets are. */
async function newRack(yaml: string, files: Record<string, string> = {}) {
  const dir = await tempDir();
  const rackFile = join(dir, 'rack.yaml');
  const write = (more: string) =>
    writeFile(
      rackFile,
      `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost-rack4, address: 127.0.0.1, identity: jumphost }
access: { tokens: { file: tokens.yaml }, anonymousRead: [127.0.0.0/8] }
identities:
  jumphost: { project: my-project, scopes: [${scope}], credentials: { serviceAccountKey: key.json } }
${more}`,
    );
  await write(yaml);
  for (const [name, text] of Object.entries({ 'key.json': '{}', ...files })) {
    await writeFile(join(dir, name), text, { mode: 0o600 });
  }
  const flags = ['--rack', rackFile, '--state-dir', join(dir, 'state')];
  return { dir, rackFile, flags, write };
}

/** Made once by the command: what a service keeps of the user, and the token. */
let user: { tokens: string; token: string } | undefined;

/** A user with the right to change things: variables for `skolo`. */
async function newUser(rackFile: string, dir: string): Promise<Record<string, string>> {
  const tokensFile = join(dir, 'tokens.yaml');
  if (user === undefined) {
    const args = ['token', 'new', 'ann', '--role', 'admin', '--rack', rackFile];
    const token = /skolo_[\w-]+/.exec(await skolo(bundles, args))?.[0] ?? '';
    user = { tokens: await readFile(tokensFile, 'utf8'), token };
  } else await writeFile(tokensFile, user.tokens, { mode: 0o600 });
  await writeFile(join(dir, 'token'), user.token, { mode: 0o600 });
  return { SKOLO_RACK: rackFile, SKOLO_TOKEN_FILE: join(dir, 'token') };
}

async function startGoogle() {
  const google = untilTestEnds(await startGoogleOAuth());
  const key = makeServiceAccountKey({
    email: 'jumphost@my-project.iam.gserviceaccount.com',
    project: 'my-project',
    tokenUri: google.tokenUrl,
  });
  google.addServiceAccountKey(key);
  return { google, key: JSON.stringify(key) };
}

async function ready(metricsUrl: string): Promise<number> {
  return (await fetch(`${metricsUrl}/readyz`)).status;
}

/** It reports the version that it was given, in its log and in its metric. */
async function start(
  name: ServiceName,
  flags: readonly string[],
  { env = {}, dir = bundles, is = version } = {},
) {
  const lines: Record<string, unknown>[] = [];
  const onLine = (line: Record<string, unknown>) => lines.push(line);
  const service = await startBundle(dir, name, flags, { env, onLine });
  const metrics = await (await fetch(`${service.metricsUrl}/metrics`)).text();
  const metric = /^skolo_build_info\{.*version="([^"]*)"/m.exec(metrics)?.[1];
  const said = lines.find(({ msg }) => msg === 'listening')?.version;
  expect({ said, metric }).toEqual({ said: is, metric: is });
  return service;
}

it('power-cycle-daemon, without a given version, has that of the package', async () => {
  const name = 'power-cycle-daemon';
  const dir = await tempDir();
  await bundle(dir, ['--version', '', name]);
  const text = await readFile(join(root, `services/${name}/package.json`), 'utf8');
  const { version: is } = z.object({ version: z.string() }).parse(JSON.parse(text));

  const service = await start(name, (await newRack('')).flags, { dir, is });

  expect(await service.end('SIGTERM')).toBe(0);
});

describe('the bundle of', () => {
  it('metadata-server gives tokens', async () => {
    const { google, key } = await startGoogle();
    const { flags } = await newRack('', { 'key.json': key });
    const service = await start('metadata-server', flags);
    const path = '/computeMetadata/v1/instance/service-accounts/default/token';

    const answer = await fetch(`${service.url}${path}`, {
      headers: { 'metadata-flavor': 'Google' },
    });

    const { access_token: token } = (await answer.json()) as { access_token: string };
    expect(google.isValid(token, scope)).toBe(true);
    await expect.poll(() => ready(service.metricsUrl)).toBe(200);
    expect(await service.end('SIGTERM')).toBe(0);
  });

  it('power-cycle-daemon switches by SNMP, MQTT and ssh', async () => {
    const pdu = untilTestEnds(await startApcRpdu2({ writeCommunity: 'for-this-test' }));
    const broker = untilTestEnds(await startBroker());
    const plug = untilTestEnds(await startMqttPlug({ broker, setOption26: true }));
    const poe = untilTestEnds(await startEdgeSwitch({ ...account, ports: 8 }));
    const { dir, rackFile, flags, write } = await newRack('');
    const yaml = (url: string) => `
logins:
  pdu: { username: any, snmp: { version: 2, community: community } }
  switch: { username: ${account.username}, password: password }
equipment:
  pdu-1: { model: apc-rpdu2, outlets: 8, address: 127.0.0.1, ports: { snmp: ${pdu.port} }, login: pdu }
  plug-1: { model: mqtt-switch, topic: plug, outlets: 1, address: 127.0.0.1, ports: { mqtt: ${broker.port} } }
  switch-1: { model: edgeswitch, portCount: 8, address: 127.0.0.1, ports: { ssh: ${poe.port} }, login: switch }
services: { power-cycle-daemon: { url: "${url}" } }
`;
    await writeFile(join(dir, 'community'), 'for-this-test', { mode: 0o600 });
    await writeFile(join(dir, 'password'), account.password, { mode: 0o600 });
    await write(yaml(noListener));
    const service = await start('power-cycle-daemon', flags);
    await write(yaml(service.url));
    const env = await newUser(rackFile, dir);
    await expect.poll(() => ready(service.metricsUrl)).toBe(200);

    const outlets = ['pdu-1/2', 'plug-1/1', 'switch-1/3'];
    await skolo(bundles, ['power', 'off', ...outlets, '--reason', 'to see it', '--wait'], env);

    expect([pdu.board.isOn('2'), plug.board.isOn('1'), poe.board.isOn('3')]).toEqual([
      ...[false, false, false],
    ]);
    expect(await service.end('SIGTERM')).toBe(0);
  });

  it('power-cycle-daemon limits the groups that a device chooses for ssh', async () => {
    // Prime: https://oeis.org/A000043.
    const prime = Buffer.from((2n ** 4423n - 1n).toString(16), 'hex');
    const device = await startGroupServer({ prime, generator: Buffer.of(2) });
    const { dir, flags, write } = await newRack('');
    await writeFile(join(dir, 'password'), account.password, { mode: 0o600 });
    await write(`
logins: { switch: { username: ${account.username}, password: password } }
equipment:
  switch-1: { model: edgeswitch, portCount: 8, address: 127.0.0.1, ports: { ssh: ${device.port} }, login: switch }
machines: { host-1: { kind: host, power: switch-1/3 } }
`);
    const service = await start('power-cycle-daemon', flags);

    const equipment = async () => await (await fetch(`${service.url}/v1/controllers`)).text();
    await expect.poll(equipment).toContain('chose a Diffie-Hellman group of 4423 bits');

    expect(device.seen).toMatchObject({ request: [2048, 3072, 4096], publicKey: undefined });
    expect(await service.end('SIGTERM')).toBe(0);
  });

  it('power-cycle-daemon ends if it hangs', async () => {
    const device = await startTcpServer((socket) => socket.write('compute 3600000 ms\r\n'));
    const compute = new URL(
      'services/power-cycle-daemon/src/testing/compute.ts',
      `file://${root}/`,
    );
    const { dir, flags, write } = await newRack('');
    await writeFile(join(dir, 'password'), account.password, { mode: 0o600 });
    await write(`
logins: { switch: { username: ${account.username}, password: password } }
equipment:
  switch-1: { model: edgeswitch, portCount: 8, address: 127.0.0.1, ports: { ssh: ${device.port} }, login: switch }
machines: { host-1: { kind: host, power: switch-1/3 } }
`);

    const service = await startBundle(bundles, 'power-cycle-daemon', flags, {
      env: { NODE_OPTIONS: `--import ${compute}` },
    });

    const [code, signal] = await once(service.child, 'exit');
    expect(code ?? signal).toBe('SIGKILL');
  });

  it('router-backup masks texts in a thread, which is a file of its own', async () => {
    const { dir, flags, write } = await newRack('');
    await writeFile(join(dir, 'password'), account.password, { mode: 0o600 });
    await write(`
logins: { switch: { username: ${account.username}, password: password } }
equipment:
  switch-1: { model: frr, address: 127.0.0.1, ports: { ssh: 9 }, login: switch }
`);
    const service = await start('router-backup', flags);

    const detail = async () => {
      const answer = await fetch(`${service.url}/v1/equipment/switch-1`);
      return z.object({ detail: z.string().default('') }).parse(await answer.json()).detail;
    };
    await expect.poll(detail).toContain('connection refused');
    expect(await service.end('SIGTERM')).toBe(0);
  });

  it('router-backup reads by ssh, and stores in git and in Cloud Storage, encrypted', async () => {
    const { google, key } = await startGoogle();
    const storage = await startGoogleStorage({
      buckets: ['backups'],
      accepts: (token) => token !== undefined && google.isValid(token),
    });
    onTestFinished(() => storage.close());
    const device = untilTestEnds(await startEdgeSwitch({ ...account, ports: 8 }));
    const { dir, rackFile, flags, write } = await newRack('', { 'key.json': key });
    const yaml = (url: string) => `
logins: { switch: { username: ${account.username}, password: password } }
equipment:
  switch-1: { model: edgeswitch, portCount: 8, address: 127.0.0.1, ports: { ssh: ${device.port} }, login: switch }
services:
  router-backup:
    url: "${url}"
    upload: gs://backups/rack4
    uploadKey: key.json
    encrypt: [age1sml852a9e9qjcm5eq2tsyh5yfu330uqhn7q5ap29wj6vldg9p5lqjnstcn]
`;
    await writeFile(join(dir, 'password'), account.password, { mode: 0o600 });
    await write(yaml(noListener));
    const service = await start('router-backup', flags, {
      env: { STORAGE_EMULATOR_HOST: storage.url },
    });
    await write(yaml(service.url));
    const env = await newUser(rackFile, dir);

    await skolo(bundles, ['backup', 'run', 'switch-1', '--reason', 'to see it', '--wait'], env);

    const config = await skolo(bundles, ['backup', 'show', 'switch-1'], env);
    expect(config).toContain('!Current Configuration:');
    await expect.poll(() => storage.objects('backups').length).toBeGreaterThan(0);
    const [object] = storage.objects('backups');
    expect(object?.content.toString('latin1')).toMatch(/^age-encryption\.org\/v1/);
    await expect.poll(() => ready(service.metricsUrl)).toBe(200);
    expect(await service.end('SIGTERM')).toBe(0);
  });

  it('alert-to-pubsub publishes, and that of skolo sees it arrive', async () => {
    const topic = 'projects/my-project/topics/prometheus-alerts';
    const pubsub = untilTestEnds(await startGooglePubSub({ topics: [topic] }));
    const { dir, rackFile, flags, write } = await newRack('');
    const yaml = (url: string) => `
services:
  alert-to-pubsub: { url: "${url}", project: my-project, endpoint: "${pubsub.endpoint}" }
`;
    await write(yaml(noListener));
    const service = await start('alert-to-pubsub', flags);
    await write(yaml(service.url));
    const env = await newUser(rackFile, dir);
    await expect.poll(() => ready(service.metricsUrl)).toBe(200);

    await skolo(bundles, ['alerts', 'send'], env);

    const names = pubsub.published(topic).map(({ attributes }) => attributes.alertname);
    expect(names).toContain('SkoloTest');
    expect(await service.end('SIGTERM')).toBe(0);
  });

  it('machine-state serves the console, keeps notes, and writes its history', async () => {
    const { dir, rackFile, flags, write } = await newRack('');
    const yaml = (url: string) => `
machines: { rpi-1: { kind: rpi, address: 127.0.1.1, swarming: { url: "${noListener}" } } }
services: { machine-state: { url: "${url}", alertmanager: none } }
`;
    await write(yaml(noListener));
    const service = await start('machine-state', flags);
    await write(yaml(service.url));
    const env = await newUser(rackFile, dir);
    await expect.poll(() => ready(service.metricsUrl)).toBe(200);

    const index = await (await fetch(service.url)).text();
    const script = /\.\/assets\/[^"]+\.js/.exec(index)?.[0] ?? '';
    expect((await fetch(new URL(script, service.url))).status).toBe(200);
    await skolo(bundles, ['machine', 'note', 'rpi-1', 'a new fan'], env);
    expect(await skolo(bundles, ['machine', 'history', 'rpi-1'], env)).toContain('a new fan');
    expect(await service.end('SIGTERM')).toBe(0);
  });

  it('swarming-client runs the bot, with tokens of that of metadata-server', async ({ skip }) => {
    const python = peer('python3');
    if (!python) return skip('python3 is not installed');
    const { google, key } = await startGoogle();
    const own = join(bundles, 'swarming-client/opt/skolo/services/swarming-client');
    const swarming = await startSwarming({
      hookScript: await readFile(join(own, 'python/skolo_bot_config.py'), 'utf8'),
      accepts: (token) => token !== undefined && google.isValid(token),
    });
    onTestFinished(() => swarming.close());
    const { dir, flags, write } = await newRack('', { 'key.json': key });
    const metadata = await start('metadata-server', flags);
    await writeFile(
      join(dir, 'oauth.json'),
      JSON.stringify({
        url: `${metadata.url}/computeMetadata/v1/instance/service-accounts/default/token`,
        headers: { 'Metadata-Flavor': 'Google' },
      }),
    );
    await write(`
machines: { rpi-1: { kind: rpi, address: 127.0.1.1, device: { kind: none } } }
services:
  power-cycle-daemon: { url: "${noListener}" }
  swarming-client:
    server: ${swarming.url}
    python: ${python}
    botDir: ${join(dir, 'b/s')}
    taskGraceSeconds: 0
    host: { diskLowPercent: 0, diskGoodPercent: 1, hotCelsius: 199, coolCelsius: 198 }
`);
    const task = swarming.addTask({ python: 'import shutil; print(shutil.which("sudo"))' });
    const agent = await start(
      'swarming-client',
      [
        ...[...flags.slice(0, 2), '--state-dir', join(dir, 'agent'), '--machine', 'rpi-1'],
        ...['--hook-port', '0', '--metadata-url', metadata.url],
      ],
      { env: { HOME: dir, SKOLO_OAUTH_CONFIG: join(dir, 'oauth.json') } },
    );

    await expect.poll(() => swarming.task(task).state).toBe('completed');

    expect(swarming.task(task).output).toContain(join(own, 'shim/sudo'));
    expect(await ready(agent.metricsUrl)).toBe(200);
    expect(await agent.end('SIGTERM')).toBe(0);
  });
});
