import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const program = fileURLToPath(new URL('./prose.mjs', import.meta.url));

/**
 * What is printed for a page, without its name.
 *
 * @param {string} page
 */
function check(page) {
  const folder = mkdtempSync(join(tmpdir(), 'skolo-prose-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'page.md');
  writeFileSync(file, page);
  const { status, stderr } = spawnSync(process.execPath, [program, file], { encoding: 'utf8' });
  return { status, lines: stderr.replaceAll(`${file}:`, '').trim() };
}

it('accepts short sentences, code, tables and questions', () => {
  const page = [
    '# What has power; and who asks; and when?',
    '',
    'What has power? The table shows it. See [a page](docs/doors.md); `lane; lane; lane` is code.',
    '',
    '```',
    'nobody; whoever; anew',
    '```',
    '',
    '| a | b; c |',
    '| --- | --- |',
    '| one; two | three |',
  ].join('\n');

  expect(check(page)).toEqual({ status: 0, lines: '' });
});

it('names the line and the better word', () => {
  const page = [
    'The service accepts alerts.',
    'What is no alert goes to nobody; it waits; it ends.',
    '',
    '- one',
    '- This sentence goes on and on, with one fact after the other, until the reader at night has lost the thread, the subject, and the wish to read on at all.',
    '',
    '| cell | the door |',
  ].join('\n');

  const { status, lines } = check(page);

  expect(status).toBe(1);
  expect(lines.split('\n').map((line) => line.slice(0, 45))).toEqual([
    '1: 2 semicolons in a paragraph: split it',
    '1: "What": make the actor the subject',
    '1: "nobody": name the actor, or say "again"',
    '5: 31 words: one fact per sentence: This sent',
    '7: "door": endpoint or receiver',
  ]);
});
