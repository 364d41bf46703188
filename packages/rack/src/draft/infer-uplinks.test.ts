import { describe, expect, it } from 'vitest';
import { parseRack } from '../read/load.ts';
import { formatOutlet } from '../schema/outlets.ts';

/** The uplink of rpi-1, and whether it was inferred. */
function uplinkOf(machines: string) {
  const rack = parseRack(
    `rack: lab
jumphost: { name: jumphost, address: 192.168.1.8 }
equipment:
  switch-1: { model: edgeswitch, address: 192.168.1.2 }
  switch-2: { model: nxos, address: 192.168.1.3 }
  pdu-1: { model: apc-rpdu, address: 192.168.1.4 }
machines:
${machines}
`,
    { file: 'rack.yaml' },
  );
  const { uplink, uplinkIsInferred = false } = rack.machines.get('rpi-1') ?? {};
  return uplink && [formatOutlet(uplink), uplinkIsInferred];
}

describe('the uplink of a machine', () => {
  it.each<[string, string, [string, boolean] | undefined]>([
    ['is the port that powers it', 'power: switch-1/5', ['switch-1/5', true]],
    [
      'is the port that powers it, however it is written',
      'power: switch-1/0/5',
      ['switch-1/5', true],
    ],
    [
      'is what rack.yaml says',
      'power: switch-1/5, uplink: switch-2/Eth1/5',
      ['switch-2/Eth1/5', false],
    ],
    ['is unknown with a PDU', 'power: pdu-1/5', undefined],
    ['is unknown with two feeds', 'power: [switch-1/5, pdu-1/5]', undefined],
    ['is unknown without a feed', '', undefined],
  ])('%s', (_what, wiring, expected) => {
    expect(uplinkOf(`  rpi-1: { kind: rpi${wiring && `, ${wiring}`} }`)).toEqual(expected);
  });

  it('is inferred for each machine of a range', () => {
    expect(uplinkOf("  'rpi-[1-3]': { kind: rpi, power: 'switch-1/[7-9]' }")).toEqual([
      'switch-1/7',
      true,
    ]);
  });
});
