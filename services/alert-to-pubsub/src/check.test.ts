import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createAlertToPubsub } from './service.ts';

it('finds that the folder of a file of alerts is missing', async () => {
  const dir = await tempDir();
  const text = `rack: rack4
jumphost: { name: jumphost, address: 192.168.1.8 }
services:
  alert-to-pubsub:
    pubsub: false
    sinks: [{ name: here, kind: file, file: alerts }, { name: gone, kind: file, file: gone/alerts }]
`;

  const found = await createAlertToPubsub().check?.(
    parseRack(text, { file: join(dir, 'rack.yaml') }),
  );

  expect(found).toEqual([
    {
      path: ['services', 'alert-to-pubsub', 'sinks', 1, 'file'],
      message: `${dir}/gone is missing or not writable; create it, mount its disk, or change its owner`,
    },
  ]);
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
