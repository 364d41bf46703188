/** The rack.yaml of the page about NUCs. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseRack } from './load.ts';

it('the page about NUCs has a valid rack.yaml, whose outlets exist', async () => {
  const page = await readFile(new URL('../../../../docs/adopt/nuc.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  expect(blocks).toHaveLength(2);

  const power = blocks.flatMap((block) => {
    const head = { rack: 'small', jumphost: { name: 'jumphost', address: '192.168.1.8' } };
    const rack = parseRack(stringify({ ...head, ...parse(block) }), { file: 'rack.yaml' });
    return [...rack.machines.values()].flatMap((machine) => machine.power);
  });

  expect(power).toEqual([
    { device: 'pikvm-1', outlet: '0' },
    { device: 'pikvm-1', outlet: 'SwitchPort3' },
    { device: 'amt-1', outlet: '0313b93f-2a7c-41e8-b603-29c1602dcef9' },
    { device: 'amt-1', outlet: '7e2cf1a0-5f0b-4d7e-9a36-0a5f1f0f7b11' },
  ]);
});
