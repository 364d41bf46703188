import type { Machine, RackView } from '@skolo/api/machine-state';
import { expect, it } from 'vitest';
import { cardsOf } from '../pages/src/rack/cards.ts';

const since = '2026-11-20T02:00:00.000Z';

it('shows what a person must do before notices that are only uncertain', () => {
  const machine: Machine = {
    ...{ name: 'rpi-1', kind: 'rpi', condition: 'quarantined', since, sentence: 'battery low' },
    ...{ needsAttention: 'replace its battery', wiring: { power: [] }, alerts: [] },
    ...{ pools: [], devices: [], repairs: [], orders: [] },
  };
  const rack: RackView = {
    ...{ rack: 'rack4', timezone: 'UTC', causes: [], incidents: [], alerts: [] },
    ...{ shelves: [], equipment: [], services: [] },
    rackFile: { loadedAt: since, warnings: [], changes: [], problems: ['line 3: no such key'] },
    alertPath: { state: 'not confirmed', text: 'no alert has been received yet' },
  };

  const titles = cardsOf(rack, new Map([['rpi-1', machine]])).map(({ title }) => title);

  expect(titles).toEqual(['rack.yaml was rejected', 'rpi-1', 'Alerts not confirmed']);
});
