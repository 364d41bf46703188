import { parseRack } from '@skolo/rack';
import { expect, it } from 'vitest';
import { freeRange } from './free-range.ts';

it.each([
  ['10.1.1.0/24', '10.1.1.[3-11]', { first: '10.1.1.205', last: '10.1.1.254' }],
  ['10.1.1.0/24', '10.1.1.[246-254]', { first: '10.1.1.196', last: '10.1.1.245' }],
  ['10.1.1.0/28', '10.1.1.[3-11]', { first: '10.1.1.12', last: '10.1.1.14' }],
  ['10.1.0.0/20', '10.1.14.[1-9]', { first: '10.1.13.207', last: '10.1.14.0' }],
])('of %s without %s are free', (subnet, addresses, free) => {
  const text = `rack: desk
timezone: UTC
network: { subnet: ${subnet} }
jumphost: { name: host01, address: 10.1.1.2 }
machines: { "host[02-10]": { kind: rpi, address: "${addresses}" } }
`;
  expect(freeRange(parseRack(text, { file: 'rack.yaml' }), subnet)).toEqual(free);
});
