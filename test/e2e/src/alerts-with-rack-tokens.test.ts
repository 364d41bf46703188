/** alert-to-pubsub signs in to Pub/Sub with what the rack's own metadata server gives it: both as their images run. */
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startProxy, tempDir } from '@skolo/base/testing';
import { selfSignedCertificate, startGooglePubSub } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { startGoogle } from './google.ts';
import { startService } from './service-process.ts';

const scope = 'https://www.googleapis.com/auth/pubsub';
const topic = 'projects/my-project/topics/prometheus-alerts';
const host = 'pubsub.googleapis.com';

/** Pub/Sub under its own name, for whoever trusts the certificate and comes by the proxy. */
async function startPubSub(dir: string, accepts: (token: string) => boolean) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const certificate = selfSignedCertificate({
    publicKey,
    privateKey,
    commonName: host,
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
  });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const pubsub = await startGooglePubSub({
    tls: { key, certificate },
    accepts: (token) => token !== undefined && accepts(token),
  });
  onTestFinished(() => pubsub.close());
  const trusted = join(dir, 'pubsub.crt');
  await writeFile(trusted, certificate);
  return { pubsub, trusted, proxy: await startProxy(() => pubsub.port) };
}

it("publishes with tokens of the rack's metadata server, also when that is gone for a while", async () => {
  const dir = await tempDir();
  const rackFile = join(dir, 'rack.yaml');
  const writeRack = (metadataServer: string) =>
    writeFile(
      rackFile,
      `rack: rack4
jumphost: { name: jumphost-rack4, address: 127.0.0.1, identity: jumphost }
identities:
  jumphost: { project: my-project, scopes: [${scope}], credentials: { serviceAccountKey: jumphost.json } }
services:
  metadata-server: { ${metadataServer} }
  alert-to-pubsub: { credentials: metadata }
`,
    );
  const flags = (name: string) => ['--rack', rackFile, '--state-dir', join(dir, name)];
  const google = await startGoogle('jumphost', join(dir, 'jumphost.json'));
  const { pubsub, trusted, proxy } = await startPubSub(dir, (token) =>
    google.isValid(token, scope),
  );
  await writeRack('');
  const metadata = await startService('metadata-server', flags('metadata'));
  await writeRack(`url: '${metadata.url}'`);
  const alerts = await startService('alert-to-pubsub', flags('alerts'), {
    // What gRPC trusts in place of what Node does.
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: trusted,
    grpc_proxy: `http://${proxy.host}`,
  });
  const post = async (alertname: string) => {
    const body = JSON.stringify([{ labels: { alertname } }]);
    return (await fetch(`${alerts.url}/api/v2/alerts`, { method: 'POST', body })).status;
  };
  const arrived = () =>
    pubsub
      .published(topic)
      .filter(({ attributes }) => attributes.kind !== 'heartbeat')
      .map(({ attributes }) => attributes.alertname);

  expect(await post('Disk')).toBe(200);
  await expect.poll(arrived).toEqual(['Disk']);
  await metadata.end('SIGKILL');
  expect(await post('Heat')).toBe(200);
  await expect.poll(arrived).toEqual(['Disk', 'Heat']);

  expect(new Set(proxy.connects)).toEqual(new Set([`CONNECT ${host}:443`]));
  expect(google.issued.map(({ account }) => account)).toEqual([
    'jumphost@my-project.iam.gserviceaccount.com',
  ]);
});
