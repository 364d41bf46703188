/**
 * The command that returns to an existing system, in namespaces, with a fake systemctl and a fake k3s. A Debian with its own systemd is in
 * test/e2e/src/systemd-jumphost.test.ts.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { hasNamespaces } from '@skolo/fleet/testing';
import { expect, it } from 'vitest';

const main = join(import.meta.dirname, '../main.ts');

/** Also of process IDs: pods of other tests may be metadata servers. */
const namespaces = ['--mount', '--net', '--pid', '--fork', '--mount-proc'];

/** It runs what it starts, and writes down each command that changes something. */
const systemctl = `#!/bin/sh
cd "$(dirname "$0")"
shift
for unit; do :; done
case $1 in
  show)
    printf 'LoadState=loaded\\nActiveEnterTimestampMonotonic=1\\n'
    [ -e "$unit" ] && echo ActiveState=active || echo ActiveState=inactive
    exit ;;
  start)
    touch "$unit"
    node -e "http.createServer((_, response) => response.end('a token')).listen(80, () => console.log())" > ready 2>&1 &
    until [ -s ready ]; do sleep 0.05; done ;;
esac
echo "$*" >> changes
`;

const k3s = `
const deployment = '/apis/apps/v1/namespaces/skolo-node/deployments/metadata-server';
const objects = {
  '/readyz': 'ok',
  '/api/v1/namespaces/skolo-node': { metadata: {} },
  [deployment]: { spec: { replicas: 1 } },
};
http.createServer(async (request, response) => {
  let body = '';
  for await (const data of request) body += data;
  if (body) fs.appendFileSync('patches', request.url + ' ' + body + '\\n');
  response.end(JSON.stringify(objects[request.url] ?? { items: [] }));
}).listen(6443, '127.0.0.1', () => console.log());
`;

it.skipIf(!hasNamespaces)(
  'one command returns to the existing metadata server, and stops ours',
  async () => {
    const dir = await tempDir();
    const file = (name: string) => join(dir, name);
    await writeFile(file('systemctl'), systemctl, { mode: 0o755 });
    await writeFile(file('k3s.yaml'), 'server: http://127.0.0.1:6443\n');
    const script = `cd ${dir}
ip link set lo up
for folder in /run /var/lib; do mount -t tmpfs tmpfs $folder; done
node -e "$K3S" > k3s &
until [ -s k3s ]; do sleep 0.05; done
node ${main} existing metadata-server metadata`;
    const env = {
      ...process.env,
      PATH: `${dir}:${join(process.execPath, '..')}:${process.env.PATH}`,
      K3S: k3s,
      SUDO_USER: 'ann',
      SKOLO_FALLBACK_KUBECONFIG: file('k3s.yaml'),
    };

    const { stdout } = await run('unshare', [...namespaces, 'sh', '-ec', script], { env });

    expect(stdout).toBe(
      'metadata-server: failed over to metadata.service, which is running; http://127.0.0.1 returns 200\n',
    );
    expect((await readFile(file('changes'), 'utf8')).trim().split('\n')).toEqual([
      'disable --quiet skolo-metadata-server.service',
      'stop --quiet skolo-metadata-server.service',
      'start --quiet metadata.service',
      'enable --quiet metadata.service',
    ]);
    expect(await readFile(file('patches'), 'utf8')).toMatch(
      /failed over to metadata\.service by ann .*\n.*\/metadata-server\/scale \{"spec":\{"replicas":0\}\}\n$/,
    );
  },
);
