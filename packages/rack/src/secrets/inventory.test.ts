import { describe, expect, it } from 'vitest';
import { exampleRack, smallRack } from '../testing/example.ts';
import { rackSecrets } from './inventory.ts';

const text = `identities:
  bots: { project: my-project, credentials: { serviceAccountKey: secrets/bots.json } }
access: { tokens: { file: secrets/tokens.yaml }, agents: { privateKey: secrets/agents } }
secrets: { shared: { k3s-token: etc/k3s-node-token } }
logins:
  switches: { username: admin, password: secrets/switch, enablePassword: { env: SWITCH_ENABLE } }
  machines: { username: root, privateKey: ./secrets/id }
machines:
  rpi-001: { kind: rpi, address: 192.168.1.101, login: machines, device: { kind: android } }
services:
  metadata-server: { tls: { cert: tls/cert.pem, key: tls/key.pem } }
  router-backup: { powerToken: secrets/power, encrypt: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p] }
  power-cycle-daemon: { repair: { enabled: true } }
  alert-to-pubsub: { sinks: [{ name: chat, kind: http, url: "https://example.com" }], auth: { bearer: secrets/alerts } }
`;

describe('the secrets of a rack', () => {
  const all = rackSecrets(smallRack(text));
  const named = (name: string) => all.find((secret) => secret.name === name);

  it('have a kind by what rack.yaml uses them for', () => {
    expect(all.map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
      'SWITCH_ENABLE: password',
      'adbkey: adb-key',
      'adbkey.pub: adb-public-key',
      'age-identity: age-identity',
      'agents: agent-key',
      'alertmanager-token: api-token',
      'alerts: token',
      'bots.json: service-account-key',
      'id: ssh-key',
      'k3s-token: k3s-token',
      'power: api-token',
      'rack-key: rack-key',
      'switch: password',
      'tls.cert.pem: certificate',
      'tls.key.pem: tls-key',
      'tokens.yaml: token-file',
    ]);
  });

  it('include the key that authenticates off-site copies, which rack.yaml does not name', () => {
    const copied = (upload: string) =>
      rackSecrets(smallRack(`services: { router-backup: { encrypt: none${upload} } }\n`));

    expect(
      copied(', upload: /mnt/backups').find(({ name }) => name === 'backup-key'),
    ).toMatchObject({
      kind: 'backup-key',
      place: 'small/backup-key',
      paths: ['secrets/backup-key'],
      keys: [{ namespace: 'skolo', secret: 'router-backup', key: 'backup-key' }],
    });
    expect(copied('').map(({ name }) => name)).not.toContain('backup-key');
  });

  it('go to the Secret of each service that reads them, and to the units on the jumphost', () => {
    expect(named('SWITCH_ENABLE')).toEqual({
      name: 'SWITCH_ENABLE',
      kind: 'password',
      place: 'small/SWITCH_ENABLE',
      where: ['logins.switches.enablePassword'],
      paths: [],
      isVariable: true,
      logins: ['switches'],
      users: ['router-backup', 'power-cycle-daemon'],
      keys: [
        { namespace: 'skolo', secret: 'router-backup', key: 'SWITCH_ENABLE' },
        { namespace: 'skolo', secret: 'power-cycle-daemon', key: 'SWITCH_ENABLE' },
      ],
      files: [
        {
          unit: 'skolo-power-cycle-daemon.service',
          path: '/etc/skolo/power-cycle-daemon/environment',
          variable: 'SWITCH_ENABLE',
          gid: 10_001,
        },
      ],
    });
    expect(named('tls.key.pem')?.files).toEqual([
      {
        unit: 'skolo-metadata-server.service',
        path: '/etc/skolo/metadata-server/tls/key.pem',
        gid: 0,
      },
    ]);
    expect(named('agents')?.users).toEqual(['power-cycle-daemon', 'machine-state']);
    expect(named('alerts')).toMatchObject({
      users: ['alert-to-pubsub', 'alertmanager', 'prometheus'],
      keys: [{ key: 'alerts' }, { key: 'alert-to-pubsub' }, { key: 'alert-to-pubsub' }],
    });
  });

  it('are shared by racks where rack.yaml says so', () => {
    expect(named('k3s-token')?.place).toBe('etc/k3s-node-token');
    expect(named('switch')?.place).toBe('small/switch');
  });

  it('have one entry for a file that several logins use', () => {
    const found = rackSecrets(exampleRack()).find(({ name }) => name === 'id_ed25519');

    expect(found).toMatchObject({ kind: 'ssh-key', logins: ['router', 'machines'] });
  });
});
