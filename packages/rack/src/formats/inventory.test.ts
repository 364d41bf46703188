import { readFileSync } from 'node:fs';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { parseRack } from '../read/load.ts';
import { inventory } from '../testing/arbitrary-inventory.ts';
import { expandedInventory } from './inventory.ts';

const example = new URL('../../../../kube/racks/rack4/rack.yaml', import.meta.url);
const options = { file: '/etc/skolo/rack.yaml' };

describe('expandedInventory', () => {
  it('writes out the example rack so that it is the same rack', () => {
    const rack = parseRack(readFileSync(example, 'utf8'), options);

    const written = expandedInventory(rack);

    expect(parseRack(stringify(written), options)).toEqual(rack);
    expect(written).toMatchObject({
      machines: {
        'skia-rpi2-rack4-shelf1-007': { address: '192.168.1.107', power: ['switch-1/7'] },
        'skia-rpi2-rack4-shelf2-002': {
          devices: [{ serial: 'R58M1002' }, { serial: '00008030-02' }],
        },
      },
      services: { 'router-backup': { concurrency: 10 } },
    });
  });

  it('of every valid inventory is a valid inventory of the same rack', () => {
    fc.assert(
      fc.property(inventory, (raw) => {
        const rack = parseRack(stringify(raw), options);
        const written = expandedInventory(rack);

        const again = parseRack(stringify(written), options);

        expect(again).toEqual(rack);
        expect(expandedInventory(again)).toEqual(written);
      }),
      runs(50),
    );
  });
});
