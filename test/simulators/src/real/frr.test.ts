import { run } from '@skolo/base/testing';
import {
  afterAll,
  beforeAll,
  describe,
  expect,
  it,
  onTestFinished,
  type TestContext,
} from 'vitest';
import { rancid } from '../equipment/cli/clients/rancid.ts';
import { peer } from '../peer.ts';
import { type Frr, startFrr } from './frr.ts';
import type { SshEndpoint } from './sshd.ts';

/** All tests that need no other account look at one. */
let shared: Frr | undefined;

beforeAll(async () => {
  const configuration = 'ip route 10.1.0.0/16 Null0\nip prefix-list A seq 5 permit 10.0.0.0/8\n';
  if (peer('ssh')) shared = await startFrr({ configuration, hostname: 'rt-1' });
});
afterAll(() => shared?.close());

function running(context: TestContext): Frr {
  return shared ?? context.skip('FRR, ssh or sshd are not installed, or may not be run');
}

async function ssh(endpoint: SshEndpoint, ...command: string[]) {
  const { username, host, port, privateKeyFile } = endpoint;
  const known = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];
  const args = ['-F', 'none', ...known, '-o', 'LogLevel=ERROR', '-i', privateKeyFile];
  const child = run('ssh', [...args, '-p', String(port), `${username}@${host}`, ...command]);
  child.child.stdin?.end();
  return await child.catch(({ code, stdout, stderr }) => ({ code, stdout, stderr }));
}

/** Of all that it knows, FRR is most like IOS. */
function netmiko({ host, port, username, privateKeyFile }: SshEndpoint): string {
  const about = { device_type: 'cisco_ios', host, port, username, key_file: privateKeyFile };
  return `from netmiko import ConnectHandler
about = ${JSON.stringify(about)}
with ConnectHandler(**about, use_keys=True, fast_cli=True) as connection:
    print(connection.send_command("show running-config"))`;
}

/** Without those that say nothing. */
function lines(text: string): string[] {
  return text.split('\n').filter((line) => !/^\s*!|^$/.test(line));
}

describe('FRRouting behind sshd', () => {
  it('answers a command, and has what its file says', async (context) => {
    const frr = running(context);

    const { stdout } = await ssh(frr, 'show running-config');

    expect(stdout).toMatch(/^Building configuration\.\.\.\n\nCurrent configuration:\n/);
    if (frr.daemons.includes('zebra')) expect(stdout).toContain('\nhostname rt-1\n');
    expect(stdout).toContain('\nip route 10.1.0.0/16 Null0\n');
    expect(stdout).toMatch(/\nend\n$/);
    expect(await frr.vtysh('show running-config')).toBe(stdout);
  });

  it('is configured, saved and restarted', async (context) => {
    const frr = running(context);

    await ssh(frr, 'configure terminal\nip route 10.2.0.0/16 Null0\nend\nwrite memory');
    await ssh(frr, 'configure terminal\nip route 10.3.0.0/16 Null0');
    const before = (await ssh(frr, 'show running-config')).stdout;
    await frr.restart();
    const after = (await ssh(frr, 'show running-config')).stdout;

    expect(before).toContain('10.3.0.0/16');
    expect(after).toContain('10.2.0.0/16');
    expect(after).not.toContain('10.3.0.0/16');
  });

  it('says which of its daemons run', async (context) => {
    const frr = shared && (await startFrr({ isWatched: true }));
    if (!frr?.daemons.includes('zebra')) return context.skip('only root runs watchfrr');
    onTestFinished(() => frr.close());

    const before = await frr.vtysh('show watchfrr');
    await frr.kill('bgpd');
    const after = await frr.vtysh('show watchfrr');
    await frr.kill('watchfrr');

    for (const daemon of frr.daemons)
      expect(before).toMatch(new RegExp(`^ {2}${daemon} +Up$`, 'm'));
    expect(after).toMatch(/^ {2}bgpd +Down$/m);
    await expect(frr.vtysh('show watchfrr')).rejects.toThrow('watchfrr is not running');
  });

  it('has a command line', async (context) => {
    const frr = running(context);

    const { stdout } = await ssh(frr, '-tt', 'show version');

    expect(stdout).toContain('FRRouting');
  });

  // Tests of frr in packages/equipment sign in to a shell, too.
  it('is a program of a host where the account has a shell', async (context) => {
    const frr = shared && (await startFrr({ account: 'shell' }));
    if (!frr) return context.skip('only root runs FRR on a host of its own');
    onTestFinished(() => frr.close());

    const { stdout } = await ssh(
      frr,
      "vtysh -c 'write memory'; ls /etc/frr; cat /etc/frr/frr.conf",
    );

    expect(stdout).toContain('[OK]');
    expect(stdout).toContain('vtysh.conf\n');
    expect(stdout).toContain('frr defaults traditional');
  });

  it('is read by RANCID, which knows FRR', async (context) => {
    const frr = running(context);

    const { text } = await rancid(context, frr, 'frr', frr);
    const theirs = lines(text);

    const ours = lines(await frr.vtysh('show running-config'));
    expect(theirs.slice(theirs.indexOf(ours[2] ?? ''))).toEqual(ours.slice(2));
  });

  it('is read by netmiko at its command line', async (context) => {
    const python = peer('netmiko');
    if (python === undefined) return context.skip('netmiko is not installed');
    const frr = running(context);

    const { stdout } = await run(python, ['-W', 'ignore', '-c', netmiko(frr)]);

    expect(lines(stdout)).toEqual(lines(await frr.vtysh('show running-config')));
  });
});
