/** SIGTERM while clients ask on connections that they keep open. */
import { Agent } from 'node:http';
import { expect, it } from 'vitest';
import { ask, flavor, type Reply } from './testing/http.ts';
import { startRack } from './testing/rack.ts';

const path = '/computeMetadata/v1/instance/service-accounts/default/token';

it('loses no request of 20 clients that ask one after the other', async () => {
  const rack = await startRack();
  const clients = Array.from({ length: 20 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  let answered = 0;

  /** Asks until it is told that the connection closes. */
  async function askOn(agent: Agent): Promise<Reply[]> {
    const replies: Reply[] = [];
    for (;;) {
      const reply = await ask(rack.port, path, { agent, headers: flavor });
      replies.push(reply);
      answered++;
      if (reply.headers.connection === 'close') return replies;
    }
  }
  const asking = clients.map(askOn);
  await expect.poll(() => answered).toBeGreaterThan(100);
  const stopped = rack.stop();
  const replies = (await Promise.all(asking)).flat();
  await stopped;

  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
});
