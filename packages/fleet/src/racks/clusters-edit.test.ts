import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { expect, it } from 'vitest';
import { addRack, removeRack } from './clusters-edit.ts';

const rack4 = { type: 'k3s', context_name: 'rack4', jumphost: 'jumphost-rack4', port: 6442 };
const head = { gitdir: '~/skolo', repo: 'https://git.example.com/racks/skolo.git' };

it('adds racks, each with a port of its own, and keeps what is there', async () => {
  const { file, read } = await newFile({ ...head, clusters: { rack4 } });

  await addRack(file, 'rack5', { type: 'k3s', jumphost: 'jumphost-rack5', jump: 'router' });
  await addRack(file, 'web', { type: 'gke', zone: 'us-central1-a', project: 'skia' });

  expect(await read()).toEqual({
    ...head,
    clusters: {
      rack4,
      rack5: {
        type: 'k3s',
        context_name: 'rack5',
        jumphost: 'jumphost-rack5',
        port: 6443,
        ways: [{ host: 'jumphost-rack5', jump: 'router' }],
      },
      web: {
        type: 'gke',
        context_name: 'gke_skia_us-central1-a_web',
        zone: 'us-central1-a',
        project: 'skia',
      },
    },
  });
  expect(Object.keys(await read())).toEqual(['gitdir', 'repo', 'clusters']);
});

it('keeps what other programs have there, and a port of its own beside one that is text', async () => {
  const foreign = {
    ...head,
    revision: [3],
    clusters: { rack4: { ...rack4, port: '6450', team: 'lab' } },
  };
  const { file, read } = await newFile(foreign);

  await addRack(file, 'rack5', { type: 'k3s', jumphost: 'jumphost-rack5' });

  const { clusters, ...rest } = await read();
  expect({ ...rest, clusters: { rack4: clusters.rack4 } }).toEqual(foreign);
  expect(clusters.rack5.port).toBe(6451);
});

it('removes a rack', async () => {
  const { file, read } = await newFile({ ...head, clusters: { rack4 } });

  await removeRack(file, 'rack4');

  expect(await read()).toEqual({ ...head, clusters: {} });
});

it.each(['  ', '    ', '\t'])('keeps an indent of %j', async (indent) => {
  const { file } = await newFile({ ...head, clusters: { rack4 } });
  const text = `${JSON.stringify({ ...head, clusters: { rack4 } }, null, indent)}\n`;
  await writeFile(file, text);

  await addRack(file, 'rack5', { type: 'k3s', jumphost: 'jumphost-rack5' });
  await removeRack(file, 'rack5');

  expect(await readFile(file, 'utf8')).toBe(text);
});

it('changes nothing where it cannot do what it should', async () => {
  const { file, read } = await newFile({ ...head, clusters: { rack4 } });

  await expect(addRack(file, 'rack4', { type: 'k3s', jumphost: 'x' })).rejects.toThrow('already');
  await expect(addRack(file, 'rack5', { type: 'k3s', jumphost: '-o' })).rejects.toThrow('"-o"');
  await expect(addRack(file, 'Rack', { type: 'k3s', jumphost: 'x' })).rejects.toThrow('"Rack"');
  await expect(removeRack(file, 'rack5')).rejects.toThrow('did you mean "rack4"?');

  expect(await read()).toEqual({ ...head, clusters: { rack4 } });
});

async function newFile(content: object) {
  const folder = await tempDir();
  const file = join(folder, 'config.json');
  await writeFile(file, JSON.stringify(content));
  return { file, read: async () => JSON.parse(await readFile(file, 'utf8')) };
}
