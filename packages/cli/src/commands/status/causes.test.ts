import type { K3sRack } from '@skolo/fleet';
import { expect, it } from 'vitest';
import { causesOf } from './causes.ts';

function rackNamed(name: string): K3sRack {
  const ways = [{ host: `jumphost-${name}`, user: 'ann' }, { host: `${name}.example.com` }];
  const entry = { name, context: name, wave: 1, canary: false, overlay: `/kube/racks/${name}` };
  return {
    ...entry,
    type: 'k3s',
    jumphost: `jumphost-${name}`,
    ways,
    apiPort: 6442,
    internet: true,
  };
}

function unreachable(name: string, why: string) {
  return { rack: rackNamed(name), error: new Error(`${name}: ann@jumphost-${name}: ${why}`) };
}

it('has one text for all racks with the same cause', () => {
  const racks = Array.from({ length: 100 }, (_, at) => `rack${at + 1}`);

  const causes = causesOf([
    ...racks.map((name) => unreachable(name, `no answer; has jumphost-${name} power? (${name})`)),
    unreachable('rack200', 'connection refused'),
    { rack: rackNamed('rack201') },
  ]);

  expect(new Set(causes.slice(0, 100).map(({ text }) => text))).toEqual(
    new Set(['ann@JUMPHOST: no answer; has JUMPHOST power? (RACK)']),
  );
  expect(causes.slice(100)).toEqual([
    { name: 'rack200', text: 'ann@jumphost-rack200: connection refused' },
  ]);
});
