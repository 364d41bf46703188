/** What the generation of tables rejects. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { readTables } from '../../../generate/tables.ts';

async function read(values: Record<string, unknown>, proof: Record<string, unknown> = {}) {
  const dir = await tempDir();
  const table = { name: 'odd', label: 'Odd switch', base: 'generic', source: 'its manual' };
  const text = stringify({ ...table, ...proof, values: { commands: ['show'], ...values } });
  await writeFile(join(dir, 'odd.yaml'), text);
  return readTables(dir);
}

const recorded = { recorded: ['odd__1'] };

describe('readTables', () => {
  it.each([
    ['nothing', {}],
    ['two readings', { complete: 'twice' }],
    ['lines that change', { volatile: ['^time'] }],
  ])(
    'rejects a table whose configurations only %s distinguishes from messages',
    async (_what, values) => {
      const what =
        'odd.yaml: has neither `has` nor `complete: { end: REGEX }`, so an error message';

      await expect(read(values)).rejects.toThrow(what);
      await expect(read(values, recorded)).rejects.toThrow(what);
    },
  );

  it('rejects an unverified line as verified, and a recorded one as unverified', async () => {
    const manual = { has: { manual: '^hostname ' } };

    await expect(read({ has: '^hostname ' })).rejects.toThrow('no configuration is recorded');
    await expect(read(manual, recorded)).rejects.toThrow('its configuration is recorded');
  });

  it.each([
    ['no end', { complete: {} }],
    ['another key', { complete: { ende: '^end$' } }],
    ['an empty end', { complete: { end: '' } }],
    ['an end that any line is', { complete: { end: '.*' } }],
    ['no text', { has: null }],
    ['an empty map', { has: {} }],
    ['an empty manual', { has: { manual: '' } }],
    ['an empty text', { has: '' }],
    ['no expression', { has: { manual: '(' } }],
    ['what any line has', { has: { manual: '.*' } }],
    ['what an empty line has', { has: { manual: '^hostname|' } }],
    ['what a sentence has', { has: { manual: '\\w' } }],
    ['what an error has', { has: { manual: '^\\S+ Error|[0-9]+' } }],
    ['what two lines have', { has: { manual: '^.' }, complete: { end: '$' } }],
  ])('rejects %s as a sign of a configuration', async (_what, values) => {
    await expect(read(values)).rejects.toThrow(/^odd\.yaml: /);
  });

  it.each([
    ...[
      '^[a-z]',
      '^\\w+$',
      '^[A-Z]+$',
      '^\\S+ \\S+$',
      '^.{1,12}$',
      'denied',
      '^ERROR',
      '[/\\[{]',
      '-',
    ],
    ...[
      '^[A-Za-z ]+$',
      '^[^%].*[^.!]$',
      '^[m-z]',
      '^.{99,}',
      'timed? ?out',
      '^\\d',
      '=',
      '^\\s',
      '^%',
    ],
    ...[
      '[Ff]ailed$',
      '^\\S+: ',
      '^\\w+ \\w+ \\w+$',
      '^[A-Z][a-z]+ [A-Z]',
      'e',
      'Invalid|Unknown',
      '^\\[',
    ],
  ])('rejects %s, which messages also have', async (line) => {
    await expect(read({ has: line }, recorded)).rejects.toThrow(
      `odd.yaml: has \`${line}\`, which also matches an empty line or a message`,
    );
    await expect(read({ complete: { end: line } })).rejects.toThrow(
      `odd.yaml: ends with \`${line}\`, which also matches an empty line or a message`,
    );
  });

  it.each([
    ...[
      '^hostname ',
      '^version \\d',
      '^interface ',
      '^set system ',
      '^!Version',
      '^end$',
      '^\\}$',
      '^return$',
    ],
    ...[
      '^<\\?xml ',
      '^# \\S+ by RouterOS',
      '^## Last commit',
      '^config system ',
      '^vlan \\d+$',
      '^exit$',
    ],
  ])('accepts %s, which messages do not have', async (line) => {
    expect(await read({ has: line }, recorded)).toHaveLength(1);
    expect(await read({ complete: { end: line } })).toHaveLength(1);
  });

  it.each(['^(\\S+\\s*)+[{]$', '^(\\S+\\s?){1,20}x$', '^(\\w*)*(\\W*\\w*)*=$'])(
    'rejects %s, which takes too long, also beside another sign',
    async (line) => {
      const slow = `the regular expression /${line}/ takes too long`;

      await expect(read({ has: line }, recorded)).rejects.toThrow(slow);
      await expect(read({ has: line, complete: { end: '^end$' } }, recorded)).rejects.toThrow(slow);
      await expect(read({ complete: { end: line } })).rejects.toThrow(slow);
    },
  );

  it('rejects no session as a recorded one', async () => {
    await expect(read({ has: '^hostname ' }, { recorded: [] })).rejects.toThrow('recorded');
  });

  it.each([
    [{ complete: { end: '^end$' } }, {}],
    [{ has: '^hostname ' }, recorded],
    [{ has: '^hostname ', complete: { end: '.' } }, recorded],
    [{ has: { manual: '^hostname ' } }, {}],
  ])('accepts %j', async (values, proof) => {
    expect(await read(values, proof)).toMatchObject([{ table: { name: 'odd', values } }]);
  });
});
