import { parseRack } from '@skolo/rack';
import { expect, it } from 'vitest';
import { changesOf } from './rack-file.ts';

const before = `
rack: rack4
jumphost: { name: jumphost, address: 192.168.1.8 }
logins: { switches: { username: ubnt, password: secrets/switch } }
equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.11, login: switches }
machines:
  rpi-1: { kind: rpi, address: 192.168.1.101, power: switch-1/1 }
  rpi-2: { kind: rpi, address: 192.168.1.102, power: switch-1/2 }
`;

const rack = (text: string) => parseRack(text, { file: 'rack.yaml' });

it('names what a reload changed, with both values', () => {
  const after = before
    .replace('power: switch-1/1', 'power: switch-1/41, shelf: shelf9')
    .replace(/.*rpi-2.*\n/, '')
    .replace('address: 192.168.1.11,', 'address: 192.168.1.12,');

  const changes = changesOf(rack(before), rack(after));

  expect(changes).toEqual([
    'machine rpi-1: power switch-1/1 → switch-1/41, shelf none → shelf9',
    'machine rpi-2: removed',
    'equipment switch-1: address 192.168.1.11 → 192.168.1.12',
  ]);
  expect(changesOf(rack(before), rack(before))).toEqual([]);
});
