/** One address that opens connections and watches without end. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bots, rackYaml, startRack, type TestRack } from './testing/rack.ts';

const limited = rackYaml.replace(
  'trustedProxies:',
  'perCaller: { watches: 3 }\n    trustedProxies:',
);
/** Connections of a machine. */
const most = 64;

const greedy = '127.0.1.1';
const other = '127.0.1.2';

async function connections(rack: TestRack, from: string, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () =>
    connect({ port: rack.port, host: '127.0.0.1', localAddress: from }),
  );
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) socket.on('error', () => undefined).resume();
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  return sockets;
}

const email = 'instance/service-accounts/default/email';
const watch = 'instance/attributes/pool?wait_for_change=true';

async function waiting(rack: TestRack, count: number): Promise<void> {
  await expect.poll(() => rack.metrics()).toContain(`skolo_metadata_watchers ${count}\n`);
}

describe('connections of one machine', () => {
  it('beyond the limit close the first of them, and none of another caller', async () => {
    const rack = await startRack();
    const [theirs] = await connections(rack, other, 1);
    const [first, second] = await connections(rack, greedy, most);

    expect((await rack.get(email, { from: greedy })).body).toBe(bots);

    if (!first?.closed) await once(first ?? expect.unreachable(), 'close');
    expect([theirs?.closed, second?.closed]).toEqual([false, false]);
    expect((await rack.get(email, { from: other })).body).toBe(bots);
    expect(await rack.metrics()).toContain('skolo_connections_closed_total{owner="machine"} 1\n');
  });

  it('that is a trusted proxy are not limited', async () => {
    const rack = await startRack();
    const sockets = await connections(rack, '127.0.9.1', 300);
    const headers = { 'Metadata-Flavor': 'Google', 'X-Forwarded-For': greedy };

    expect((await rack.get(email, { from: '127.0.9.1', headers })).body).toBe(bots);
    expect(sockets.filter(({ closed }) => closed)).toEqual([]);
  });
});

it('watches of one address beyond the limit get a 429, and no other caller does', async () => {
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
