import { generateKeyPairSync } from 'node:crypto';
import { sha256 } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import { parseRack } from '@skolo/rack';
import { rackSecrets } from '@skolo/rack/secrets';
import { makeServiceAccountKey, selfSignedCertificate } from '@skolo/simulators';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { generateValue } from '../values/generate.ts';
import { contentFault } from './content.ts';

const now = Date.parse('2026-11-21T20:00:00Z');
const identity = await generateX25519Identity();
const agentKey = await generateValue('agent-key', '');
const otherAgentKey = (await generateValue('agent-key', '')).value.reveal();
const rack = parseRack(
  `rack: rack4
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
access:
  tokens: { file: secrets/tokens.yaml }
  agents: { privateKey: secrets/agents, publicKey: ${agentKey.public?.text} }
identities:
  bots: { project: my-project, credentials: { serviceAccountKey: secrets/bots.json } }
  fixed: { project: my-project, credentials: { fixed: secrets/fixed.json } }
logins:
  machines: { username: root, privateKey: secrets/id }
  pdus: { snmp: { version: 3, user: skolo, authKey: secrets/snmp } }
machines:
  rpi-001: { kind: rpi, address: 192.168.1.101, login: machines, device: { kind: android } }
services:
  metadata-server: { tls: { cert: tls/cert.pem, key: tls/key.pem } }
  alert-to-pubsub: { credentials: { keyFile: secrets/pubsub.json } }
  router-backup: { powerToken: secrets/power, encrypt: [${await identityToRecipient(identity)}] }
`,
  { file: '/x/rack.yaml' },
);
const secrets = rackSecrets(rack);

const token = `skolo_${'x'.repeat(43)}`;
const hash = sha256(token);
const tokens = (expires: string) =>
  `tokens:\n  - { name: power, role: operate, sha256: ${hash}, created: 2026-01-01T00:00:00Z, expires: ${expires} }\n`;
const [pair, other] = [0, 1].map(() => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const times = { notBefore: new Date('2026-01-01'), notAfter: new Date('2027-01-01') };
  const cert = selfSignedCertificate({ commonName: 'rack4', privateKey, publicKey, ...times });
  return { pem, cert };
});
const user = {
  type: 'authorized_user',
  client_id: 'id',
  client_secret: 'secret',
  refresh_token: 'token',
};
const fixed = (expiry: string) => JSON.stringify({ access_token: 'x', expiry });
const stranger = await generateX25519Identity();
const good: Record<string, string> = {
  'bots.json': JSON.stringify(
    makeServiceAccountKey({ email: 'bots@example.com', tokenUri: 'https://example.com/token' }),
  ),
  'fixed.json': fixed('2027-01-01T00:00:00Z'),
  // The service accepts each type that Google's tools write.
  'pubsub.json': JSON.stringify(user),
  id: (await generateValue('ssh-key', 'c')).value.reveal(),
  agents: agentKey.value.reveal(),
  snmp: 'long-enough',
  'tokens.yaml': tokens('2027-01-01T00:00:00Z'),
  power: token,
  'tls.cert.pem': pair?.cert ?? '',
  'tls.key.pem': pair?.pem ?? '',
  'age-identity': `# public key\n${identity}\n`,
  adbkey: '-----BEGIN PRIVATE KEY-----\n',
};

async function faultOf(name: string, changes: Record<string, string> = {}) {
  const texts = { ...good, ...changes };
  const values = new Map(Object.entries(texts).map(([each, text]) => [each, new Secret(text)]));
  const secret = secrets.find((each) => each.name === name);
  const value = values.get(name);
  if (secret === undefined || value === undefined) throw new Error(`no ${name}`);
  return await contentFault(secret, value, { rack, secrets, values, now });
}

describe('a value', () => {
  it.each(Object.keys(good))('of %s is right', async (name) => {
    expect(await faultOf(name)).toBeUndefined();
  });

  it.each([
    ['bots.json', { 'bots.json': '{"canary":' }, 'JSON'],
    ['pubsub.json', { 'pubsub.json': '{"canary":1}' }, 'not a Google key file'],
    [
      'pubsub.json',
      { 'pubsub.json': JSON.stringify({ ...user, refresh_token: '' }) },
      'refresh_token is missing or invalid',
    ],
    ['fixed.json', { 'fixed.json': 'canary canary' }, 'only a token on one line'],
    ['fixed.json', { 'fixed.json': fixed('2026-11-01T00:00:00Z') }, 'expired on 2026-11-01'],
    ['id', { id: 'canary' }, 'is not a private key'],
    ['agents', { agents: 'canary' }, 'is not an Ed25519 private key'],
    ['agents', { agents: otherAgentKey }, 'but access.agents.publicKey in rack.yaml is '],
    ['snmp', { snmp: 'canary\n' }, 'has fewer than 8 characters'],
    ['tokens.yaml', { 'tokens.yaml': 'canary' }, 'is not a token file'],
    ['tokens.yaml', { 'tokens.yaml': tokens('2026-11-01T00:00:00Z') }, 'expired on 2026-11-01'],
    ['power', { power: 'canary' }, 'is not in tokens.yaml, so services reject it'],
    [
      'tls.key.pem',
      { 'tls.key.pem': other?.pem ?? '' },
      'does not match the certificate tls.cert.pem',
    ],
    ['tls.key.pem', { 'tls.key.pem': 'canary' }, 'is not a private key in PEM format'],
    ['tls.cert.pem', { 'tls.cert.pem': 'canary' }, 'is not a certificate'],
    ['age-identity', { 'age-identity': 'canary' }, 'is not an age identity'],
    ['age-identity', { 'age-identity': stranger }, 'cannot decrypt backups'],
  ])('of %s is wrong: %j', async (name, changes, message) => {
    const fault = await faultOf(name, changes);

    expect(fault).toContain(message);
    expect(fault).not.toContain('canary');
  });
});
