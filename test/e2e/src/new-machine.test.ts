/** `npm ci && npm test` on a new machine: a minimal Debian with git, Python and Node, in which hardly any other program is installed. */

import { join, resolve } from 'node:path';
import { onlyLong } from '@skolo/base/durable/fault-injection';
import { run } from '@skolo/base/testing';
import { lacks, peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';

const repository = join(import.meta.dirname, '../../..');
const program = join(repository, 'test/debian/new-machine');

describe.skipIf(onlyLong ?? lacks('root', 'debian'))('a minimal Debian', () => {
  // For an ordinary user, tests that need root are not run, and for root those of what root may not do.
  it.each(['ann', 'root'])('has no failed test for %s', async (user) => {
    const debian = resolve(peer('debian') ?? '', '../../..');

    const { stdout } = await run(program, [debian, 'HEAD', user], { maxBuffer: 1 << 28 }).catch(
      (error: { stdout: string }) => error,
    );

    const [, closing = stdout] = /\n((?:Failed|Not run):\n[\s\S]*)$/.exec(stdout) ?? [];
    expect(closing).toMatch(/\n\d{4,} passed, 0 failed, \d+ skipped\n$/);
    expect(closing).toContain('\n  xz is not installed (Debian: xz-utils); proves ');
  });
});
