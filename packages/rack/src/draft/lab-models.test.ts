import { describe, expect, it } from 'vitest';
import { parseRack, rackOversights, usableRack } from '../read/load.ts';

function rackYaml(models: string, equipment: string): string {
  return `rack: rack1
jumphost: { name: jumphost, address: 192.168.1.8 }
logins: { pdus: { snmp: { version: 2, community: { env: COMMUNITY } } } }
models:
${models}
equipment:
${equipment}
machines:
  a: { kind: host, power: pdu-2/3 }
`;
}

const epdu = `  lab/epdu:
    base: snmp-switch
    label: ePDU
    on: { object: '1.3.6.1.4.1.9999.1.{outlet}', value: 1 }
    off: { object: '1.3.6.1.4.1.9999.1.{outlet}', value: 2 }
    read: { object: '1.3.6.1.4.1.9999.2.{outlet}', on: [1], off: [2] }`;
const pdus = `  pdu-[1-2]: { model: lab/epdu, address: '192.168.1.[30-31]', login: pdus, outlets: 8 }`;
const options = { file: 'rack.yaml' };

describe("a lab's own model", () => {
  it('gives each entry its base and its keys, to which the entry adds others', () => {
    const rack = parseRack(rackYaml(epdu, pdus), options);

    expect(rack.equipment.get('pdu-2')).toMatchObject({
      model: 'snmp-switch',
      description: 'lab/epdu',
      address: '192.168.1.31',
      options: {
        outlets: 8,
        on: { object: '1.3.6.1.4.1.9999.1.{outlet}', value: 1 },
        read: { on: [1], off: [2] },
      },
    });
  });

  it('reads no brackets of its expressions as ranges', () => {
    const relay = `  lab/relay:
    base: http-switch
    outlets: 4
    on: { path: '/{outlet}/on' }
    off: { path: '/{outlet}/off' }
    read: { path: '/{outlet}', on: '[1-3]', off: '[4-6]' }`;
    const rack = parseRack(
      rackYaml(relay, "  pdu-[1-2]: { model: lab/relay, address: '192.168.1.[30-31]' }"),
      options,
    );

    expect(rack.equipment.get('pdu-1')?.options.read).toMatchObject({ on: '[1-3]' });
  });

  it('with an error disables only the equipment that uses it', () => {
    const wrong = `${epdu.replace('value: 2', 'value: 1')}\n${epdu.replace('lab/epdu', 'lab/other')}`;
    const rack = usableRack(
      rackYaml(wrong, `${pdus}\n  pdu-3: { model: lab/other, address: 192.168.1.32, login: pdus }`),
      options,
    );

    expect([...rack.equipment.keys()]).toEqual(['pdu-3']);
    expect(rack.disabled?.what).toContain('models.lab/epdu');
  });

  it('that nothing uses is a warning', () => {
    const more = epdu.replace('lab/epdu', 'lab/spare');
    const rack = parseRack(rackYaml(`${epdu}\n${more}`, pdus), options);

    expect(rackOversights(rack).warnings).toContainEqual(
      expect.objectContaining({ line: 11, message: 'is not used', path: 'models."lab/spare"' }),
    );
  });
});
