/** Evidence files: which are accepted, what the levels are, and that everything generated from docs/proofs is current. */

import { readFileSync } from 'node:fs';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkProofs, sightingsOf } from '../../../generate/check.ts';
import {
  contributedFiles,
  pageFile,
  proofSchema,
  proofsPage,
  recordedModels,
  schemaFile,
  supportFile,
  supportPage,
} from '../../../generate/page.ts';
import { evidenceOf, evidenceText } from '../index.ts';
import { Firmware, Hardware, isSwitched, Proof, proofFile } from './evidence-file.ts';
import { levels } from './levels.ts';
import { recorded, sightings } from './sightings.ts';

const today = '2026-11-25';
const generate = 'run `npm run generate`';

const device: Proof['devices'][number] = {
  hardware: 'EdgeSwitch 24-Port 250W',
  transport: 'ssh',
  steps: [
    { step: 'outlets 1', ms: 812, isDone: true, requests: 6 },
    { step: 'configuration 1', ms: 2305, isDone: true, requests: 7 },
  ],
  configuration: { readings: 2, bytes: 449, differingLines: 0 },
  counts: { outlets: 24, hosts: 3, ports: 26 },
  problems: ['outlet'],
};
const proof: Proof = {
  schema: 1,
  model: 'edgeswitch',
  firmware: '1.9.3',
  skolo: '0.2.0',
  day: today,
  devices: [device],
};
const path = 'alice/rack-1/proof-edgeswitch-1.9.3.json';

function checked(...files: [path: string, content: unknown][]) {
  return checkProofs(
    new Map(files.map(([file, content]) => [file, JSON.stringify(content)])),
    today,
  );
}

function withDevice(changes: object): object {
  return { ...proof, devices: [{ ...device, ...changes }] };
}

describe('what is generated', () => {
  const today = new Date().toISOString().slice(0, 10);
  const { errors, ...files } = checkProofs(contributedFiles(), today);

  it('is from files without errors', () => {
    expect(errors).toEqual([]);
  });

  it('is current', () => {
    const page = readFileSync(pageFile, 'utf8');

    expect(proofsPage(page, files), generate).toBe(page);
    const support = readFileSync(supportFile, 'utf8');
    expect(supportPage(support, files), generate).toBe(support);
    expect(sightings, generate).toEqual(sightingsOf(files));
    expect(recorded, generate).toEqual(recordedModels(files));
    expect(JSON.parse(readFileSync(schemaFile, 'utf8')), generate).toEqual(
      JSON.parse(JSON.stringify(proofSchema())),
    );
  });

  it('lists models and files', () => {
    const page = proofsPage(readFileSync(pageFile, 'utf8'), checked([path, proof]));

    expect(page).toContain('| `edgeswitch` | Ubiquiti EdgeSwitch | read (firmware 1.9.3) |\n');
    expect(page).toContain('The other models are `recorded` or `not verified on hardware`.\n');
    expect(page).toContain(
      `\n| alice/rack-1 | [\`edgeswitch\`](${path}) | 1.9.3 | EdgeSwitch 24-Port 250W | 1 | 1 | ${proof.day} |\n`,
    );
  });
});

describe('proofsPage', () => {
  const nxos = withDevice({ hardware: 'N9K-C9336C-FX2' });
  const contributions: [string, unknown][] = [
    ['bob/rack-1/proof-edgeswitch-1.9.3.json', withDevice({ hardware: 'ES-24-250W' })],
    ['carol/rack-1/proof-edgeswitch-1.9.3.json', withDevice({ hardware: 'ES-48-500W' })],
    ['dave/rack-1/proof-nxos-9.3_8_.json', { ...nxos, model: 'nxos', firmware: '9.3(8)' }],
  ];

  it.each(contributions)('adds lines for %s without changing a line', (file, content) => {
    const page = readFileSync(pageFile, 'utf8');
    const after = checked([path, proof], [file, content]);

    const before = proofsPage(page, checked([path, proof])).split('\n');

    expect(after.errors).toEqual([]);
    const lines = proofsPage(page, after).split('\n');
    expect(lines.length).toBeGreaterThan(before.length);
    expect(lines).toEqual(expect.arrayContaining(before));
  });
});

describe('a file', () => {
  it('is accepted as it is written', () => {
    const { errors, ...files } = checked([path, proof]);

    expect(errors).toEqual([]);
    expect(sightingsOf(files)).toEqual([
      {
        owner: 'alice',
        rack: 'rack-1',
        model: 'edgeswitch',
        firmware: '1.9.3',
        isSwitched: false,
      },
    ]);
  });

  it.each<[string, unknown, string]>([
    ['a secret', { ...proof, password: 'x' }, 'Unrecognized key: "password"'],
    ['a serial number', withDevice({ serial: 'x' }), 'devices[0]: Unrecognized key: "serial"'],
    [
      'an address as hardware',
      withDevice({ hardware: '192.168.1.30' }),
      'devices[0].hardware: is not in the form "EdgeSwitch 24-Port 250W", or looks like an address, a serial number or a key',
    ],
    [
      'an unknown model',
      { ...proof, model: 'edgeswich' },
      expect.stringMatching(/^model: Invalid option: expected one of .*"edgeswitch"/),
    ],
    ['a level', { ...proof, level: 'proven' }, 'Unrecognized key: "level"'],
    [
      'another transport',
      withDevice({ transport: 'snmp' }),
      'devices[0].transport: the model edgeswitch does not support snmp',
    ],
    [
      'a step twice',
      withDevice({ steps: [...device.steps, ...device.steps] }),
      'devices[0].steps: a step is listed twice',
    ],
    [
      'a description only',
      withDevice({ steps: [{ step: 'description', ms: 4, isDone: true, requests: 1 }] }),
      'devices[0].steps: no outlets, configuration or hosts were read',
    ],
    [
      'steps that take no time',
      withDevice({ steps: device.steps.map((step) => ({ ...step, ms: 0 })) }),
      'devices[0].steps: take no time; only contribute readings of real equipment',
    ],
    [
      'a day in the future',
      { ...proof, day: '2026-11-26' },
      'day: is 2026-11-26, not between 2026-11-01 and 2026-11-25; correct the clock and repeat',
    ],
    [
      'power cycles, which nothing writes',
      withDevice({ cycles: { done: 3, failed: 0 } }),
      'devices[0].cycles: no command writes it yet; remove the file',
    ],
    ['no JSON object', 'proof', 'Invalid input: expected object, received string'],
  ])('with %s is rejected', (_, content, message) => {
    const { errors, contributions } = checked([path, content]);

    expect(errors.map((error) => error.slice(`${path}: `.length))).toEqual([message]);
    expect(contributions).toEqual([]);
  });

  it.each([
    'proof-edgeswitch-1.9.3.json',
    'alice/proof-edgeswitch-1.9.3.json',
    'Alice/rack-1/proof-edgeswitch-1.9.3.json',
    'alice/shelf-4/proof-edgeswitch-1.9.3.json',
    'alice/rack-1/more/proof-edgeswitch-1.9.3.json',
    '../rack-1/proof-edgeswitch-1.9.3.json',
  ])('at %s is rejected', (file) => {
    expect(checked([file, proof]).errors).toEqual([
      `${file}: is not at OWNER/rack-NUMBER/proof-MODEL-FIRMWARE.json; move it`,
    ]);
  });

  it('with the name of another model is rejected', () => {
    const file = 'alice/rack-1/proof-eos-1.9.3.json';

    expect(checked([file, proof]).errors).toEqual([
      `${file}: is about another model or firmware; rename it to proof-edgeswitch-1.9.3.json`,
    ]);
  });

  it.each(['alice/rack-2', 'bob/rack-1'])('that is copied to %s is rejected', (folder) => {
    const copy = `${folder}/proof-edgeswitch-1.9.3.json`;

    const { errors, contributions } = checked(
      [copy, { ...proof, day: '2026-11-20' }],
      [path, proof],
    );

    expect(errors).toEqual([
      `${copy}: devices[0]: is a copy of an entry in ${path}; read the rack again, or remove the file`,
    ]);
    expect(contributions).toHaveLength(1);
  });

  it('that is too large is rejected before it is parsed', () => {
    const { errors } = checkProofs(new Map([[path, '['.repeat(300_000)]]), today);

    expect(errors).toEqual([`${path}: is larger than 256 KiB; remove it`]);
  });

  it('with an additional key in any of its objects is rejected', () => {
    const whole = structuredClone(withDevice({ cycles: { done: 1, failed: 0 } }));

    for (const object of objectsIn(whole)) {
      Object.assign(object, { note: 'x' });
      const messages = Proof.safeParse(whole).error?.issues.map(({ message }) => message);
      expect(messages).toEqual(['Unrecognized key: "note"']);
      Reflect.deleteProperty(object, 'note');
    }
    expect(objectsIn(whole)).toHaveLength(7);
    expect(Proof.safeParse(whole).success).toBe(true);
  });

  it('is named after its model and firmware', () => {
    expect(proofFile({ model: 'nxos', firmware: '9.3(8)' })).toBe('proof-nxos-9.3_8_.json');
  });
});

describe('a recording', () => {
  const place = 'alice/rack-1/recording-apc-rpdu2-6.8.0.yaml';
  const recording = {
    schema: 1,
    model: 'apc-rpdu2',
    transport: 'snmp',
    firmware: '6.8.0',
    skolo: '0.2.0',
    day: '2026-11-20',
    options: { outlets: 4 },
    reading: { outlets: { 1: 'on' } },
    talks: [{ kind: 'snmp', received: '1.3.6.1.2.1.1.1.0|4|APC' }],
  };

  it('shows that its model was read', () => {
    const { errors, ...files } = checked([place, recording]);

    expect(errors).toEqual([]);
    expect(recordedModels(files)).toContain('apc-rpdu2');
    const [sighting] = sightingsOf(files);
    expect(sighting).toMatchObject({ owner: 'alice', model: 'apc-rpdu2', isSwitched: false });
    expect(evidenceText(evidenceOf('apc-rpdu2', sightingsOf(files)))).toBe(
      'read in 1 rack (firmware 6.8.0)',
    );
    const page = proofsPage(readFileSync(pageFile, 'utf8'), files);
    expect(page).toContain(`[\`apc-rpdu2\`](${place}) | 6.8.0 | – | 1 | recording | 2026-11-20 |`);
  });

  it('that skolo could not read shows only that it is recorded', () => {
    const { errors, ...files } = checked([place, { ...recording, reading: {} }]);

    expect(errors).toEqual([]);
    expect(sightingsOf(files)).toEqual([]);
    expect(recordedModels(files)).toContain('apc-rpdu2');
  });

  it.each<[string, object, string]>([
    [
      'an address that was not replaced',
      { talks: [{ kind: 'snmp', received: '1.3.6.1.2.1.2.2.1.6.1|4x|b827eb4c9a01' }] },
      'contains b827eb4c9a01, which skolo did not write; record the equipment again, or remove the file',
    ],
    ['an unknown key', { note: 'x' }, 'Unrecognized key: "note"'],
    [
      'another firmware',
      { firmware: '6.9.0' },
      'is about another model or firmware; rename it to recording-apc-rpdu2-6.9.0.yaml',
    ],
    [
      'a day in the future',
      { day: '2026-11-26' },
      'day: is 2026-11-26, not between 2026-11-01 and 2026-11-25',
    ],
  ])('with %s is rejected', (_what, change, message) => {
    const { errors, recordings } = checked([place, { ...recording, ...change }]);

    expect(errors).toEqual([`${place}: ${message}`]);
    expect(recordings).toEqual([]);
  });

  it('at another place is rejected', () => {
    expect(checked(['alice/recording-apc-rpdu2-6.8.0.yaml', recording]).errors).toEqual([
      'alice/recording-apc-rpdu2-6.8.0.yaml: is not at OWNER/rack-NUMBER/recording-MODEL-FIRMWARE.yaml; move it',
    ]);
  });
});

function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(objectsIn);
  return Array.isArray(value) ? inner : [value, ...inner];
}

describe('a reported text', () => {
  it.each(['v2.0.9-hotfix.6', '9.3(8)', '21.4R3-S5.4', 'YA.16.11.0005', '4.29.2F', '4.3.28.11361'])(
    'can be the firmware %s',
    (text) => {
      expect(Firmware.safeParse(text).data).toBe(text);
    },
  );

  it.each(['AP7900B', 'EdgeRouter PoE 5-Port', 'WS-C3650-24PS', 'DCS-7050SX3-48YC8-R', 'J9773A'])(
    'can be the hardware %s',
    (text) => {
      expect(Hardware.safeParse(text).data).toBe(text);
    },
  );

  it.each(['rack4-switch-1', 'canary-login-7f3a', 'Switch of the lab', 'A\nB', ''])(
    'cannot be the hardware %j',
    (text) => {
      expect(Hardware.safeParse(text).success).toBe(false);
    },
  );

  it('never contains an address, a serial number or a key', () => {
    const hex = fc.stringMatching(/^[\da-f]{12}$/);
    const pairs = (text: string, size: number) => text.match(new RegExp(`.{${size}}`, 'g')) ?? [];
    const identity = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.tuple(hex, fc.constantFrom(':', '-')).map(([text, mark]) => pairs(text, 2).join(mark)),
      hex.map((text) => pairs(text, 4).join('.')),
      fc.stringMatching(/^[A-Z\d]{4,12}\d[A-Z\d]{5,12}$/),
      fc.uuid(),
    );
    const before = fc.constantFrom('', 'v', '1.9.3-', 'EdgeSwitch ', 'A (');
    const after = fc.constantFrom('', '-R', ')', '.2', ' A');
    fc.assert(
      fc.property(before, identity, after, (before, text, after) => {
        expect(Hardware.safeParse(`${before}${text}${after}`).success).toBe(false);
        expect(Firmware.safeParse(`${before}${text}${after}`).success).toBe(false);
      }),
      runs(500),
    );
  });
});

describe('the level of a model', () => {
  const sighting = fc.record({
    owner: fc.constantFrom('alice', 'bob', 'carol'),
    rack: fc.constantFrom('rack-1', 'rack-2'),
    model: fc.constantFrom('eos', 'nxos'),
    firmware: fc.constantFrom('1.0', '2.0'),
    isSwitched: fc.boolean(),
  });

  it.each([
    ['not verified on hardware', []],
    ['read in 1 rack (firmware 1.0)', ['alice/rack-1 1.0']],
    ['read in 2 racks (firmware 1.0, 2.0)', ['alice/rack-1 2.0', 'alice/rack-2 1.0']],
    ['switched in 1 rack (firmware 2.0)', ['bob/rack-1 1.0', 'alice/rack-1 2.0 switched']],
    [
      'switched in 2 racks (firmware 1.0)',
      ['alice/rack-1 1.0 switched', 'alice/rack-2 1.0 switched'],
    ],
    ['switched in 1 rack (firmware 1.0)', ['alice/rack-1 1.0 switched', 'bob/rack-1 1.0']],
    [
      'proven in 2 racks (firmware 1.0, 2.0)',
      ['alice/rack-1 1.0 switched', 'bob/rack-1 2.0 switched'],
    ],
  ])('is %s', (text, seen) => {
    const all = seen.map((each) => {
      const [owner = '', rack = '', firmware = '', switched] = each.split(/[/ ]/);
      return { owner, rack, model: 'eos', firmware, isSwitched: switched !== undefined };
    });

    expect(evidenceText(evidenceOf('eos', all, []))).toBe(text);
    expect(evidenceText(evidenceOf('nxos', all, []))).toBe('not verified on hardware');
    expect(evidenceText(evidenceOf('nxos', all, ['nxos']))).toBe('recorded');
  });

  it('is never proven by one owner, and never falls when a file is added', () => {
    fc.assert(
      fc.property(fc.array(sighting, { maxLength: 12 }), sighting, (all, added) => {
        const { level } = evidenceOf('eos', all);
        const own = all.filter(({ owner }) => owner === 'alice');

        expect(evidenceOf('eos', own).level).not.toBe('proven');
        const later = evidenceOf('eos', [...all, added]).level;
        expect(levels.indexOf(later)).toBeGreaterThanOrEqual(levels.indexOf(level));
      }),
      runs(500),
    );
  });

  it.each([
    [{ done: 3, failed: 0 }, true],
    [{ done: 3, failed: 1 }, false],
    [{ done: 0, failed: 0 }, false],
    [undefined, false],
  ])('with cycles %j is switched: %s', (cycles, expected) => {
    const devices = [cycles ? { ...device, cycles } : device, device];

    expect(isSwitched({ ...proof, devices })).toBe(expected);
  });
});
