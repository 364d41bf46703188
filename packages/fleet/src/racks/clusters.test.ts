import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@skolo/base/testing';
import { describe, expect, it } from 'vitest';
import { findClustersFile, findRack, parseFleet, readFleet } from './clusters.ts';
import { clustersJsonSchema } from './clusters-schema.ts';

const own = fileURLToPath(new URL('../../../../kube/clusters/config.json', import.meta.url));
const head = { gitdir: '~/skolo', repo: 'https://git.example.com/racks/skolo.git' };
const rack4 = { type: 'k3s', context_name: 'rack4', jumphost: 'jumphost-rack4', port: 6442 };

describe('the file of the original system', () => {
  it('is read unchanged', async () => {
    const { racks } = await readFleet(own);

    expect(racks).toMatchObject([
      { name: 'rack4', type: 'k3s', ways: [{ host: 'jumphost-rack4' }], apiPort: 6443, wave: 1 },
    ]);
  });

  it('may have anything that skolo does not use', async () => {
    const foreign = { ...rack4, port: '6442', owners: ['ann'], 'x-team': { name: 'lab' } };
    const text = {
      gitdir: null,
      repo: 'git@example.com:k8s.git',
      revision: 3,
      clusters: { foreign },
    };

    const { racks } = await parseFleet(JSON.stringify(text), 'config.json');

    expect(racks).toMatchObject([{ name: 'foreign', jumphost: 'jumphost-rack4' }]);
  });

  it('may have clusters of gke', async () => {
    const gke = { type: 'gke', context_name: 'gke_p_z_skia', zone: 'us-central1-a', project: 'p' };

    const { racks } = await parse({ 'skia-public': gke });

    expect(racks).toMatchObject([{ type: 'gke', zone: 'us-central1-a', project: 'p' }]);
  });
});

it('reads our optional keys', async () => {
  const ways = [
    { host: 'jumphost-rack4' },
    { host: '192.168.1.8', jump: 'ops@router', user: 'me' },
  ];
  const way = { user: 'ops', ways, api_port: 7443, internet: false };
  const ours = { ...way, wave: 3, canary: true, notes: 'in the cellar' };

  const { racks } = await parse({ rack4: { ...rack4, ...ours } });

  expect(racks).toEqual([
    {
      name: 'rack4',
      type: 'k3s',
      context: 'rack4',
      jumphost: 'jumphost-rack4',
      ways: [
        { host: 'jumphost-rack4', user: 'ops' },
        { host: '192.168.1.8', jump: 'ops@router', user: 'me' },
      ],
      apiPort: 7443,
      internet: false,
      wave: 3,
      canary: true,
      notes: 'in the cellar',
      overlay: '/racks/kube/racks/rack4',
    },
  ]);
});

describe('errors', () => {
  it.each<[string, Record<string, unknown>, string]>([
    [
      'a key',
      { ...rack4, jumhost: 'x' },
      'clusters.rack4.jumhost: unknown key "jumhost"; did you mean "jumphost"?',
    ],
    [
      'an option of ssh as a host',
      { ...rack4, jumphost: '-oProxyCommand=sh' },
      '"-oProxyCommand=sh" is not a host name',
    ],
    [
      'a shell command as ProxyJump',
      { ...rack4, ways: [{ host: 'x', jump: '`sh`' }] },
      'is not a list of hosts',
    ],
    [
      'a way without a host',
      { ...rack4, ways: [{ user: 'ops' }] },
      'clusters.rack4.ways[0].host: is missing',
    ],
    ['a type', { ...rack4, type: 'k8s' }, 'clusters.rack4.type'],
  ])('names %s', async (_what, cluster, message) => {
    await expect(parse({ rack4: cluster })).rejects.toThrow(message);
  });

  it('shows each at its line', async () => {
    const text = '{\n  "gitdir": "~",\n  "cluster": "no",\n  "clusters": {}\n}';
    const named = text.replace('{}', '{ "Rack 4": 1 }');

    await expect(parseFleet(text, 'config.json')).rejects.toThrow(/^config\.json:3:3 cluster: /);
    await expect(parseFleet(named, 'config.json')).rejects.toThrow(/^config\.json:4:\d+ clusters/);
  });

  it('shows where JSON is malformed', async () => {
    await expect(parseFleet('{ "gitdir": ', 'config.json')).rejects.toThrow(/^config\.json:1:/);
  });
});

it('suggests the rack that was meant', async () => {
  const fleet = await parse({ rack4 });

  expect(findRack(fleet, 'rack4').name).toBe('rack4');
  expect(() => findRack(fleet, 'rakc4')).toThrow('rakc4: no such rack in');
  expect(() => findRack(fleet, 'rakc4')).toThrow('did you mean "rack4"?');
});

it('finds the file from any folder below, and says what to do where there is none', async () => {
  const root = await tempDir();
  const folder = join(root, 'kube/racks/rack4');
  await mkdir(folder, { recursive: true });

  expect(() => findClustersFile(folder)).toThrow('SKOLO_CLUSTERS');
  await mkdir(join(root, 'kube/clusters'));
  await writeFile(join(root, 'kube/clusters/config.json'), '{}');

  expect(findClustersFile(folder)).toBe(join(root, 'kube/clusters/config.json'));
  await expect(readFleet(join(root, 'nowhere.json'))).rejects.toThrow('nowhere.json: no such file');
});

it('clusters.schema.json is current', async () => {
  const file = await readFile(new URL('../../clusters.schema.json', import.meta.url), 'utf8');

  expect(JSON.parse(file), 'run `npm run generate`').toEqual(
    JSON.parse(JSON.stringify(clustersJsonSchema())),
  );
});

function parse(clusters: Record<string, unknown>) {
  return parseFleet(JSON.stringify({ ...head, clusters }), '/racks/kube/clusters/config.json');
}
