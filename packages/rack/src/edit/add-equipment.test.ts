import { describe, expect, it } from 'vitest';
import type { ForeignLogin } from '../formats/equipment-import.ts';
import { parseRack } from '../read/load.ts';
import { addEquipment } from './add-equipment.ts';

const head = `rack: lab
timezone: UTC
network: {}
jumphost: { name: here, address: 192.0.2.1 }
`;
const file = '/racks/lab/rack.yaml';

function device(name: string, address: string, login?: ForeignLogin, model = 'eos') {
  return {
    name,
    writtenName: name,
    where: `router.db:${address.at(-1)}`,
    host: address,
    address,
    entry: { model },
    ...(login && { login }),
  };
}
const ann = { username: 'ann', password: 'hunter2' };

describe('adding devices', () => {
  it('shares a login only among devices with equal secrets', () => {
    const equipment = [
      device('a', '192.0.2.2', ann),
      device('b', '192.0.2.3', { username: 'ann', password: 'hunter2-b', enablePassword: 'x' }),
      device('c', '192.0.2.4', ann, 'junos'),
      device('d', '192.0.2.5'),
    ];

    const { text, secrets } = addEquipment(`${head}machines: {}\n`, equipment, file);

    expect(text).toBe(`${head}machines: {}
logins:
  ann: { username: ann, password: secrets/ann }
  ann-2: { username: ann, password: secrets/ann-2, enablePassword: secrets/ann-2-enable }
equipment:
  a: { model: eos, address: 192.0.2.2, login: ann }
  b: { model: eos, address: 192.0.2.3, login: ann-2 }
  c: { model: junos, address: 192.0.2.4, login: ann }
  d: { model: eos, address: 192.0.2.5 }
`);
    expect([...secrets]).toEqual([
      ['ann', ['a', 'c']],
      ['ann-2', ['b']],
      ['ann-2-enable', ['b']],
    ]);
  });

  it('changes nothing the second time, and gives a new device the login of those like it', () => {
    const first = addEquipment(head, [device('a', '192.0.2.2', ann)], file).text;

    const second = addEquipment(first, [device('a', '192.0.2.2', ann)], file);
    const third = addEquipment(
      first,
      [device('a', '192.0.2.2', ann), device('e', '192.0.2.6', ann)],
      file,
    );

    expect(second).toMatchObject({ text: first, secrets: new Map(), bad: [] });
    expect(parseRack(third.text, { file }).equipment.get('e')?.login).toBe('ann');
    expect(third.secrets.size).toBe(0);
  });

  it('keeps comments, and leaves logins with the same name alone', () => {
    const text = `${head}# ours
logins: { ann: { username: ann, privateKey: secrets/key } } # one
equipment:
  # core
  x: { model: eos, address: 192.0.2.9, login: ann }
machines: {}
`;

    const added = addEquipment(text, [device('a', '192.0.2.2', ann)], file);

    expect(added.text).toBe(
      text
        .replace(' } } #', ' }, ann-2: { username: ann, password: secrets/ann-2 } } #')
        .replace('machines', '  a: { model: eos, address: 192.0.2.2, login: ann-2 }\nmachines'),
    );
  });

  it('gives new devices the only login with their user name if the import has no passwords', () => {
    const rancid = { username: 'ann', password: '' };
    const one = addEquipment(head, [device('a', '192.0.2.2', ann)], file).text;
    const other = { ...ann, password: 'hunter2-b' };
    const two = addEquipment(one, [device('b', '192.0.2.3', other)], file).text;

    const [afterOne, afterTwo] = [one, two].map((text) =>
      addEquipment(text, [device('e', '192.0.2.6', rancid)], file),
    );

    expect(afterOne?.text).toContain('e: { model: eos, address: 192.0.2.6, login: ann }');
    expect(afterOne?.secrets.size).toBe(0);
    expect(afterTwo?.text).toContain('e: { model: eos, address: 192.0.2.6, login: ann-3 }');
  });

  it('leaves out devices that would make rack.yaml invalid, and adds the others', () => {
    const { text } = addEquipment(head, [device('a', '192.0.2.2', ann)], file);
    const rows = [
      device('b', '192.0.2.3', ann),
      device('a', '192.0.2.7', ann),
      device('a', '192.0.2.2', ann, 'junos'),
      device('c', '192.0.2.3', { username: 'dan', password: 'hunter2' }),
      device('here', '192.0.2.4', ann),
      device('d', '192.0.2.5', ann),
    ];

    const added = addEquipment(text, rows, file);

    expect(added.bad).toEqual([
      'router.db:7: a: rack.yaml has eos at 192.0.2.2, but the import has eos at 192.0.2.7; fix one of them',
      'router.db:2: a: rack.yaml has eos at 192.0.2.2, but the import has junos at 192.0.2.2; fix one of them',
      expect.stringMatching(/^router\.db:3: c: 192\.0\.2\.3 is also used by b/),
      expect.stringMatching(/^router\.db:4: here: /),
    ]);
    expect(added.equipment.map(({ name }) => name)).toEqual(['b', 'd']);
    expect([...parseRack(added.text, { file }).equipment.keys()]).toEqual(['a', 'b', 'd']);
    expect(added.text).not.toContain('dan');
  });

  it('is rejected while the devices are on one line', () => {
    const text = `${head}equipment: { x: { model: eos, address: 192.0.2.9 } }\n`;

    expect(() => addEquipment(text, [device('a', '192.0.2.2')], file)).toThrow(
      '`equipment` is on one line; write each entry on its own line',
    );
  });
});
