import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, tempDir } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { renderDerived } from '@skolo/rack/render';
import { lacks, peer, startControlPlane } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments, parseDocument } from 'yaml';
import { z } from 'zod';
import { startEnrolmentRack } from './rack.ts';

const component = fileURLToPath(new URL('../../../../kube/components/enrolment/', import.meta.url));
const [kubectl, program] = [peer('kubectl'), peer('control-plane')];
const why = lacks('kubectl', 'control-plane');

const machines = `  rpi-1: { kind: rpi, serial: 10000000f00dcafe }
  rpi-2: { kind: rpi, serial: 10000000f00dcaff }`;

/** The policy of the component, with the patch of `skolo rack render`. */
async function admissionOf(lines: string): Promise<string> {
  const text = `rack: rack4
network: { subnet: 127.0.0.0/8 }
jumphost: { name: jumphost, address: 127.0.0.8 }
machines:\n${lines}
services: { machine-state: { enrolment: {} } }\n`;
  const { files } = renderDerived(parseRack(text, { file: '/rack.yaml' }));
  const patch = parseDocument(files.get('enrolment-machines.yaml') ?? '');
  const [policy, ...others] = parseAllDocuments(
    await readFile(join(component, 'admission.yaml'), 'utf8'),
  );
  policy?.setIn(['spec', 'variables'], patch.getIn(['spec', 'variables'], true));
  return [policy, ...others].join('');
}

const Config = z.object({
  clusters: z.array(
    z.object({
      cluster: z.object({
        server: z.string(),
        'certificate-authority-data': z.string().optional(),
        'certificate-authority': z.string().optional(),
      }),
    }),
  ),
});

it.skipIf(why)(
  'joins Pis by a real API server, where machine-state may do nothing else',
  async () => {
    const dir = await tempDir();
    const plane = await startControlPlane(program ?? '', kubectl ?? '', {
      folder: join(dir, 'plane'),
    });
    onTestFinished(() => plane.close());
    const at = (file: string, ...words: string[]) =>
      run(kubectl ?? '', [`--kubeconfig=${file}`, ...words]);
    const admin = (...words: string[]) => at(plane.kubeconfig, ...words);
    const hash = { stringData: { hash: 'x' } };
    const objects = [
      ['Namespace', { name: 'skolo' }],
      ['ServiceAccount', { name: 'machine-state', namespace: 'skolo' }],
      ['Node', { name: 'rpi-1' }],
      ['Node', { name: 'rpi-2' }],
      ['Node', { name: 'jumphost', labels: { 'node-role.kubernetes.io/control-plane': 'true' } }],
      ['Secret', { name: 'rpi-1.node-password.k3s', namespace: 'kube-system' }, hash],
      ['Secret', { name: 'jumphost.node-password.k3s', namespace: 'kube-system' }, hash],
      ['Secret', { name: 'other', namespace: 'kube-system' }, hash],
    ] as const;
    const items = objects.map(([kind, metadata, more]) => ({
      apiVersion: 'v1',
      kind,
      metadata,
      ...more,
    }));
    await writeFile(join(dir, 'all'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    await admin('apply', '-f', join(dir, 'all'));
    const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    await admin('patch', 'node', 'rpi-2', '--subresource=status', '-p', JSON.stringify(ready));
    await admin('apply', '-f', join(component, 'access.yaml'));
    await writeFile(join(dir, 'admission.yaml'), await admissionOf(machines));
    await admin('apply', '-f', join(dir, 'admission.yaml'));

    const { cluster } =
      Config.parse(parse(await readFile(plane.kubeconfig, 'utf8'))).clusters[0] ?? {};
    const { server = '' } = cluster ?? {};
    const data = cluster?.['certificate-authority-data'];
    const ca =
      data === undefined
        ? await readFile(cluster?.['certificate-authority'] ?? '', 'utf8')
        : Buffer.from(data, 'base64').toString();
    const token = await plane.tokenOf('skolo', 'machine-state', 3600);
    await writeFile(join(dir, 'ca.crt'), ca);
    await writeFile(join(dir, 'token'), token, { mode: 0o600 });
    const account = join(dir, 'kubeconfig');
    await writeFile(
      account,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'a',
        clusters: [
          {
            name: 'a',
            cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') },
          },
        ],
        users: [{ name: 'a', user: { token } }],
        contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      }),
    );
    const tries = (...words: string[]) =>
      at(account, ...words).then(
        () => 'done',
        ({ stderr }: { stderr: string }) => stderr,
      );
    // The API server learns of a policy within a second or so.
    await expect
      .poll(() => tries('delete', '-n', 'kube-system', 'secret', 'other', '--dry-run=server'))
      .toMatch(/denied|forbidden/);

    const rack = await startEnrolmentRack(machines, { url: server, account: dir });
    const image = await rack.image();
    const pi = await rack.card({ serial: '10000000f00dcafe', mac: 'dc:a6:32:00:00:01' }, image);
    await pi.boot();
    const alive = await rack.card({ serial: '10000000f00dcaff', mac: 'dc:a6:32:00:00:02' }, image);
    void alive.boot();
    await expect.poll(() => alive.log).toContain('rpi-2 is running');

    expect(pi.log).toContain('rpi-1 has joined the cluster');
    const [, id, secret] =
      /::(\w{6})\.(\w{16})$/m.exec(await pi.read('/etc/rancher/k3s/token')) ?? [];
    const kept = await admin(
      'get',
      '-n',
      'kube-system',
      'secret',
      `bootstrap-token-${id}`,
      '-o',
      'yaml',
    );
    expect(kept.stdout).toContain(Buffer.from(secret ?? '').toString('base64'));
    expect((await admin('get', 'nodes', '-o', 'name')).stdout).toBe('node/jumphost\nnode/rpi-2\n');
    expect((await admin('get', '-n', 'kube-system', 'secrets', '-o', 'name')).stdout).not.toContain(
      'rpi-1.node-password',
    );

    // What whoever takes over machine-state cannot do.
    const made = (name: string, more: object) =>
      writeFile(
        join(dir, name),
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: `bootstrap-token-${name}`, namespace: 'kube-system' },
          ...more,
        }),
      );
    const fields = {
      'token-id': 'abcdef',
      'token-secret': '0123456789abcdef',
      'usage-bootstrap-authentication': 'true',
      'auth-extra-groups': 'system:bootstrappers:k3s:default-node-token',
    };
    const within = (minutes: number) =>
      new Date(Date.now() + minutes * 60_000).toISOString().replace(/\.\d+Z/, '.000Z');
    const expiration = within(10);
    const type = 'bootstrap.kubernetes.io/token';
    const bad = {
      opaque: { stringData: { ...fields, expiration } },
      account: {
        type: 'kubernetes.io/service-account-token',
        metadata: {
          name: 'a',
          namespace: 'kube-system',
          annotations: { 'kubernetes.io/service-account.name': 'default' },
        },
      },
      forever: { type, stringData: fields },
      never: { type, stringData: { ...fields, expiration: '' } },
      late: { type, stringData: { ...fields, expiration: '9999-12-31T23:59:59.999Z' } },
      long: { type, stringData: { ...fields, expiration: within(21) } },
      other: { type, stringData: { ...fields, expiration: within(10).replace('.000Z', 'Z') } },
      appended: { type, stringData: { ...fields, expiration: `${within(10)}000` } },
      server: {
        type,
        stringData: {
          ...fields,
          expiration,
          'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
        },
      },
    };
    await made('good', { type, stringData: { ...fields, expiration } });
    expect(await tries('create', '--dry-run=server', '-f', join(dir, 'good'))).toBe('done');
    for (const [name, more] of Object.entries(bad)) {
      await made(name, more);
      expect([name, await tries('create', '-f', join(dir, name))]).toEqual([
        name,
        expect.stringMatching(/denied/),
      ]);
    }
    for (const words of [
      ['get', '-n', 'kube-system', 'secret', 'other'],
      ['get', '-n', 'kube-system', 'secrets'],
      ['delete', '-n', 'kube-system', 'secret', 'other'],
      ['delete', 'node', 'jumphost'],
      ['delete', '-n', 'kube-system', 'secret', 'jumphost.node-password.k3s'],
      ['create', '-n', 'skolo', 'secret', 'generic', 'a'],
      ['label', 'node', 'rpi-2', 'a=b'],
      ['get', 'pods', '-A'],
    ]) {
      expect([words, await tries(...words)]).toEqual([
        words,
        expect.stringMatching(/denied|[Ff]orbidden/),
      ]);
    }
  },
);
