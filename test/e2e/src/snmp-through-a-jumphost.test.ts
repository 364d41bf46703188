/** SNMP through a jumphost: Debian's snmpd, asked by a relay behind a real sshd, also by the command. */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret, type SnmpCredentials } from '@skolo/base/secrets';
import { untilTestEnds } from '@skolo/base/testing';
import { snmpTo } from '@skolo/equipment/transports/snmp';
import { openJumphost } from '@skolo/fleet';
import { startWorkstation, watchProcesses } from '@skolo/fleet/testing';
import { apcRpdu2Model, peer, startSnmpd } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { endOf, skolo } from './jumphost-workstation.ts';

const [authKey, privKey] = ['authCanaryCanary', 'privCanaryCanary'];
const outlet = '1.3.6.1.4.1.318.1.1.26.9.2.3.1.5.1';

it('reads with each login that is right, and says why else', async ({ skip }) => {
  if (!peer('sshd') || !peer('ssh')) skip('sshd is not installed');
  const user = { name: 'skolo', access: 'write', authProtocol: 'sha', authKey, privKey } as const;
  const device = await startSnmpd(apcRpdu2Model(), { users: [user] });
  if (device === undefined) return skip('snmpd is not installed');
  onTestFinished(() => device.close());
  const workstation = untilTestEnds(await startWorkstation());
  const { rack, env, jumphost } = workstation;
  await jumphost.program('node', `exec '${process.execPath}' "$@"`);
  const { signal } = new AbortController();
  const way = untilTestEnds(await openJumphost(rack, { env, mayAsk: false, signal }));
  const read = async (snmp: Partial<SnmpCredentials>, port = device.port, previous?: string) => {
    const all = { authProtocol: 'sha', privProtocol: 'aes', version: 2, ...snmp } as const;
    const others = previous === undefined ? [] : [{ ...all, community: new Secret(previous) }];
    const credentials = async () => ({
      legacySsh: false,
      snmp: all,
      ...(others.length > 0 && {
        others: others.map((each) => ({ legacySsh: false, snmp: each })),
      }),
    });
    const place = {
      name: 'pdu-1',
      model: 'apc-rpdu2',
      address: '127.0.0.1',
      ports: { snmp: port },
    };
    const found = await snmpTo(place, { credentials, datagrams: way.datagrams }).read(
      [outlet],
      [],
      signal,
    );
    return found.get(outlet);
  };
  const version3 = { version: 3, user: 'skolo', authKey: new Secret(authKey) } as const;
  const right = { ...version3, privKey: new Secret(privKey) };

  expect(await read(right)).toBe(2);
  expect(await read({ community: new Secret('private') })).toBe(2);
  // Another one is rejected by silence.
  expect(await read({ community: new Secret('next') }, device.port, 'private')).toBe(2);
  const wrong = { ...right, authKey: new Secret('anotherAnother') };
  await expect(read(wrong)).rejects.toThrow('a key or its protocol is wrong');
  await expect(read({ community: new Secret('next') })).rejects.toThrow('no SNMP response');
  await expect(read(right, 9)).rejects.toThrow('pdu-1: the port is closed (ECONNREFUSED)');
  await writeFile(
    join(rack.overlay, 'rack.yaml'),
    `rack: rack4
secrets: { folder: ~/secrets }
jumphost: { name: jumphost-rack4, address: 127.0.0.1 }
logins: { pdus: { snmp: { version: 3, user: skolo, authKey: secrets/auth, privKey: secrets/priv } } }
equipment: { pdu-1: { model: apc-rpdu2, address: 127.0.0.1, ports: { snmp: ${device.port} }, login: pdus } }
machines: { rpi-1: { kind: rpi, address: 127.0.0.2, power: pdu-1/1 } }
`,
  );
  const store = join(env.HOME ?? '', 'secrets/rack4');
  await mkdir(store, { recursive: true, mode: 0o700 });
  await writeFile(join(store, 'auth'), `anotherAnother\n${authKey}\n`, { mode: 0o600 });
  await writeFile(join(store, 'priv'), privKey, { mode: 0o600 });
  const child = spawn(process.execPath, [skolo, 'check', 'secrets', 'rack4'], {
    env,
    cwd: env.HOME,
  });
  const [checked] = await Promise.all([endOf(child), watchProcesses(child, [authKey, privKey])]);
  expect(checked.out).toMatch(/^auth,priv \(pdu-1\): ok: opens$/m);

  await jumphost.program('node', 'echo "node: not found" >&2; exit 127');
  await expect(read(right)).rejects.toThrow(
    'pdu-1: the relay on the jumphost exited: node: not found',
  );
  await way.close();
  await expect.poll(workstation.left).toEqual([]);
});
