import { lacks, peer, startContainerRegistry } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { baseImages, withDigests } from './image-digests.mjs';

const program = peer('docker-registry');

async function startRegistry() {
  const registry = await startContainerRegistry(program ?? '');
  onTestFinished(() => registry.close());
  return registry;
}

describe.skipIf(lacks('docker-registry'))('images of a release, at a real registry', () => {
  it('have the digests that the registry knows, and keep those that they have', async () => {
    const registry = await startRegistry();
    const { host } = registry;
    const [node, image] = [
      await registry.push('node', '24-slim', 'a'),
      await registry.push('skolo/cli', '1.2.0', 'b'),
    ];
    const names = [`${host}/node:24-slim`, `${host}/skolo/cli:1.2.0@${image}`];

    const pinned = await withDigests(names);

    expect([...pinned.values()]).toEqual([`${names[0]}@${node}`, names[1]]);
  });

  it('are an error of one line where the registry does not have one', async () => {
    const { host } = await startRegistry();

    await expect(withDigests([`${host}/node:24-slim`])).rejects.toThrow(
      new RegExp(`^${host}/node:24-slim: no such tag in ${host}; .*$`),
    );
  });

  it('are an error of one line where the registry does not respond', async () => {
    const { host, close } = await startRegistry();
    await close();

    const message = await withDigests([`${host}/node:24-slim`]).catch((error) => error.message);

    expect(message).toMatch(new RegExp(`^${host}/node:24-slim: .*$`));
  });
});

it('a base without a tag is an error, since nobody knows what it is', async () => {
  await expect(withDigests(['127.0.0.1:1/node'])).rejects.toThrow(
    '127.0.0.1:1/node: not in the form NAME:TAG; add a tag',
  );
});

it('bases are those of the Dockerfile, or of the environment', () => {
  const dockerfile = 'ARG BASE=node:24-slim\nARG BASE_ARMV7=node:22-slim\nARG BUILD_BASE=node:24\n';

  expect(baseImages(dockerfile, {})).toEqual({
    BASE: 'node:24-slim',
    BASE_ARMV7: 'node:22-slim',
    BUILD_BASE: 'node:24-slim',
  });
  expect(baseImages(dockerfile, { BASE: 'a:1', BUILD_BASE: 'b:1' })).toEqual({
    BASE: 'a:1',
    BASE_ARMV7: 'node:22-slim',
    BUILD_BASE: 'b:1',
  });
});
