import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { expect, it } from 'vitest';
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
