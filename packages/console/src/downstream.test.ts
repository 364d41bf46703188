import { generateRack } from '@skolo/scripted-services';
import { describe, expect, it } from 'vitest';
import { downstream } from '../pages/src/power/downstream.ts';

const { rack, machines } = generateRack(80);
const all = new Map(machines.map((machine) => [machine.name, machine]));
const names = (shelf: string) =>
  machines.filter((machine) => machine.shelf === shelf).map(({ name }) => name);

describe('downstream of an outlet', () => {
  it('is its machine', () => {
    const [name = ''] = names('shelf1');
    expect(downstream(['switch-1/1'], rack, all)).toEqual({
      dark: [name],
      offline: [],
      fedTwice: [],
    });
  });

  it('is found by a port whose name has slashes', () => {
    const ports = [{ port: 'ge-0/0/1', powers: ['ap-1'], connects: [] }];
    const [first] = rack.equipment;
    const equipment = first ? [{ ...first, name: 'switch-x', ports }] : [];

    expect(downstream(['switch-x/ge-0/0/1'], { equipment }, all).dark).toEqual(['ap-1']);
  });

  it('is a switch with all that it feeds', () => {
    const { dark, offline } = downstream(['pdu-1/2'], rack, all);

    expect(dark.toSorted()).toEqual(['switch-1', ...names('shelf1')].sort());
    expect(offline).toEqual([]);
  });

  it('is not what has another feed', () => {
    const [name = ''] = names('shelf1');
    const machine = all.get(name);
    const wiring = { power: ['switch-1/1', 'pdu-1/9'] };
    const fedTwice = new Map(machine && [[name, { ...machine, wiring }]]);

    expect(downstream(['switch-1/1'], rack, fedTwice)).toEqual({
      dark: [],
      offline: [],
      fedTwice: [name],
    });
  });

  it('is what has no other feed than these', () => {
    const [name = ''] = names('shelf1');
    const machine = all.get(name);
    const wiring = { power: ['switch-1/1', 'pdu-1/9'] };
    const fedTwice = new Map(machine && [[name, { ...machine, wiring }]]);

    expect(downstream(['pdu-1/9', 'switch-1/1'], rack, fedTwice).dark).toEqual([name]);
  });

  it('is what loses only the network: a machine and a switch with their own supply', () => {
    const [name = ''] = names('shelf1');
    const equipment = rack.equipment.map((each) =>
      each.name === 'switch-1'
        ? { ...each, ports: [{ port: '1', powers: [], connects: [name, 'switch-2'] }] }
        : each,
    );
    const behind = names('shelf2');

    expect(downstream(['pdu-1/2'], { equipment }, all)).toEqual({
      dark: ['switch-1'],
      offline: [name, 'switch-2', ...behind],
      fedTwice: [],
    });
  });
});
