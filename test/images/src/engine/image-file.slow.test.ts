/** The file of images that a release contains: always the same bytes, and readable for Docker and containerd. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { peer, startContainerd } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { writeImages } from '../../../../scripts/release/images.mjs';
import { baseName } from './base.ts';
import { theEngine } from './testing.ts';

/** Before the images are built. */
const time = 1_790_000_000;

const Bill = z.object({
  components: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      licenses: z
        .array(z.object({ license: z.record(z.string(), z.string()).optional() }))
        .optional(),
      properties: z.array(z.object({ value: z.string() })).optional(),
    }),
  ),
});

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

it('has the same bytes when the images are built again', async ({ skip }) => {
  const { access, docker } = theEngine(skip);
  const image = `${access.prefix}/in-a-file:1`;
  const made: string[] = [];
  for (const name of ['first', 'second']) {
    const file = join(access.dir, `${name}.tar`);
    await writeImages({
      // A builder would use the layers of the first build again.
      docker: (args) =>
        docker(args[0] === 'build' ? ['build', '--no-cache', ...args.slice(1)] : args),
      images: new Map([['alert-to-pubsub', image]]),
      version: '1',
      arch: 'amd64',
      args: { BASE: baseName('amd64') },
      time,
      file,
    });
    made.push(
      (await digestOf(file)) + (await readFile(join(access.dir, `${name}.cdx.json`), 'utf8')),
    );
  }

  expect(made[0]).toBe(made[1]);
  const packages = await readFile(join(access.dir, 'second.packages.txt'), 'utf8');
  expect(packages).toMatch(/^alert-to-pubsub\tlibc6:amd64\t2\.36\S*$/m);
  const bill = Bill.parse(JSON.parse(await readFile(join(access.dir, 'second.cdx.json'), 'utf8')));
  const [base, , ...others] = bill.components;
  // It was loaded from a file.
  expect(base?.properties?.[0]?.value).toBe('image ID');
  expect(base?.version).toBe(await docker(['inspect', '--format', '{{.Id}}', baseName('amd64')]));
  const licences = new Map(
    others.map(({ name, licenses }) => [name, licenses?.map(({ license }) => license)]),
  );
  expect([...licences.values()]).not.toContain(undefined);
  expect(licences.get('node')).toEqual([{ id: 'MIT' }]);
  expect(licences.get('zod')).toEqual([{ id: 'MIT' }]);
  expect(licences.get('libc6')).toContainEqual({ name: 'LGPL-2.1' });
  const file = join(access.dir, 'second.tar');
  await docker(['rmi', image]);
  await docker(['load', '--input', file]);
  expect(await docker(['inspect', '--format', '{{.Created}}', image])).toBe('2026-09-21T14:13:20Z');
  const help = await docker(['run', '--rm', '--network', 'none', image, '--help']);
  expect(help).toContain('alert-to-pubsub');

  const program = peer('containerd');
  if (program === undefined) return skip('containerd is not installed');
  const containerd = await startContainerd(program);
  onTestFinished(() => containerd.close());
  await containerd.ask('images', 'import', '--snapshotter', 'native', file);
  expect(await containerd.ask('images', 'ls', '-q')).toContain(`docker.io/${image}`);
});
