/** Texts of others reach a terminal without control characters: everything is printed by `out` and `err`, except what is listed here. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonText, printable, styled } from './output/text.ts';

/** Files that write unchanged output, and what it is. */
const users: Readonly<Record<string, string>> = {
  'commands/backup/diff.ts': 'a diff for a program, never for a terminal',
  'commands/backup/output-content.ts':
    'a configuration, for a terminal only without control characters',
  'commands/machine/watch-machines.ts': 'its own control sequences',
  'commands/status/status.ts': 'its own control sequences',
  'commands/workstation/logs.ts': 'pieces of lines, with visible control characters',
  'output/live-area.ts': 'its own control sequences',
};

it('only these write raw output, or use standard output themselves', () => {
  const folder = import.meta.dirname;
  const files = globSync('**/*.ts', { cwd: folder }).filter(
    (file) => !/\.test\.ts$|^testing\/|^main\.ts$/.test(file),
  );
  const raw = /\.raw\(|\{[^{}]*\braw\b[^{}]*\} = |process\.std(?:out|err)|console\.(?:log|error)/;
  const found = files.filter(
    (file) => file !== 'io.ts' && raw.test(readFileSync(join(folder, file), 'utf8')),
  );

  expect(found.sort()).toEqual(Object.keys(users));
});

const hostile = 'new fan\u001b[2J\u001b]0;title\u0007\u009b31m\u202Etxet\rover\u0008';

describe('texts of others', () => {
  it.each([false, true])('have no control characters when printed, colours: %s', (colour) => {
    const shown = printable(`${styled('held', 'red', true)}: ${hostile}\n\tby ann`, colour);

    const held = colour ? '\u001b[31mheld\u001b[39m' : '^[[31mheld^[[39m';
    expect(shown).toBe(`${held}: new fan^[[2J^[]0;title^GM-^[31m<U+202E>txet^Mover^H\n\tby ann`);
  });

  it.each(['bold', 'dim', 'red', 'green', 'yellow'] as const)('may be %s', (style) => {
    const text = styled('a', style, true);

    expect(printable(text, true)).toBe(text);
  });

  it('are the same values in JSON', () => {
    const text = jsonText({ hostile }, 2);

    // biome-ignore lint/suspicious/noControlCharactersInRegex: it finds control characters
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(JSON.parse(text)).toEqual({ hostile });
  });
});
