import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const program = fileURLToPath(new URL('./prose.mjs', import.meta.url));

/**
 * The output for a file, without its name.
 *
 * @param {string} name
 * @param {string} text
 */
function check(name, text) {
  const folder = mkdtempSync(join(tmpdir(), 'skolo-prose-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, name);
  writeFileSync(file, text);
  const { status, stderr } = spawnSync(process.execPath, [program, file], { encoding: 'utf8' });
  return { status, lines: stderr.replaceAll(`${file}:`, '').trim().split('\n') };
}

it('accepts plain sentences, code, links and questions', () => {
  const page = [
    '# What has power, and who asks?',
    '',
    'What has power? The table shows it. See [a page](docs/doors.md); `in force` is code.',
    '',
    '```',
    'census; anew; refused',
    '```',
    '',
    '| a | b |',
    '| --- | --- |',
    '| connection refused | open |',
  ].join('\n');

  expect(check('page.md', page)).toEqual({ status: 0, lines: [''] });
});

it('names words and calques of a page, with their lines and what to write instead', () => {
  const page = [
    'The new version is in force.',
    'What is rejected has to be sent again.',
    '',
    '| cell | the door of before |',
  ].join('\n');

  expect(check('page.md', page)).toEqual({
    status: 1,
    lines: [
      '1: "in force": active, in effect',
      '1: "has to be": must be',
      '1: "What is rejected has to be sent again.": make the actor the subject',
      '4: "door": endpoint',
      '4: "of before": previous, current',
    ],
  });
});

it('names sentences of more than 30 words', () => {
  const { lines } = check('page.md', `It has ${'one and '.repeat(15)}ends.`);

  expect(lines[0]).toMatch(/^1: 33 words: split it: It has one and /);
});

it('names pages with too many passive sentences and "what …" clauses', () => {
  const page = `${'It was rejected by the switch. '.repeat(15)}${'It prints what it has read. '.repeat(10)}`;

  expect(check('page.md', page).lines).toEqual([
    '1: passive voice in 60 % of the sentences; at most 45',
    '1: "what …" clauses in 40 % of the sentences; at most 12',
  ]);
});

it('checks strings, templates and JSX of a source, and not its code', () => {
  const source = [
    "import { a } from './in force of it.ts';",
    '// The new version is in force.',
    "const sql = 'SELECT the census of it';",
    'export const text = `',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a source
    'the ${a} version is in force`;',
    'export const page = <p title="the census of cables">It has to be right.</p>;',
  ].join('\n');

  expect(check('source.tsx', source).lines).toEqual([
    '4: "in force": active, in effect',
    '6: "census": cabling audit',
    '6: "has to be": must be',
  ]);
});

it('checks exported names of packages that have equipment, phones and attached devices', () => {
  const source = [
    'export interface AttachedDevice {}',
    'export const allDevices = 1;',
    'const device = 1;',
    'export async function elementsOf(device) {}',
  ].join('\n');

  expect(check('source.ts', source).lines).toEqual([
    '2: "devices": equipment; phone, attached device',
    '4: "elements": equipment; phone, attached device',
  ]);
});

it('checks summaries and descriptions of alert rules', () => {
  const rules = [
    'groups:',
    '  - name: a',
    '    rules:',
    '      - alert: A',
    '        expr: census > 0',
    '        annotations:',
    '          summary: the uplink is down',
    '          description: >-',
    '            Of {{ $labels.job }} the old',
    '            version is in force.',
  ].join('\n');

  expect(check('rules.yaml', rules).lines).toEqual([
    '7: "uplink is down": internet connection',
    '8: "in force": active, in effect',
    '8: "Of X the old version is in force.": make the actor the subject',
  ]);
});

it('a device is attached to a machine; files about machines may call it so', () => {
  const page =
    'Machines, devices and USB devices. A device is attached. The device has an outlet.\n';

  expect(check('page.md', page).lines).toEqual([
    '1: "device": equipment, a piece of equipment; switch, PDU, router, controller',
  ]);
  expect(check('swarming.md', page)).toEqual({ status: 0, lines: [''] });
});
