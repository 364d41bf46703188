/**
 * All five services as one rack, in a network of the test's own. The jumphost is a network namespace with four of them
 * in it, as the node is to the pods of a real one; each machine is one, too.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { untilTestEnds } from '@skolo/base/testing';
import type { ServiceName } from '@skolo/rack';
import {
  makeServiceAccountKey,
  startGoogleOAuth,
  startGooglePubSub,
  startSwarming,
} from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { root } from '../paths.ts';
import { baseName } from './base.ts';
import { imageName } from './build.ts';
import { startContainer } from './container.ts';
import { readPod } from './pod.ts';
import { type Relay, type RelayOptions, startRelay } from './relay.ts';
import { becomesReady, type TestEngine, theEngine } from './testing.ts';

// For tests of devices (RFC 2544), so that no network of the computer is meant.
const subnet = '198.18.64.0/24';
const jumphost = '198.18.64.8';
const scope = 'https://www.googleapis.com/auth/userinfo.email';
const accounts = {
  bots: 'bots@my-project.iam.gserviceaccount.com',
  hosts: 'hosts@my-project.iam.gserviceaccount.com',
};
const topic = 'projects/my-project/topics/prometheus-alerts';
const token = '/computeMetadata/v1/instance/service-accounts/default/token';

const rackYaml = (swarmingPort: number) => `rack: rack4
network: { subnet: ${subnet} }
jumphost: { name: jumphost-rack4, address: ${jumphost} }
identities:
  bots: { project: my-project, scopes: [${scope}], credentials: { serviceAccountKey: secrets/bots.json } }
  hosts: { project: my-project, scopes: [${scope}], credentials: { serviceAccountKey: secrets/hosts.json } }
machines:
  rpi-1: { kind: rpi, address: 198.18.64.101, identity: bots }
  host-1: { kind: host, address: 198.18.64.50, identity: hosts }
services:
  alert-to-pubsub: { project: my-project }
  swarming-client:
    server: http://127.0.0.1:${swarmingPort}
    botDir: /b/s
    backoffSeconds: { first: 0.1, most: 1 }
    afterTask: { reboot: false }
`;

/** What the cloud has, on this computer's loopback. */
async function startClouds() {
  const google = untilTestEnds(await startGoogleOAuth());
  const keys = Object.entries(accounts).map(([name, email]) => {
    const key = makeServiceAccountKey({ email, project: 'my-project', tokenUri: google.tokenUrl });
    google.addServiceAccountKey(key);
    return [name, key] as const;
  });
  const pubsub = untilTestEnds(await startGooglePubSub({ topics: [topic] }));
  const hooks = join(root, 'services/swarming-client/python/skolo_bot_config.py');
  const swarming = await startSwarming({
    accepts: (given, bot) => bot === 'rpi-1' && given !== undefined && google.isValid(given, scope),
    hookScript: await readFile(hooks, 'utf8'),
  });
  onTestFinished(() => swarming.close());
  return { google, keys, pubsub, swarming };
}

/** A namespace of the network with an address, and a way to what the cloud has, on loopback as here. */
async function joinNetwork(
  { access, docker }: TestEngine,
  network: string,
  address: string,
  more: Pick<RelayOptions, 'ports'> & { args?: string[] } = {},
): Promise<Relay> {
  const relay = await startRelay({
    docker,
    image: baseName('amd64'),
    dir: access.dir,
    network: ['--network', network, '--ip', address, ...(more.args ?? [])],
    ...(more.ports && { ports: more.ports }),
  });
  onTestFinished(() => relay.close());
  return relay;
}

it('gives each machine its identity, runs its bot, and delivers an alert', async ({ skip }) => {
  const engine = theEngine(skip);
  const { access, docker } = engine;
  const { google, keys, pubsub, swarming } = await startClouds();
  const portOf = (url: string) => Number(new URL(url).port);
  const network = `${access.prefix}-rack`;
  await docker(['network', 'create', '--internal', '--subnet', subnet, network]);
  onTestFinished(() => docker(['network', 'rm', network]).then(() => {}));

  const etc = join(access.dir, 'rack');
  await mkdir(join(etc, 'secrets'), { recursive: true });
  await writeFile(join(etc, 'rack.yaml'), rackYaml(swarming.port));
  for (const [name, key] of keys) {
    await writeFile(join(etc, 'secrets', `${name}.json`), JSON.stringify(key));
  }
  const oauthPort = portOf(google.url);
  const host = await joinNetwork(engine, network, jumphost, {
    ports: { [oauthPort]: oauthPort, [pubsub.port]: pubsub.port },
    // As on a node's network: low ports are not for everybody.
    args: ['--sysctl', 'net.ipv4.ip_unprivileged_port_start=1024'],
  });
  const pi = await joinNetwork(engine, network, '198.18.64.101', {
    ports: { [swarming.port]: swarming.port },
    args: ['--add-host', `metadata:${jumphost}`],
  });
  const other = await joinNetwork(engine, network, '198.18.64.50');
  const stranger = await joinNetwork(engine, network, '198.18.64.200');

  async function start(service: ServiceName, at: Relay, args: string[] = []) {
    const pod = await readPod(service, etc);
    const image = imageName(access, service, 'amd64');
    const network = ['--network', `container:${at.container}`];
    const container = await startContainer(access, image, [...network, ...pod.args, ...args]);
    onTestFinished(() => container.remove());
    const url = `http://127.0.0.1:${pod.metricsPort}`;
    return { container, ready: () => becomesReady(container, at, url) };
  }
  const started = [
    await start('metadata-server', host),
    await start('power-cycle-daemon', host),
    await start('router-backup', host),
    await start('alert-to-pubsub', host, [`--env=PUBSUB_EMULATOR_HOST=127.0.0.1:${pubsub.port}`]),
  ];
  for (const { ready } of started) await ready();

  const asked = (from: Relay) =>
    from.fetch(`http://${jumphost}${token}`, { headers: { 'Metadata-Flavor': 'Google' } });
  const accountOf = async (from: Relay) => {
    const { status, body } = await asked(from);
    return status === 200
      ? google.issued.find(({ token }) => body.includes(token))?.account
      : status;
  };
  await expect.poll(() => accountOf(pi)).toBe(accounts.bots);
  await expect.poll(() => accountOf(other)).toBe(accounts.hosts);
  expect(await accountOf(stranger)).toBe(403);

  const agent = await start('swarming-client', pi, [
    ...['--env', 'SKOLO_MACHINE=rpi-1', '--tmpfs', '/b/s:exec', '--tmpfs', '/tmp:exec'],
  ]);
  await agent.ready();
  const task = swarming.addTask({ python: 'print("done")' });
  await expect.poll(() => swarming.task(task).state).toBe('completed');
  expect(swarming.task(task).output).toContain('done');

  const alert = await other.fetch(`http://${jumphost}:8001/api/v2/alerts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ labels: { alertname: 'Disk' } }]),
  });
  expect(alert.status).toBe(200);
  await expect
    .poll(() => pubsub.published(topic).map(({ attributes }) => attributes.alertname))
    .toContain('Disk');

  for (const { container } of [agent, ...started]) {
    // Work that is under way ends in its own time; SIGKILL would show as 137.
    expect(await container.stop(900)).toMatchObject({ ExitCode: 0 });
  }
});
