/** Secrets on their way to a fake cluster and to real files. packages/cli/src/secrets.slow.test.ts has a real API server and sshd. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '@skolo/base/secrets';
import { feed, run, tempDir } from '@skolo/base/testing';
import { parseRack } from '@skolo/rack';
import { rackSecrets } from '@skolo/rack/secrets';
import { expect, it } from 'vitest';
import { createFakeRack } from '../push/testing/fake-rack.ts';
import { noNamespaces } from '../testing/workstation.ts';
import { applySecrets } from './apply.ts';
import { placeTitle } from './places.ts';

const rack = parseRack(
  `rack: rack4
jumphost: { name: jumphost-rack4, address: 192.168.1.8 }
logins: { switches: { username: admin, password: { env: SWITCH }, enablePassword: secrets/enable } }
equipment: { switch-1: { model: edgeswitch, address: 192.168.1.2, login: switches } }
`,
  { file: 'rack.yaml' },
);

it.skipIf(noNamespaces)('values reach the cluster and the jumphost, once', async () => {
  const etc = await tempDir();
  await mkdir(join(etc, 'skolo/power-cycle-daemon'), { recursive: true });
  const { kubectl } = createFakeRack({ kubectl: () => Promise.reject(new Error('no kustomize')) });
  const host = {
    async need(script: string, { input = '' } = {}) {
      const inNamespace = `mount --bind '${etc}' /etc; exec sh -ec "$0"`;
      const ended = run('unshare', ['--mount', 'sh', '-ec', inNamespace, script]);
      feed(ended.child, input);
      return (await ended).stdout;
    },
  };
  const apply = async (password: string) => {
    const values = new Map([
      ['SWITCH', new Secret(password)],
      ['enable', new Secret('of enable')],
    ]);
    const { signal } = new AbortController();
    const cluster = { name: 'rack4', kubectl };
    const secrets = rackSecrets(rack);
    const written = await applySecrets({ rack: 'rack4', secrets, values, cluster, host, signal });
    return written.map(placeTitle);
  };

  const first = await apply('one');
  const again = await apply('one');
  const changed = await apply('a "new" one');

  expect(first).toEqual([
    '/etc/skolo/power-cycle-daemon/environment variable SWITCH',
    '/etc/skolo/power-cycle-daemon/secrets/enable',
    'Secret skolo/router-backup key SWITCH',
    'Secret skolo/power-cycle-daemon key SWITCH',
    'Secret skolo/router-backup key enable',
    'Secret skolo/power-cycle-daemon key enable',
  ]);
  expect(again).toEqual([]);
  expect(changed).toEqual(first.filter((title) => title.includes('SWITCH')));
  const file = (name: string) => readFile(join(etc, 'skolo/power-cycle-daemon', name), 'utf8');
  expect(await file('environment')).toBe('SWITCH="a \\"new\\" one"\n');
  expect(await file('secrets/enable')).toBe('of enable');
  const { data } = JSON.parse(await kubectl(['get', 'secret', 'router-backup']));
  expect(Buffer.from(data.SWITCH, 'base64').toString()).toBe('a "new" one');
});
