import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { agentPublicKey, newAgentKey } from '@skolo/base/secrets';
import { tempDir } from '@skolo/base/testing';
import { models } from '@skolo/equipment/models';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseRack } from '../read/load.ts';
import { loginSchema } from '../schema/rack-schema.ts';
import { settingsSchemas } from '../schema/settings/settings.ts';
import { checkSecrets, secretReferences } from './references.ts';

const text = `
rack: rack4
jumphost: { name: jumphost-rack4, address: 192.168.1.8, identity: bots }
identities:
  bots:
    project: my-project
    credentials: { serviceAccountKey: secrets/bots.json }
  deploy:
    project: my-project
    credentials:
      impersonate: deploy@my-project.iam.gserviceaccount.com
      from: { refreshToken: /home/ann/adc.json }
access:
  tokens: { file: secrets/tokens.yaml }
  agents: { privateKey: secrets/agents, publicKey: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo }
logins:
  switches: { username: ubnt, password: secrets/switch, enablePassword: { env: SWITCH_ENABLE }, kg: secrets/kg }
  machines: { username: root, privateKey: secrets/id, passphrase: { env: PASSPHRASE } }
  plugs: { token: secrets/plugs }
  pdus: { snmp: { version: 3, user: skolo, authKey: secrets/snmp-auth, privKey: secrets/snmp-priv } }
  old-pdus: { snmp: { version: 1, community: secrets/community } }
services:
  metadata-server: { tls: { cert: tls/cert.pem, key: tls/key.pem } }
  router-backup:
    git: { remote: git@git.example.com:racks/rack4.git, privateKey: secrets/git }
    webhook: { url: "https://example.com/hook", token: { env: HOOK } }
    uploadKey: secrets/bucket.json
    powerToken: secrets/power-token
    encrypt: none
  alert-to-pubsub:
    credentials: { keyFile: secrets/pubsub.json }
    auth: { username: am, password: secrets/alertmanager, bearer: secrets/bearer }
    sinks:
      - { name: log, kind: file, file: /var/log/alerts.json }
      - { name: pager, kind: http, url: "https://example.com", token: secrets/pager, headers: { env: prod, file: x } }
  machine-state: { servicesToken: secrets/reader }
  swarming-client: { ssh: { privateKey: /root/.ssh/id_ed25519 } }
`;

const metadata = {
  'identities.bots.credentials.serviceAccountKey': { file: 'secrets/bots.json' },
  'identities.deploy.credentials.from.refreshToken': { file: '/home/ann/adc.json' },
};
const everyone = { 'access.tokens': { file: 'secrets/tokens.yaml' } };
const logins = {
  'logins.switches.password': { file: 'secrets/switch' },
  'logins.switches.enablePassword': { env: 'SWITCH_ENABLE' },
  'logins.switches.kg': { file: 'secrets/kg' },
  'logins.machines.privateKey': { file: 'secrets/id' },
  'logins.machines.passphrase': { env: 'PASSPHRASE' },
  'logins.plugs.token': { file: 'secrets/plugs' },
  'logins.pdus.snmp.authKey': { file: 'secrets/snmp-auth' },
  'logins.pdus.snmp.privKey': { file: 'secrets/snmp-priv' },
  'logins.old-pdus.snmp.community': { file: 'secrets/community' },
};
const agents = { 'access.agents.privateKey': { file: 'secrets/agents' } };
const tls = {
  'services.metadata-server.tls.cert': { file: 'tls/cert.pem' },
  'services.metadata-server.tls.key': { file: 'tls/key.pem' },
};
const backup = {
  'services.router-backup.git.privateKey': { file: 'secrets/git' },
  'services.router-backup.webhook.token': { env: 'HOOK' },
  'services.router-backup.uploadKey': { file: 'secrets/bucket.json' },
  'services.router-backup.powerToken': { file: 'secrets/power-token' },
};
const alerts = {
  'services.alert-to-pubsub.auth.password': { file: 'secrets/alertmanager' },
  'services.alert-to-pubsub.auth.bearer': { file: 'secrets/bearer' },
  'services.alert-to-pubsub.sinks[1].token': { file: 'secrets/pager' },
  'services.alert-to-pubsub.credentials.keyFile': { file: 'secrets/pubsub.json' },
};
const machineState = { 'services.machine-state.servicesToken': { file: 'secrets/reader' } };

let dir: string;
beforeEach(async () => {
  dir = await tempDir();
});

describe('secretReferences', () => {
  it.each([
    {
      service: undefined,
      expected: [metadata, agents, everyone, logins, tls, backup, alerts, machineState],
    },
    { service: 'metadata-server', expected: [metadata, everyone, tls] },
    { service: 'power-cycle-daemon', expected: [agents, everyone, logins] },
    { service: 'router-backup', expected: [everyone, logins, backup] },
    { service: 'alert-to-pubsub', expected: [everyone, alerts] },
    {
      service: 'machine-state',
      expected: [everyone, machineState, agents],
    },
    { service: 'swarming-client', expected: [everyone] },
  ] as const)('lists what $service reads', ({ service, expected }) => {
    const rack = parseRack(text, { file: join(dir, 'rack.yaml') });

    const found = secretReferences(rack, service);

    expect(found).toHaveLength(new Map(found.map(({ where }) => [where, true])).size);
    expect(Object.fromEntries(found.map(({ where, ref }) => [where, ref]))).toEqual(
      Object.assign({}, ...expected),
    );
  });

  it('finds every secret of the schema: a new one has to be added to the text above', () => {
    const schemas = [
      loginSchema,
      ...Object.values(settingsSchemas),
      ...[...models.values()].map(({ options }) => z.object(options)),
    ];
    // In the JSON Schema each secret has `{ env }` as one of its forms.
    const inSchemas = schemas
      .map((schema) =>
        JSON.stringify(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })),
      )
      .flatMap((json) => json.match(/"properties":{"env":{/g) ?? []);
    const rack = parseRack(text, { file: join(dir, 'rack.yaml') });

    const found = secretReferences(rack)
      .map(({ where }) => where.replace(/^logins\.[^.]*/, 'logins'))
      .filter((where) => /^(logins|services|equipment)\./.test(where))
      .filter((where) => !/\.(tls\.\w+|keyFile)$/.test(where));

    expect(inSchemas.length).toBeGreaterThan(8);
    expect(new Set(found).size).toBe(inSchemas.length);
  });
});

describe('checkSecrets', () => {
  it('says of each whether it can be had and what is unwise about it, and nothing of its content', async () => {
    const rack = parseRack(text, { file: join(dir, 'rack.yaml') });
    await mkdir(join(dir, 'secrets'));
    await mkdir(join(dir, 'tls'));
    await writeFile(join(dir, 'secrets/bots.json'), 'hunter2', { mode: 0o600 });
    await writeFile(join(dir, 'tls/cert.pem'), 'hunter2', { mode: 0o644 });
    await writeFile(join(dir, 'tls/key.pem'), 'hunter2', { mode: 0o644 });

    const checked = await checkSecrets(rack, 'metadata-server', {});

    const shown = checked.map(({ where, error, warnings }) => [where, error?.code, ...warnings]);
    expect(shown).toEqual([
      ['identities.bots.credentials.serviceAccountKey', undefined],
      ['identities.deploy.credentials.from.refreshToken', 'SECRET_MISSING'],
      ['access.tokens', 'SECRET_MISSING'],
      ['services.metadata-server.tls.cert', undefined],
      [
        'services.metadata-server.tls.key',
        undefined,
        expect.stringContaining('accessible to every user on this computer (mode 0644)'),
      ],
    ]);
    expect(JSON.stringify(checked)).not.toContain('hunter2');
  });

  it('compares the key for agents with its public half in rack.yaml', async () => {
    await mkdir(join(dir, 'secrets'));
    const key = newAgentKey();
    const check = async (content: string, yaml = text) => {
      await writeFile(join(dir, 'secrets/agents'), content, { mode: 0o600 });
      const rack = parseRack(yaml, { file: join(dir, 'rack.yaml') });
      const checked = await checkSecrets(rack, 'machine-state', {});
      return checked.find(({ where }) => where === 'access.agents.privateKey')?.error?.message;
    };
    const own = agentPublicKey(key);
    const other = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';

    expect(await check(key.reveal(), text.replace(other, own))).toBeUndefined();
    expect(await check(key.reveal())).toContain(
      `belongs to the public key ${own}, but access.agents.publicKey in rack.yaml is ${other}`,
    );
    expect(await check(key.reveal(), text.replace(`, publicKey: ${other}`, ''))).toContain(
      `belongs to the public key ${own}, but access.agents.publicKey in rack.yaml is absent`,
    );
    expect(await check('hunter2')).toContain('is not an Ed25519 private key in PEM');
  });

  it('warns of a missing secret without which a service works', async () => {
    const yaml = `rack: r\ntimezone: UTC\njumphost: { name: j, address: 192.0.2.8 }\nservices: { router-backup: { upload: /mnt/b, encrypt: none } }\n`;
    const rack = parseRack(yaml, { file: join(dir, 'rack.yaml') });

    const [checked] = await checkSecrets(rack, 'router-backup', {});

    expect(checked).toMatchObject({ where: 'services.router-backup.upload' });
    expect(checked).not.toHaveProperty('error');
    expect(checked?.warnings).toEqual([expect.stringMatching(/secrets\/backup-key: no such file/)]);
  });

  it('reads environment variables from where it is told', async () => {
    const rack = parseRack(text, { file: join(dir, 'rack.yaml') });

    const checked = await checkSecrets(rack, 'router-backup', { HOOK: 'hunter2' });

    const hook = checked.find(({ where }) => where === 'services.router-backup.webhook.token');
    const enable = checked.find(({ where }) => where === 'logins.switches.enablePassword');
    expect(hook).toMatchObject({ warnings: [] });
    expect(hook).not.toHaveProperty('error');
    expect(enable?.error?.message).toContain('environment variable SWITCH_ENABLE: not set');
  });
});
