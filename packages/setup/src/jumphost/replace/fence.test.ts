import type { Host } from '@skolo/setup/engine';
import { expect, it } from 'vitest';
import { cableFence, powerFence } from './fence.ts';

const nobody = {} as Host;
const { signal } = new AbortController();

it('gives evidence only while the outlets read off', async () => {
  const outlet = { outlet: 'pdu-1/8', state: 'on' };
  const power = { outlets: async () => ({ outlets: [outlet] }) };
  const fence = powerFence({
    jumphost: 'jumphost-rack4',
    outlets: ['pdu-1/8'],
    power: async () => power as never,
    reason: 'a test',
    signal,
  });

  expect(() => fence.evidence()).toThrow('jumphost-rack4 is not fenced');
  await fence.step.check(nobody);
  expect(() => fence.evidence()).toThrow('jumphost-rack4 is not fenced');

  Object.assign(outlet, { state: 'off', switchedOff: { by: 'ann' } });
  await fence.step.check(nobody);
  expect(fence.evidence().keepOff).toEqual(['pdu-1/8']);

  outlet.state = 'on';
  await fence.step.check(nobody);
  expect(() => fence.evidence()).toThrow('jumphost-rack4 is not fenced');
});

it('takes a cable that is out as evidence only from a person', async () => {
  const [rehearsed, confirmed] = [false, true].map((each) => cableFence('jumphost-rack4', each));
  await rehearsed?.step.check(nobody);
  await confirmed?.step.check(nobody);

  expect(() => rehearsed?.evidence()).toThrow('jumphost-rack4 is not fenced');
  expect(confirmed?.evidence().keepOff).toEqual([]);
});
