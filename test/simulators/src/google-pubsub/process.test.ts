import { expect, it, onTestFinished } from 'vitest';
import { startGooglePubSubProcess } from './process.ts';
import { connect, once, topicName } from './testing.ts';

it('is a process that can be told what to do, and killed', async () => {
  const google = await startGooglePubSubProcess({ topics: [topicName], keep: false });
  onTestFinished(() => google.kill());
  const client = connect(google.endpoint);
  onTestFinished(() => client.close());
  const publish = () => client.topic('alerts', once).publishMessage({ data: Buffer.from('12') });

  await publish();
  expect(await google.counts()).toEqual({
    requests: { Publish: 1 },
    refused: 0,
    messages: 1,
    bytes: 2,
  });

  await google.misbehave('refuse', { code: 'PERMISSION_DENIED' });
  await expect(publish()).rejects.toMatchObject({ code: 7 });
  await google.behave();

  await google.stop();
  await expect(publish()).rejects.toMatchObject({ code: 14 });
  await google.start();
  await expect.poll(() => publish().catch(() => '')).not.toBe('');

  await google.kill();
  await expect(publish()).rejects.toMatchObject({ code: 14 });
  await expect(google.counts()).rejects.toThrow();
});
