import type { ConsoleRack } from '@skolo/api';
import { generateRack } from '@skolo/scripted-services';
import { expect, it } from 'vitest';
import { WatchedRack, worstFirst } from './watched-rack.ts';

const since = '2026-11-22T08:00:00.000Z';

function rack(name: string, needsAttention: number, behindCause = 0, alerts = 0): ConsoleRack {
  const causes = [
    {
      kind: 'equipment' as const,
      what: 'switch-1',
      text: 'is not responding',
      since,
      machines: behindCause,
    },
  ];
  const known = { machines: 300, needsAttention, alerts, services: [] };
  return {
    name,
    connection: 'live',
    since,
    known: { ...known, causes: behindCause > 0 ? causes : [] },
  };
}

it('sorts racks by how many machines do not work, after those that cannot be reached', () => {
  const racks = [
    rack('rack1', 0),
    rack('rack2', 3),
    rack('rack3', 1, 40),
    rack('rack4', 0, 0, 5),
    { ...rack('rack5', 0), connection: 'lost', why: 'no route' } satisfies ConsoleRack,
    { name: 'rack6', connection: 'connecting', since } satisfies ConsoleRack,
  ];

  expect(worstFirst(racks).map(({ name }) => name)).toEqual([
    ...['rack5', 'rack3', 'rack2', 'rack4', 'rack1', 'rack6'],
  ]);
});

it('counts the machines that need attention as they change', async () => {
  const { machines, rack } = generateRack(3);
  const all = machines.map((machine) => ({ ...machine, needsAttention: undefined }));
  const [first, second, third] = all.map((machine) => ({ ...machine, needsAttention: 'no power' }));
  const events = {
    all: { machines: all, rack },
    machine: [first, second, third],
    removed: [third],
  };
  const text = Object.entries(events)
    .flatMap(([name, data]) =>
      [data].flat().map((each) => `event: ${name}\ndata: ${JSON.stringify(each)}\n\n`),
    )
    .join('');
  const stop = new AbortController();
  const watched = new WatchedRack({
    name: 'rack4',
    open: async () => ({
      baseUrl: 'http://127.0.0.1:1',
      rack: 'rack4',
      fetch: async () => new Response(text, { headers: { 'content-type': 'text/event-stream' } }),
    }),
    savedToken: async () => undefined,
    now: () => 0,
    onConnection: ({ connection }) => connection === 'lost' && stop.abort(),
  });

  await watched.run(stop.signal);

  expect(watched.current().known).toMatchObject({ machines: 2, needsAttention: 2 });
});
