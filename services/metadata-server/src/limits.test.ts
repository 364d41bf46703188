/** One address that opens connections and watches without end. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bots, rackYaml, startRack, type TestRack } from './testing/rack.ts';

const limited = rackYaml.replace(
  'trustedProxies:',
  'perCaller: { connections: 10, watches: 3 }\n    trustedProxies:',
);

const greedy = '127.0.1.1';
const other = '127.0.1.2';

async function connections(rack: TestRack, from: string, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () =>
    connect({ port: rack.port, host: '127.0.0.1', localAddress: from }),
  );
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return sockets;
}

const email = 'instance/service-accounts/default/email';
const watch = 'instance/attributes/pool?wait_for_change=true';

async function waiting(rack: TestRack, count: number): Promise<void> {
  await expect.poll(() => rack.metrics()).toContain(`skolo_metadata_watchers ${count}\n`);
}

describe('connections of one address', () => {
  it('beyond the limit get a 429, and no other caller does', async () => {
    const rack = await startRack({ yaml: limited });
    const [first] = await connections(rack, greedy, 10);
    const [tooMany] = await connections(rack, greedy, 1);

    expect(await text(tooMany ?? expect.unreachable())).toMatch(
      /^HTTP\/1\.1 429 .*Metadata-Flavor: Google.*Retry-After: 5/s,
    );
    expect((await rack.get(email, { from: other })).body).toBe(bots);
    expect(await rack.metrics()).toMatch(/requests_total\{class="other",code="429".*\} 1/);

    first?.destroy();
    await expect.poll(async () => (await rack.get(email, { from: greedy })).status).toBe(200);
  });

  it('that is a trusted proxy are not limited', async () => {
    const rack = await startRack({ yaml: limited });
    await connections(rack, '127.0.9.1', 20);
    const headers = { 'Metadata-Flavor': 'Google', 'X-Forwarded-For': greedy };

    expect((await rack.get(email, { from: '127.0.9.1', headers })).body).toBe(bots);
  });
});

describe('watches of one address', () => {
  it('beyond the limit get a 429, and no other caller does', async () => {
    const rack = await startRack({ yaml: limited });
    const polls = Array.from({ length: 3 }, () => rack.get(watch, { from: greedy }));
    await waiting(rack, 3);

    const tooMany = await rack.get(watch, { from: greedy });
    const another = rack.get(watch, { from: other });
    await waiting(rack, 4);

    expect(tooMany).toMatchObject({ status: 429, headers: { 'retry-after': '5' } });
    await rack.edit(limited.replace('pool: phones', 'pool: tablets'));
    for (const { body } of await Promise.all([...polls, another])) expect(body).toBe('tablets');
    // Those that are answered count no more.
    const again = rack.get(watch, { from: greedy });
    await waiting(rack, 1);
    await rack.stop();
    expect((await again).status).toBe(200);
  });
});
