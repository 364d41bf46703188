import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createAlertToPubsub } from './service.ts';

it('finds files that cannot be written, and URLs of the service itself', async () => {
  const dir = await tempDir();
  await mkdir(join(dir, 'folder'));
  await run('mkfifo', [join(dir, 'pipe')]);
  const urls = [
    'http://192.168.1.8:8001/webhook',
    'http://jumphost:8001/',
    'http://localhost:20013/',
    'http://[::1]:8001/',
    'http://alert-to-pubsub.skolo.svc:8001/api/v2/alerts',
    'http://127.0.0.1:8002/',
    'http://jumphost:80/',
    'https://alerts.example.com:8001/',
  ];
  const http = urls.map((url, at) => `{ name: http-${at}, kind: http, url: "${url}" }`);
  const text = `rack: rack4
jumphost: { name: jumphost, address: 192.168.1.8 }
services:
  alert-to-pubsub:
    pubsub: false
    sinks: [{ name: here, kind: file, file: alerts }, { name: gone, kind: file, file: gone/alerts }, { name: folder, kind: file, file: folder }, { name: pipe, kind: file, file: pipe }, ${http.join(', ')}]
`;

  const found = await createAlertToPubsub().check?.(
    parseRack(text, { file: join(dir, 'rack.yaml') }),
  );

  expect(found).toEqual([
    {
      path: ['services', 'alert-to-pubsub', 'sinks', 1, 'file'],
      message: `${dir}/gone is missing or not writable; create it, mount its disk, or change its owner`,
    },
    ...[`${dir}/folder`, `${dir}/pipe`].map((file, at) => ({
      path: ['services', 'alert-to-pubsub', 'sinks', 2 + at, 'file'],
      message: `${file} is not a regular file; specify another file`,
    })),
    ...urls.slice(0, 5).map((url, at) => ({
      path: ['services', 'alert-to-pubsub', 'sinks', 4 + at, 'url'],
      message: `${new URL(url).host} is alert-to-pubsub itself, which would receive its own messages as alerts; specify another URL`,
    })),
  ]);
});

it('finds a whole webhook URL where only its secret part belongs, and a secret in rack.yaml', async () => {
  const dir = await tempDir();
  for (const name of ['whole', 'part']) {
    const text = name === 'whole' ? 'https://hooks.slack.com/services/T0/B0/X' : 'T0/B0/X';
    await writeFile(join(dir, name), text, { mode: 0o600 });
  }
  const url = 'https://prod-01.logic.example.com/workflows/1/invoke?api-version=1&sig=';
  const text = `rack: lab
jumphost: { name: jumphost, address: 192.168.1.8 }
services:
  alert-to-pubsub:
    pubsub: false
    sinks:
      - { name: a, kind: http, template: slack, token: { file: part } }
      - { name: b, kind: http, template: slack, token: { file: whole } }
      - { name: c, kind: http, template: teams, token: { file: part }, url: "${url}{{token}}" }
      - { name: d, kind: http, template: teams, token: { file: part }, url: "${url}s3cret" }
`;

  const found = await createAlertToPubsub().check?.(
    parseRack(text, { file: join(dir, 'rack.yaml') }),
  );

  expect(found).toEqual([
    {
      path: ['services', 'alert-to-pubsub', 'sinks', 1, 'token'],
      message: expect.stringMatching(/contains a URL; write only the part/),
    },
    {
      path: ['services', 'alert-to-pubsub', 'sinks', 3, 'url'],
      message: expect.stringMatching(/^contains a secret; move its value/),
    },
  ]);
  expect(JSON.stringify(found)).not.toContain('s3cret');
});

it.each([
  ['', '', [expect.stringMatching(/keep firing for up to 24 h: no Alertmanager is configured/)]],
  ['alertmanager: none\n', '{ repeatHours: 48 }', [expect.stringContaining('up to 48 h')]],
  ['alertmanager: http://127.0.0.1:9093\n', '', []],
])('notes that ends of muted alerts are not detected: %s', (line, settings, notes) => {
  const text = `rack: rack4
jumphost: { name: jumphost, address: 192.168.1.8 }
${line}services: { alert-to-pubsub: ${settings || '{}'} }
`;
  vi.stubEnv('KUBERNETES_SERVICE_HOST', '');
  onTestFinished(() => void vi.unstubAllEnvs());

  expect(createAlertToPubsub().notes?.(parseRack(text, { file: 'rack.yaml' }))).toEqual(notes);
});

it('finds an invalid key file of application default credentials', async () => {
  const file = join(await tempDir(), 'key.json');
  await writeFile(file, '{"type":"authorized_user","client_id":"a"}', { mode: 0o600 });
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file);
  onTestFinished(() => void vi.unstubAllEnvs());
  const text = 'rack: rack4\njumphost: { name: jumphost, address: 192.168.1.8 }\n';

  const found = await createAlertToPubsub().check?.(parseRack(text, { file: '/x/rack.yaml' }));

  expect(found).toEqual([
    {
      path: ['services', 'alert-to-pubsub', 'credentials'],
      message: `${file}: client_secret is missing or invalid, refresh_token is missing or invalid`,
    },
  ]);
});
