/** Secrets on their way to a real API server and a jumphost. */
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { shellWord } from '@skolo/base';
import { Secret } from '@skolo/base/secrets';
import { feed } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { rackSecrets } from '@skolo/rack/secrets';
import { type ControlPlane, peer } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applySecrets, compareSecrets, placeTitle, type SecretsDeps } from '../secrets/index.ts';
import { openRack } from '../way/open-rack.ts';
import { noNamespaces, run, startWorkstation, type Workstation } from './workstation.ts';

const text = `rack: rack4
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
identities:
  bots: { project: my-project, credentials: { serviceAccountKey: secrets/bots.json } }
logins:
  switches: { username: admin, password: secrets/switch, enablePassword: { env: SWITCH_ENABLE } }
`;
const secrets = rackSecrets(parseRack(text, { file: '/etc/skolo/rack.yaml' }));
const canary = 'hunter2-canary';
const values = new Map([
  ['bots.json', new Secret(`{"private_key":"${canary}"}\n`)],
  ['switch', new Secret(canary)],
  ['SWITCH_ENABLE', new Secret(`${canary} "$HOME" \\ \`id\``)],
  ['k3s-token', new Secret(`${canary}-k3s`)],
]);

interface Places {
  /** Is /etc of the jumphost. */
  etc: string;
  workstation: Workstation;
  deps: SecretsDeps;
  /** kubectl as an admin. */
  admin(...args: string[]): Promise<{ stdout: string }>;
  dataOf(namespace: string, name: string): Promise<{ switch: string }>;
  states(): Promise<string[]>;
  close(): Promise<void>;
}

/** Tests of `applySecrets`, in a describe whose beforeAll starts the cluster. */
export function provesSecrets(clusterOf: () => ControlPlane | undefined): void {
  describe.skipIf(noNamespaces)('secrets of a rack', () => {
    let opened: Places | undefined;
    beforeAll(async () => {
      opened = await openPlaces(clusterOf());
    });
    afterAll(() => opened?.close());
    const places = () => {
      if (opened === undefined) throw new Error('the cluster did not start');
      return opened;
    };

    arrive(places);
    change(places);
    leaveK3sAlone(places);
  });
}

async function openPlaces(cluster: ControlPlane | undefined): Promise<Places> {
  const { signal } = new AbortController();
  const etc = await mkdtemp(join(tmpdir(), 'skolo-etc-'));
  await mkdir(join(etc, 'lib'));
  const folders = { '/etc': etc, '/var/lib': join(etc, 'lib') };
  const workstation = await startWorkstation({ ...cluster, folders });
  const { rack, env } = workstation;
  const open = await openRack(rack, { role: 'admin', env, mayAsk: false, signal });
  const need = async (script: string, { input } = { input: '' }) => {
    const command = `exec sh -c ${shellWord(script)}`;
    const child = await open.startOnJumphost(command, { stdio: 'pipe' }, signal);
    feed(child, input);
    const [output, errors, [code]] = await Promise.all([
      child.stdout ? textOf(child.stdout) : '',
      child.stderr ? textOf(child.stderr) : '',
      once(child, 'close'),
    ]);
    if (code !== 0) throw new Error(errors);
    return output;
  };
  const deps: SecretsDeps = {
    rack: 'rack4',
    secrets,
    values,
    signal,
    host: { need },
    cluster: { name: 'rack4', kubectl: open.kubectl },
  };
  await mkdir(join(etc, 'skolo/metadata-server'), { recursive: true });
  const admin = (...args: string[]) =>
    run(peer('kubectl') ?? '', args, { env: { ...process.env, KUBECONFIG: cluster?.kubeconfig } });
  return {
    etc,
    workstation,
    deps,
    admin,
    async dataOf(namespace, name) {
      const { stdout } = await admin('get', 'secret', name, '-n', namespace, '-o', 'json');
      return JSON.parse(stdout).data;
    },
    async states() {
      const all = await compareSecrets(deps);
      return all.map((place) => `${place.state} ${placeTitle(place)}`).sort();
    },
    async close() {
      await open.close();
      await workstation.close();
      await rm(etc, { recursive: true, force: true });
    },
  };
}

function arrive(places: () => Places): void {
  it('come to the cluster, to the units that are installed, and to k3s', async () => {
    const { etc, deps, admin, dataOf, states } = places();
    const file = join(etc, 'secret.yaml');
    // Made by hand, in the way of old: a copy of the value is in an annotation.
    const old = 'c3RhbGU=';
    await writeFile(
      file,
      `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"power-cycle-daemon","namespace":"skolo"},"data":{"switch":"${old}","mine":"${old}"}}`,
    );
    await admin('apply', '-f', file);

    expect(await states()).toEqual([
      'different Secret skolo/power-cycle-daemon key switch',
      'missing /etc/rancher/k3s/token',
      'missing /etc/skolo/metadata-server/secrets/bots.json',
      'missing Secret skolo-node/metadata-server key bots.json',
      'missing Secret skolo/power-cycle-daemon key SWITCH_ENABLE',
      'missing Secret skolo/router-backup key SWITCH_ENABLE',
      'missing Secret skolo/router-backup key switch',
      'not-installed /etc/skolo/power-cycle-daemon/environment variable SWITCH_ENABLE',
      'not-installed /etc/skolo/power-cycle-daemon/secrets/switch',
    ]);

    expect(await applySecrets(deps)).toHaveLength(7);

    const data = await dataOf('skolo', 'power-cycle-daemon');
    expect(Buffer.from(data.switch, 'base64').toString()).toBe(canary);
    const { stdout } = await admin('get', 'secrets', '-A', '-o', 'json');
    expect(stdout).not.toContain('last-applied-configuration');
    const folder = join(etc, 'skolo/metadata-server');
    expect(await readFile(join(folder, 'secrets/bots.json'), 'utf8')).toContain(canary);
    expect(await readlink(join(folder, 'secrets'))).toBe('..data/secrets');
    expect((await stat(join(folder, 'secrets/bots.json'))).mode & 0o777).toBe(0o400);
    expect(await readFile(join(etc, 'rancher/k3s/token'), 'utf8')).toBe(`${canary}-k3s`);
    expect((await stat(join(etc, 'rancher/k3s/token'))).mode & 0o777).toBe(0o600);
  });

  it('are not written again', async () => {
    const { etc, deps } = places();
    const folder = join(etc, 'skolo/metadata-server');
    const version = await readlink(join(folder, '..data'));

    expect(await applySecrets(deps)).toEqual([]);
    expect(await readlink(join(folder, '..data'))).toBe(version);
  });
}

function change(places: () => Places): void {
  it('change alone, and what others made there stays', async () => {
    const { etc, deps, dataOf } = places();
    const folder = join(etc, 'skolo/power-cycle-daemon');
    await mkdir(join(folder, '..1'), { recursive: true });
    await writeFile(join(folder, '..1/rack.yaml'), 'rack: rack4\n');
    await writeFile(join(folder, '..1/environment'), 'OTHER="a\\"b"\n');
    await run('ln', ['-s', '..1', join(folder, '..data')]);
    for (const name of ['rack.yaml', 'environment']) {
      await run('ln', ['-s', `..data/${name}`, join(folder, name)]);
    }

    const written = await applySecrets({
      ...deps,
      values: new Map([...values, ['switch', new Secret('another')]]),
    });

    expect(written.map(placeTitle).sort()).toEqual([
      '/etc/skolo/power-cycle-daemon/environment variable SWITCH_ENABLE',
      '/etc/skolo/power-cycle-daemon/secrets/switch',
      'Secret skolo/power-cycle-daemon key switch',
      'Secret skolo/router-backup key switch',
    ]);
    expect(await dataOf('skolo', 'power-cycle-daemon')).toHaveProperty('SWITCH_ENABLE');
    expect(await readFile(join(folder, 'rack.yaml'), 'utf8')).toBe('rack: rack4\n');
    expect(await readFile(join(folder, 'environment'), 'utf8')).toBe(
      `OTHER="a\\"b"\nSWITCH_ENABLE="${canary} \\"\\$HOME\\" \\\\ \\\`id\\\`"\n`,
    );
    const { gid, mode } = await stat(join(folder, 'secrets/switch'));
    expect({ gid, mode: mode & 0o777 }).toEqual({ gid: 10_001, mode: 0o440 });
    expect((await readdir(folder)).filter((name) => name.startsWith('..'))).toHaveLength(2);
  });

  it('stay where the store has none, and leave the cluster with rack.yaml', async () => {
    const { deps, dataOf } = places();
    const fewer = secrets.map((secret) => ({
      ...secret,
      keys: secret.keys.filter(({ key }) => key !== 'SWITCH_ENABLE'),
    }));

    await applySecrets({ ...deps, secrets: fewer, values: new Map() });

    const data = await dataOf('skolo', 'power-cycle-daemon');
    expect(Buffer.from(data.switch, 'base64').toString()).toBe('another');
    expect(data).not.toHaveProperty('SWITCH_ENABLE');
  });
}

function leaveK3sAlone(places: () => Places): void {
  it('of k3s are never replaced, and a file by hand is left alone', async () => {
    const { etc, deps } = places();
    const other = new Map([['k3s-token', new Secret('other')]]);
    await expect(applySecrets({ ...deps, values: other })).rejects.toThrow('k3s token rotate');
    const folder = join(etc, 'skolo/metadata-server');
    await writeFile(join(folder, 'mine'), '');
    const bots = new Map([['bots.json', new Secret('other')]]);

    await expect(applySecrets({ ...deps, values: bots })).rejects.toThrow('was created manually');
  });

  it('of k3s are its own, where it had one before the store', async () => {
    const { etc, deps, states } = places();
    const file = join(etc, 'rancher/k3s/token');
    const own = join(etc, 'lib/rancher/k3s/server');
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'token'), `K10abcdef::server:${canary}-k3s\n`);

    expect(await states()).toContain('same /etc/rancher/k3s/token');
    await writeFile(join(own, 'token'), 'K10abcdef::server:other\n');
    expect(await states()).toContain('different /etc/rancher/k3s/token');
    await expect(applySecrets(deps)).rejects.toThrow('k3s token rotate');
    // A full disk or a power cut leaves this of a first start.
    await writeFile(join(own, 'token'), '');
    expect(await states()).toContain('same /etc/rancher/k3s/token');
    await writeFile(join(own, 'token'), 'K10abcdef::server:other\n');
    await rm(file);
    await expect(applySecrets(deps)).rejects.toThrow(
      'k3s uses a different token from the one in the secret store',
    );
  });

  it('are in no command line that came to the jumphost', async () => {
    const { workstation } = places();
    const all = (await workstation.jumphost.commands()).join('\n');

    expect(all).toContain('sha256sum');
    expect(all).not.toContain(canary);
    expect(all).not.toContain(Buffer.from(canary).toString('base64').slice(0, 12));
  });
}
