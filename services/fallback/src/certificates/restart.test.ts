import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tempDir } from '@skolo/base/testing';
import { noNamespaces } from '@skolo/fleet/testing';
import { lacks } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { fallback, inNamespaces } from '../testing/in-namespaces.ts';
import { decide, type Seen } from './restart.ts';

const day = 86_400_000;
const now = Date.parse('2026-11-27T02:10:00Z');
const at = (days: number) => now + days * day;
const idle = { push: undefined };
const forty = { file: '40.crt', expires: at(40) };

/** Days until they expire. */
function seen(days: readonly number[], more: Partial<Seen> = {}): Seen {
  const certificates = days.map((each) => ({ file: `${each}.crt`, expires: at(each) }));
  return { certificates, tried: [], now, isRunning: true, k3s: idle, ...more };
}

it.each([
  ['in 59 days', seen([364, 59]), true],
  ['in 61 days', seen([364, 61]), false],
  ['already', seen([-1]), true],
  ['already, and k3s does not respond', seen([-1], { k3s: 'silent' }), true],
  ['in 59 days, and k3s does not respond', seen([59], { k3s: 'silent' }), false],
  ['in 59 days, during a push', seen([59], { k3s: { push: 'ann@desk' } }), false],
  ['already, during a push', seen([-1], { k3s: { push: 'ann@desk' } }), false],
  ['in 59 days, and k3s is not running', seen([59], { isRunning: false }), false],
  ['in 40 days, and a restart did not renew it', seen([40], { tried: [forty] }), false],
  [
    'in 40 days, and a restart renewed it',
    seen([40], { tried: [{ ...forty, expires: at(-300) }] }),
    true,
  ],
  ['in 40 and 50 days, and a restart was for the first', seen([40, 50], { tried: [forty] }), true],
  ['never, because there are no certificates', seen([]), false],
])('a certificate expires %s', (_, state, restart) => {
  const decision = decide(state);

  expect(decision.restart).toBe(restart);
});

it('explains why it waits', () => {
  const waiting = ['silent' as const, { push: 'ann@desk' }].map((k3s) =>
    decide(seen([59], { k3s })),
  );

  expect(waiting.map(({ why }) => why)).toEqual([
    '59.crt expires on 2027-01-25T02:10:00.000Z; postponed, because k3s is not responding',
    '59.crt expires on 2027-01-25T02:10:00.000Z; postponed, because ann@desk is pushing',
  ]);
  expect(decide(seen([40], { tried: [forty] })).why).toBe(
    'the last restart of k3s did not renew 40.crt',
  );
});

/** It renews nothing, and writes down each command that changes something. */
const systemctl = `#!/bin/sh
case $2 in
  show) printf 'LoadState=loaded\\nActiveState=active\\n' ;;
  *) echo "$*" >> "$(dirname "$0")/changes" ;;
esac
`;

/** Nobody is pushing. */
const k3s = `http.createServer((request, response) => {
  if (request.url !== '/readyz') response.statusCode = 404;
  response.end('{"kind":"Status"}');
}).listen(6443, '127.0.0.1', () => console.log());`;

it.skipIf(noNamespaces ?? lacks('openssl'))(
  'k3s is restarted for a certificate, and once for each',
  async () => {
    const dir = await tempDir();
    const tls = join(dir, 'server/tls');
    await mkdir(tls, { recursive: true });
    const issue = async (name: string, days: number) => {
      const key = [
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        join(dir, 'key'),
        '-subj',
        '/CN=k3s',
      ];
      const out = ['-days', String(days), '-out', join(tls, name)];
      await run('openssl', ['req', '-x509', ...key, ...out]);
    };
    await issue('serving.crt', 364);
    await issue('client.crt', 50);
    // Authorities are not renewed by a restart.
    await issue('server-ca.crt', 10);
    await writeFile(join(tls, 'broken.crt'), 'no certificate');
    const commands = `mkdir -p /var/lib/rancher /var/lib/skolo/fallback
ln -s ${dir} /var/lib/rancher/k3s
${fallback} renew-certificates
${fallback} renew-certificates`;

    const stdout = await inNamespaces({ dir, systemctl, k3s }, commands);

    expect(
      stdout
        .replaceAll(/\d{4}-\S+Z/g, 'TIME')
        .trim()
        .split('\n'),
    ).toEqual([
      expect.stringContaining('broken.crt: not readable'),
      expect.stringMatching(
        /^certificates: restarting k3s, because .*client\.crt expires on TIME$/,
      ),
      expect.stringContaining('broken.crt: not readable'),
      expect.stringMatching(/the last restart of k3s did not renew .*client\.crt$/),
    ]);
    expect(await readFile(join(dir, 'changes'), 'utf8')).toBe(
      '--no-ask-password try-restart --quiet k3s.service\n',
    );
  },
);
