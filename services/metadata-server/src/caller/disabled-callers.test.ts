/** Each error that rack.yaml can have, one at a time: nobody gets by it what the file without it does not give. */

import { pathsOf } from '@skolo/base/testing';
import { parseRack, type Rack, RackError, usableRack } from '@skolo/rack';
import { expect, it } from 'vitest';
import { callerLookup } from './caller-lookup.ts';

const options = { file: 'rack.yaml', strictFor: 'metadata-server' } as const;

const right = {
  rack: 'rack4',
  network: { subnet: '192.168.1.0/24' },
  jumphost: { name: 'jump4', address: '192.168.1.8', identity: 'jumphost', aliases: ['metadata'] },
  defaultIdentity: 'others',
  identities: {
    bots: { project: 'p-bots', credentials: { fixed: 'secrets/bots' } },
    jumphost: { project: 'p-jump', credentials: { fixed: 'secrets/jump' } },
    others: { project: 'p-others', credentials: { fixed: 'secrets/others' } },
  },
  equipment: { 'switch-1': { model: 'edgeswitch', address: '192.168.1.11' } },
  machines: {
    'a-[1-3]': {
      kind: 'rpi',
      address: '192.168.1.[101-103]',
      power: 'switch-1/[1-3]',
      identity: 'bots',
    },
    'b-1': { kind: 'rpi', address: '192.168.1.111', mac: '02:00:00:00:00:01', identity: 'bots' },
    'c-1': { kind: 'host', address: '192.168.1.113', identity: 'none' },
    'd-1': { kind: 'host', address: '192.168.1.114' },
  },
  services: {
    'metadata-server': {
      callers: [
        { cidr: '10.42.0.0/24', identity: 'jumphost' },
        { cidr: '192.168.1.64/26', identity: 'jumphost' },
        { cidr: '192.168.1.70', identity: 'none' },
      ],
    },
  },
};

const addresses = [
  ...[8, 11, 65, 70, 101, 102, 103, 104, 111, 112, 113, 114, 200].map((n) => `192.168.1.${n}`),
  '10.42.0.7',
  '203.0.113.9',
];

/** JSON is YAML. */
function identities(rack: Rack): (string | undefined)[] {
  const find = callerLookup(rack, ['192.168.1.8']);
  return addresses.map((address) => find(address).identity?.name);
}

/** The text with the value at the path replaced, removed (undefined), or its key misspelt. */
function withError(path: string[], to: unknown): string {
  const data: unknown = structuredClone(right);
  let parent = data;
  for (const key of path.slice(0, -1)) parent = Reflect.get(Object(parent), key);
  const key = path.at(-1) ?? '';
  if (to === 'misspelt') {
    Reflect.set(Object(parent), `${key}e`, Reflect.get(Object(parent), key));
    Reflect.deleteProperty(Object(parent), key);
  } else Reflect.set(Object(parent), key, to);
  return JSON.stringify(data);
}

function usablePartOf(text: string): Rack | undefined {
  try {
    parseRack(text, options);
    return undefined;
  } catch {
    try {
      return usableRack(text, options);
    } catch (error) {
      expect(error).toBeInstanceOf(RackError);
      return undefined;
    }
  }
}

const usual = identities(parseRack(JSON.stringify(right), options));

it('the addresses of this test have different identities, as the file is right', () => {
  expect(new Set(usual)).toEqual(new Set(['bots', 'jumphost', 'others', undefined]));
});

const paths = pathsOf(right);

it.each(['misspelt', 'x y', '192.168.1.102', '192.168.1.8', undefined, 7, [], 'nobody'])(
  `with %j anywhere, every address has its identity or none`,
  (to) => {
    let served = 0;
    for (const path of paths) {
      const rack = usablePartOf(withError(path, to));
      if (rack === undefined) continue;
      const found = identities(rack);
      for (const [i, identity] of found.entries()) {
        if (identity !== undefined)
          expect([path.join('.'), addresses[i], identity]).toEqual([
            path.join('.'),
            addresses[i],
            usual[i],
          ]);
      }
      if (found.some((identity) => identity !== undefined)) served++;
    }
    expect(served).toBeGreaterThan(5);
  },
);
