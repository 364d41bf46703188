import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { writeTarball } from './tarball.mjs';

/** @type {string} */
let dir;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'skolo-tarball-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
});

/**
 * Writes the tarball of a bundle that was made at a time, in a directory.
 *
 * @param {string} name
 * @param {number} madeAt in seconds since 1970
 */
function tarball(name, madeAt) {
  const bundle = join(dir, name);
  const paths = ['opt/skolo/b.js', '.dockerenv', 'etc/a.json', 'opt/skolo/bin/run'];
  for (const path of name === 'first' ? paths : paths.toReversed()) {
    mkdirSync(join(bundle, path, '..'), { recursive: true });
    writeFileSync(join(bundle, path), path, { mode: path.includes('bin/') ? 0o755 : 0o644 });
    utimesSync(join(bundle, path), madeAt, madeAt);
  }
  const file = join(dir, `${name}.tar.gz`);
  writeTarball({ bundle, time: 1_790_000_000, file });
  return file;
}

it('has the same bytes when it is made from the same files in another folder', () => {
  const [first, second] = [tarball('first', 1_000_000_000), tarball('second', 1_100_000_000)];

  expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
});

it('contains only files, so that unpacking it changes no directory, and no .dockerenv', () => {
  const listed = execFileSync(
    'tar',
    ['--list', '--verbose', '--numeric-owner', '--utc', '-f', tarball('first', 0)],
    {
      encoding: 'utf8',
    },
  );

  expect(
    listed
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/).join(' ')),
  ).toEqual([
    '-rw-r--r-- 0/0 10 2026-09-21 14:13 etc/a.json',
    '-rw-r--r-- 0/0 14 2026-09-21 14:13 opt/skolo/b.js',
    '-rwxr-xr-x 0/0 17 2026-09-21 14:13 opt/skolo/bin/run',
  ]);
});
