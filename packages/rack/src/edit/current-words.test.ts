import { expect, it } from 'vitest';
import { parseRack, rackOversights } from '../read/load.ts';
import { addEquipment } from './add-equipment.ts';
import { withCurrentWords } from './current-words.ts';

const file = 'rack.yaml';
const of = (key: string) => `# Our rack
rack: rack4
jumphost: { name: jumphost, address: 192.168.1.8, uplink: switch-1/1, power: pdu-1/1 } # beside the door
${key}: # bought in 2021
  switch-1: { model: edgeswitch, address: 192.168.1.11 } # infrastructure: above
  pdu-1: { model: apc-rpdu2, address: 192.168.1.12 }
`;

it.each(['infrastructure', '"infrastructure"', 'infrastructure '])(
  'reads and renames `%s`',
  (key) => {
    const text = of(key);
    const { equipment } = parseRack(text, { file });

    expect([...equipment.keys()]).toEqual(['switch-1', 'pdu-1']);
    expect(equipment).toEqual(parseRack(of('equipment'), { file }).equipment);
    expect(withCurrentWords(text, file)).toBe(of(key.replace('infrastructure', 'equipment')));
    expect(withCurrentWords(of('equipment'), file)).toBe(of('equipment'));
  },
);

it('warns of the previous name, and names the command that renames it', () => {
  const { warnings } = rackOversights(parseRack(of('infrastructure'), { file }));

  expect(warnings[0]).toMatchObject({
    line: 4,
    path: 'equipment',
    message: expect.stringMatching(
      /previous name, .* until version 1.0; .* skolo rack edit --words$/,
    ),
  });
  expect(rackOversights(parseRack(of('equipment'), { file })).warnings).not.toContainEqual(
    expect.objectContaining({ path: 'equipment' }),
  );
});

it('names positions in the section by its current name, and adds to it', () => {
  const text = of('infrastructure');
  const wrong = text.replace('edgeswitch', 'edgeswich');
  const added = addEquipment(
    text,
    [
      {
        ...{ name: 'switch-2', writtenName: 'switch-2', where: 'row 1' },
        ...{ host: '192.168.1.13', address: '192.168.1.13', entry: { model: 'eos' } },
      },
    ],
    file,
  );

  expect(() => parseRack(wrong, { file })).toThrow('rack.yaml:5:22 equipment.switch-1.model');
  expect(added.text).toContain('\ninfrastructure: # bought in 2021\n');
  expect([...parseRack(added.text, { file }).equipment.keys()]).toContain('switch-2');
});

it('rejects both names in one file', () => {
  const text = `${of('infrastructure')}equipment: {}\n`;

  expect(() => parseRack(text, { file })).toThrow('unknown key "infrastructure"');
});
