import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRack, rackOversights } from '@skolo/rack';
import { beforeAll, describe, expect, it } from 'vitest';
import { withOneAddress } from './addresses/one-address.ts';
import { root } from './folder/folders.ts';

const file = 'racks/demo/rack.yaml';
let text: string;
beforeAll(async () => {
  text = await readFile(join(root, file), 'utf8');
});

describe('racks/demo', () => {
  it('has neither errors nor oversights', () => {
    const rack = parseRack(text, { file });

    expect(rackOversights(rack)).toEqual({ pasted: [], warnings: [] });
    expect(rack.machines.size).toBeGreaterThan(1);
  });

  it('fits into the width of a terminal that is not narrow', () => {
    const widest = Math.max(...text.split('\n').map((line) => line.length));

    expect(widest).toBeLessThanOrEqual(120);
  });

  it('has one machine where there is one address, and is complete then, too', () => {
    const rack = parseRack(withOneAddress(text), { file });

    expect(rackOversights(rack)).toEqual({ pasted: [], warnings: [] });
    expect([...rack.machines.values()]).toMatchObject([
      { name: 'skia-rpi2-demo-shelf1-001', address: '127.0.0.1', identity: 'bots' },
    ]);
    const equipment = [...rack.equipment.values()].map(({ address }) => address);
    expect(new Set(equipment)).toEqual(new Set(['127.0.0.1']));
  });
});
