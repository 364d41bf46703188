/**
 * The command that returns to an existing system, in namespaces, with a fake systemctl and a fake k3s. A Debian with its own systemd is in
 * test/e2e/src/systemd-jumphost.slow.test.ts.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@skolo/base/testing';
import { noNamespaces } from '@skolo/fleet/testing';
import { expect, it } from 'vitest';
import { fallback, inNamespaces } from '../testing/in-namespaces.ts';

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

it.skipIf(noNamespaces)(
  'one command returns to the existing metadata server, and stops ours',
  async () => {
    const dir = await tempDir();
    const file = (name: string) => join(dir, name);

    const stdout = await inNamespaces(
      { dir, systemctl, k3s },
      `${fallback} existing metadata-server metadata`,
    );

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
