/** `npm ci && npm test` on a new machine: a minimal Debian with git, Python and Node, in which hardly any other program is installed. */
import { join, resolve } from 'node:path';
import { onlyLong } from '@skolo/base/durable/fault-injection';
import { run } from '@skolo/base/testing';
import { lacks, peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';

const repository = join(import.meta.dirname, '../../..');
const program = join(repository, 'test/debian/new-machine');

// The first tier, twice: each takes as long as on this computer.
describe.skipIf(onlyLong ?? lacks('root', 'debian'))('a minimal Debian', () => {
  // For an ordinary user, tests that need root are not run, and for root those of what root may not do.
  it.each(['ann', 'root'])('passes the first tier for %s', async (user) => {
    const debian = resolve(peer('debian') ?? '', '../../..');

    const { stdout } = await run(program, [debian, 'HEAD', user], { maxBuffer: 1 << 28 }).catch(
      (error: { stdout: string }) => error,
    );

    const lines = stdout.trim().split('\n');
    expect(lines.filter((line) => line.startsWith('Failed: '))).toEqual([]);
    expect(lines.at(-1)).toMatch(/^\d{4,} passed, 0 failed, \d+ skipped$/);
    expect(stdout).toMatch(/\nNot run: xz is not installed: \d+ tests of /);
  });
});
