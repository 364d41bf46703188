import type { ConsoleRack } from '@skolo/api';
import { expect, it } from 'vitest';
import { worstFirst } from './watched-rack.ts';

const since = '2026-11-22T08:00:00.000Z';

function rack(name: string, needsAttention: number, behindCause = 0, alerts = 0): ConsoleRack {
  const causes = [
    {
      kind: 'element' as const,
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
