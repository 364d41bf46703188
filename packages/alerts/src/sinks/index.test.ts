import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir, untilTestEnds } from '@skolo/base/testing';
import { type Rack, readRack } from '@skolo/rack';
import { startGooglePubSub } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { alertMessage } from '../testing/messages.ts';
import { createSinks, encodeAsOf } from './index.ts';

async function rackWith(settings: string): Promise<Rack> {
  const dir = await tempDir();
  const file = join(dir, 'rack.yaml');
  const yaml = `
rack: rack4
timezone: America/New_York
network: { subnet: 192.168.1.0/24, domain: lan }
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
services:
  alert-to-pubsub: ${settings}
`;
  await writeFile(file, yaml);
  return await readRack(file);
}

describe('createSinks', () => {
  it('are Pub/Sub first, then the sinks of rack.yaml', async () => {
    const google = untilTestEnds(await startGooglePubSub());
    const rack = await rackWith(`
    project: my-project
    topic: rack-alerts
    endpoint: ${google.endpoint}
    location: shelf-east
    format: full
    sinks:
      - { name: history, kind: file, file: history.jsonl }
      - { name: pagers, kind: http, url: 'https://example.com/hook' }`);

    const sinks = createSinks(rack, { env: {} });
    onTestFinished(async () => void (await Promise.all(sinks.map((sink) => sink.close()))));
    const [pubsub, history] = sinks;
    const signal = new AbortController().signal;
    await pubsub?.send([alertMessage()], pubsub.orderingKeyOf(alertMessage()), signal);
    await history?.send([alertMessage()], 'file', signal);

    expect(sinks.map(({ name }) => name)).toEqual(['pubsub', 'history', 'pagers']);
    expect(google.published('projects/my-project/topics/rack-alerts')).toMatchObject([
      { orderingKey: 'shelf-east-19', attributes: { location: 'shelf-east' } },
    ]);
    const line = await readFile(join(rack.dir, 'history.jsonl'), 'utf8');
    expect(JSON.parse(line).message).toMatchObject({ schema: '1', alert: { status: 'firing' } });
  });

  it('can do without Pub/Sub', async () => {
    const rack = await rackWith('{ sinks: [{ name: log, kind: file, file: log.jsonl }] }');

    expect(createSinks(rack).map(({ name }) => name)).toEqual(['log']);
    expect(encodeAsOf(rack)).toMatchObject({ format: 'flat', location: 'rack4' });
  });
});
