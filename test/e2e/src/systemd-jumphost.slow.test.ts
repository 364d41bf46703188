/**
 * The units of the jumphost under a real systemd: a Debian of its own is booted in namespaces, with the bundles installed as
 * deploy/systemd/README.md describes, and a fake k3s whose pods are the real services. Minutes are seconds here.
 *
 * One test goes on where the one before has ended: it is the story of one jumphost.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countRounds, seeded } from '@skolo/base/durable/fault-injection';
import { run, testSeed } from '@skolo/base/testing';
import { lacks, peer } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Jumphost, rack, token } from './fallback/jumphost.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

const node = '/usr/bin/node';
const metadata = 'skolo-metadata-server.service';
const power = 'skolo-power-cycle-daemon.service';
const version = '9.8.7';
/** What comes after some looks of the timer, a boot, or a back-off. */
const patient = { interval: 1000 };

const nspawn = peer('systemd-nspawn');
const why = whyNot();

const existingUnit = (command: string) =>
  `[Service]\nExecStart=${command}\nRestart=always\n[Install]\nWantedBy=multi-user.target\n`;

const existingMetadata = `import { createServer } from 'node:http';
createServer((_, response) => response.end('of an existing system')).listen(80);
`;

/** It has no port. It notes when a daemon of ours has its journal meanwhile. */
const existingPower = `#!/bin/sh
while :; do
  for each in $(grep -als power-cycle-daemon/dist/main.js /proc/[0-9]*/cmdline); do
    pid=\${each#/proc/}
    pid=\${pid%/cmdline}
    if grep -q " $pid " /proc/locks; then echo "$pid" >> /var/lib/both; fi
  done
  sleep 0.1
done
`;

function whyNot(): string | undefined {
  const lacking = lacks('root', 'systemd-nspawn');
  if (lacking !== undefined) return lacking;
  // /usr is this computer's.
  const wanted = ['bin/node', 'bin/openssl', 'sbin/ip', 'sbin/iptables-nft', 'lib/systemd/systemd'];
  const missing = wanted.filter((file) => !existsSync(join('/usr', file)));
  if (missing.length > 0) return `there is no /usr/${missing.join(', /usr/')}`;
  return canMakeNamespaces() ? undefined : 'no namespaces and cgroups can be made here';
}

/** Not in a container without privileges. */
function canMakeNamespaces(): boolean {
  const namespaces = ['--mount', '--net', '--pid', '--uts', '--ipc', '--fork', '--mount-proc'];
  if (spawnSync('unshare', [...namespaces, 'true']).status !== 0) return false;
  const cgroup = existsSync('/sys/fs/cgroup/systemd') ? '/sys/fs/cgroup/systemd' : '/sys/fs/cgroup';
  try {
    rmdirSync(mkdtempSync(join(cgroup, 'skolo-try-')));
    return true;
  } catch {
    return false;
  }
}

/** What a unit takes away, so that another program may be tried in it. */
async function sandboxOf(unit: string): Promise<string> {
  const text = await readFile(join(repository, 'deploy/systemd', unit), 'utf8');
  const section = text.slice(text.indexOf('[Service]'), text.indexOf('[Install]'));
  return section.replaceAll(/^(Type|ExecStart|Restart\w*)=.*$/gm, '');
}

describe.skipIf(why)('a jumphost, booted', () => {
  let folder: string;
  let jumphost: Jumphost;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-bundles-'));
    const names = ['metadata-server', 'power-cycle-daemon', 'fallback'];
    const script = join(repository, 'scripts/bundle.mjs');
    await run(process.execPath, [script, '--out', folder, '--version', version, ...names]);
    jumphost = await Jumphost.start(nspawn ?? '', folder);
  });
  afterAll(async () => {
    await jumphost?.computer.scrap();
    await rm(folder, { recursive: true, force: true });
  });

  it('is installed by one command', async () => {
    const { exitCode, text } = await jumphost.computer.run('/opt/skolo/deploy/jumphost/install');

    expect(text).toContain('install: done');
    expect(exitCode).toBe(0);
    const folders = ['metadata-server', 'power-cycle-daemon', 'prometheus'];
    const paths = folders.map((name) => `/var/lib/skolo/${name}`);
    const owners = await jumphost.computer.run('stat', '-c', '%u %a', ...paths);
    expect(owners.text).toBe('0 700\n10001 2770\n10001 2770\n');
  });

  it('has the configuration of the units from k3s, readable by no other user', async () => {
    const { computer } = jumphost;
    await expect.poll(() => jumphost.journal(), patient).toContain('daemon: configuration copied');

    expect(await computer.read('/etc/skolo/metadata-server/rack.yaml')).toBe(rack);
    expect(await computer.read('/etc/skolo/metadata-server/secrets/token.json')).toBe(token);
    const found = await computer.run(
      ...[
        'find',
        '-L',
        '/etc/skolo',
        '-name',
        '..*',
        '-prune',
        '-o',
        '-printf',
        '%y %m %u %g %P\n',
      ],
    );
    expect(found.text.trim().split('\n').sort()).toEqual([
      'd 750 root root metadata-server',
      'd 750 root root metadata-server/secrets',
      'd 750 root skolo power-cycle-daemon',
      'd 750 root skolo power-cycle-daemon/secrets',
      'd 755 root root ',
      'f 400 root root metadata-server/rack.yaml',
      'f 400 root root metadata-server/secrets/token.json',
      'f 440 root skolo power-cycle-daemon/environment',
      'f 440 root skolo power-cycle-daemon/rack.yaml',
      'f 440 root skolo power-cycle-daemon/secrets/tokens.yaml',
    ]);
  });

  it('leaves k3s alone after a power cut without an internet connection, when its pod has no token to give', async () => {
    const { computer } = jumphost;
    // What comes from elsewhere otherwise.
    const file = '/var/lib/pods/metadata-server/secrets/token.json';
    await rm(join(computer.root, file));
    await computer.cutPower();
    await computer.boot();

    await expect
      .poll(() => jumphost.askToken(), patient)
      .toContain('Identity bots has no valid token at the moment');
    await expect
      .poll(() => jumphost.journal(), patient)
      .toContain('metadata-server: k3s is running the service');
    expect(await jumphost.journal()).not.toContain('starting the unit');
    expect((await jumphost.fallback('status')).text).toContain(
      'k3s: http://127.0.0.1:20010 returns 503',
    );

    await computer.write(file, token);
    await expect.poll(() => jumphost.askToken(), patient).toContain(token);
  });

  it('leaves k3s alone while it serves, and while only k3s itself is down', async () => {
    await expect.poll(() => jumphost.askToken(), patient).toContain(token);
    await expect.poll(() => jumphost.askPower(), patient).toBe(401);

    await jumphost.computer.run('systemctl', 'stop', 'k3s');
    const { text } = await jumphost.fallback('look');

    expect(text).not.toContain('starting the unit');
    expect(text).not.toContain('is not responding');
    expect(await jumphost.askPower()).toBe(401);
    expect(await jumphost.isActive(metadata)).toBe(false);
  });

  it('serves by its units after a power cut from which k3s does not recover', async () => {
    await jumphost.trouble({ hangs: true });
    await jumphost.computer.cutPower();
    await jumphost.computer.boot();

    await expect.poll(() => jumphost.askToken(), patient).toContain(token);
    await expect.poll(() => jumphost.askPower(), patient).toBe(401);
    expect(await jumphost.isActive(metadata)).toBe(true);
    expect(await jumphost.isActive(power)).toBe(true);
    for (const unit of ['skolo-metadata-server', 'skolo-power-cycle-daemon']) {
      const [first] = (await jumphost.journal(unit)).split('\n');
      expect(JSON.parse(first ?? '')).toMatchObject({ msg: 'listening', version });
    }
    const { text } = await jumphost.fallback('status');
    expect(text).toContain(`serves         ${metadata}: http://127.0.0.1:20010 returns 200`);
    expect(text).toContain(
      `the unit is running as the fallback: k3s is not responding (https://127.0.0.1:6443: no response within 5 s)`,
    );
  });

  it('restarts a killed service', async () => {
    const { computer } = jumphost;
    const pid = () => computer.run('systemctl', 'show', '--value', '--property=MainPID', power);
    const before = (await pid()).text;

    await computer.run('systemctl', 'kill', '--signal=KILL', power);

    await expect.poll(async () => (await pid()).text, patient).not.toBe(before);
    await expect.poll(() => jumphost.askPower(), patient).toBe(401);
  });

  it('names a foreign program on a port of a service that does not respond', async () => {
    const { computer } = jumphost;
    const listen = 'require("net").createServer((c) => c.end()).listen(20010)';
    await computer.run('systemctl', 'stop', 'skolo-fallback.timer', metadata);
    await computer.run('systemd-run', '--quiet', '--unit=foreign', node, '-e', listen);

    await expect
      .poll(async () => (await jumphost.fallback('status')).text, patient)
      .toMatch(/^ {2}serves {9}\S*node \(process \d+\) on port 20010: /m);

    await computer.run('systemctl', 'stop', 'foreign');
    // It starts the unit itself: one that a person starts, it does not stop.
    await computer.run('systemctl', 'start', 'skolo-fallback.timer');
    await expect.poll(() => jumphost.askToken(), patient).toContain(token);
  });

  it('has variables and a ping in the sandbox of the power-cycle daemon', async ({ skip }) => {
    const { computer } = jumphost;
    const { text } = await computer.run(
      'systemctl',
      'show',
      '--value',
      '--property=MainPID',
      power,
    );
    const environment = await computer.run('cat', `/proc/${text.trim()}/environ`);
    expect(environment.text.split('\0')).toContain('PDU_PASSWORD=a "b" $c');

    if ((await computer.run('test', '-x', '/usr/bin/ping')).exitCode !== 0)
      skip('ping is not installed');
    const sandbox = await sandboxOf(power);
    const ping = 'Type=oneshot\nExecStart=/usr/bin/ping -n -c1 192.168.1.8\n';
    await computer.write('/etc/systemd/system/try-ping.service', `${sandbox}${ping}`);
    const pinged = await computer.run('systemctl', 'start', 'try-ping');
    expect(pinged).toEqual({ exitCode: 0, text: '' });
  });

  it('keeps serving while k3s is half up, and has the port that ServiceLB would catch', async () => {
    await jumphost.trouble({ noImages: true });

    await expect
      .poll(() => jumphost.journal(), patient)
      .toContain('the pod is waiting: ImagePullBackOff');
    await expect.poll(() => jumphost.askPower(), patient).toBe(401);
    expect(await jumphost.serviceType()).toBe('ClusterIP');
    await jumphost.trouble({ nodeIsNotReady: true });
    await expect
      .poll(() => jumphost.journal(), patient)
      .toContain("the jumphost's node is not ready");
    expect(await jumphost.askToken()).toContain(token);
  });

  it('stops its units when k3s can run the pods again', async () => {
    await jumphost.trouble({});

    await expect
      .poll(() => jumphost.journal(), patient)
      .toContain('metadata-server: stopping the unit');
    await expect.poll(() => jumphost.isActive(metadata), patient).toBe(false);
    await expect.poll(() => jumphost.isActive(power), patient).toBe(false);
    await expect.poll(() => jumphost.askToken(), patient).toContain(token);
    await expect.poll(() => jumphost.askPower(), patient).toBe(401);
    expect(await jumphost.serviceType()).toBe('LoadBalancer');
  });

  it('is rolled back by one command, and stays so over a reboot and an apply', async () => {
    const failedOver = await jumphost.fallback('fail-over', 'metadata-server');
    expect(failedOver).toEqual({
      exitCode: 0,
      text: `metadata-server: failed over to ${metadata}; this persists across reboots\n`,
    });
    expect(await jumphost.replicas()).toBe(0);

    await jumphost.computer.cutPower();
    // As `kubectl apply` does.
    await jumphost.setReplicas(1);
    await jumphost.computer.boot();

    await expect.poll(() => jumphost.replicas(), patient).toBe(0);
    await expect.poll(() => jumphost.askToken(), patient).toContain(token);
    // A pod that has not ended yet may have given the token.
    await expect.poll(() => jumphost.isActive(metadata), patient).toBe(true);
    expect((await jumphost.fallback('status')).text).toMatch(
      /because {8}failed over to \S+ by \w+ at 20/,
    );
  });

  it('is as before when k3s cannot take it back', async () => {
    await jumphost.trouble({ noImages: true });

    const failedBack = await jumphost.fallback('fail-back', 'metadata-server');

    expect(failedBack.exitCode).toBe(1);
    expect(failedBack.text).toContain(
      'the service is not responding on k3s (the pod is waiting: ImagePullBackOff)',
    );
    await expect.poll(() => jumphost.askToken(), patient).toContain(token);
    expect(await jumphost.replicas()).toBe(0);
    await jumphost.trouble({});
  });

  it('fails back to k3s by one command', async () => {
    const failedBack = await jumphost.fallback('fail-back', 'metadata-server');

    expect(failedBack.text).toContain('metadata-server: k3s is running the service');
    expect(failedBack.exitCode).toBe(0);
    expect(await jumphost.askToken()).toContain(token);
    expect(await jumphost.isActive(metadata)).toBe(false);
    expect((await jumphost.computer.run('systemctl', 'is-enabled', metadata)).text).toBe(
      'disabled\n',
    );
  });

  it('restarts k3s at night if a certificate expires within 60 days, but not during a push', async () => {
    const { computer } = jumphost;
    const pid = async () =>
      (await computer.run('systemctl', 'show', '--value', '--property=MainPID', 'k3s')).text;
    const renew = () => computer.run('systemctl', 'start', 'skolo-k3s-certificates.service');
    const certificates = '/var/lib/rancher/k3s';
    // Of 30 days.
    await computer.write(
      `${certificates}/server/tls/client-admin.crt`,
      await computer.read(`${certificates}/client.crt`),
    );
    await jumphost.setLease('ann@desk');
    const first = await pid();

    const during = await renew();

    expect(during).toEqual({ exitCode: 0, text: '' });
    expect(await pid()).toBe(first);
    expect(await jumphost.journal()).toContain('; postponed, because ann@desk is pushing');
    await jumphost.setLease('');
    const idle = await pid();

    expect(await renew()).toEqual({ exitCode: 0, text: '' });

    expect(await jumphost.journal()).toContain(
      'certificates: restarting k3s, because /var/lib/rancher/k3s/server/tls/client-admin.crt expires on',
    );
    const second = await pid();
    expect(second).not.toBe(idle);
    await renew();
    expect(await jumphost.journal()).toContain('the last restart of k3s did not renew');
    expect(await pid()).toBe(second);
    const timer = await computer.run(
      ...['systemctl', 'show', '--value', '-p', 'TimersCalendar', 'skolo-k3s-certificates.timer'],
    );
    expect(timer.text).toMatch(/OnCalendar=\*-\*-\* 03:00:00 ; next_elapse=\w+ /);
  });

  it('leaves an existing metadata server and power controller alone while they serve', async () => {
    const { computer } = jumphost;
    await computer.write('/opt/existing/metadata.mjs', existingMetadata);
    await computer.write('/opt/existing/power', existingPower, 0o755);
    await computer.write(
      '/etc/systemd/system/metadata.service',
      existingUnit(`${node} /opt/existing/metadata.mjs`),
    );
    await computer.write(
      '/etc/systemd/system/powercycle.service',
      existingUnit('/opt/existing/power'),
    );
    await computer.run('systemctl', 'daemon-reload');

    expect(await jumphost.fallback('existing', 'metadata-server', 'metadata')).toEqual({
      exitCode: 0,
      text: 'metadata-server: failed over to metadata.service, which is running; http://127.0.0.1 returns 200\n',
    });
    await expect.poll(() => jumphost.askToken(), patient).toBe('of an existing system');
    const powerCycleDaemon = await jumphost.fallback(
      'existing',
      'power-cycle-daemon',
      'powercycle',
    );

    expect(powerCycleDaemon.text).toMatch(
      /^power-cycle-daemon: failed over to powercycle.service, which is running; /,
    );
    expect(powerCycleDaemon.exitCode).toBe(0);
    const { text } = await jumphost.fallback('status');
    expect(text).toMatch(
      /serves {9}powercycle.service; .*\n {2}because {8}failed over to powercycle.service by /,
    );
  });

  it('lets them serve after a power cut and an apply, and no daemon of skolo beside them', async () => {
    const { computer } = jumphost;
    await computer.cutPower();
    await jumphost.setReplicas(1);
    await computer.boot();

    await expect.poll(() => jumphost.isActive('powercycle.service'), patient).toBe(true);
    await expect.poll(() => jumphost.askToken(), patient).toBe('of an existing system');
    await expect.poll(() => jumphost.replicas(), patient).toBe(0);
    // Whoever starts ours by hand: it has no journal.
    await computer.run('systemctl', 'start', power);
    await expect.poll(() => jumphost.isActive(power), patient).toBe(false);
    expect(await computer.run('cat', '/var/lib/both')).toMatchObject({ exitCode: 1 });
  });

  it('fails back to k3s, service by service, and nothing starts the existing ones beside it', async () => {
    const { computer } = jumphost;

    const failedBack = await jumphost.fallback('fail-back', 'power-cycle-daemon');

    expect(failedBack.text).toContain('power-cycle-daemon: k3s is running the service');
    expect((await jumphost.fallback('fail-back', 'metadata-server')).text).toContain(
      'metadata-server: k3s is running the service',
    );
    await expect.poll(() => jumphost.askToken(), patient).toContain(token);
    await expect.poll(() => jumphost.askPower(), patient).toBe(401);
    const started = await computer.run('systemctl', 'start', 'powercycle.service');
    expect(started.exitCode).toBe(1);
    expect(started.text).toContain('dependency');
    const enabled = await computer.run('systemctl', 'is-enabled', 'powercycle', 'metadata');
    expect(enabled.text).toBe('disabled\ndisabled\n');
    expect(await computer.run('cat', '/var/lib/both')).toMatchObject({ exitCode: 1 });
  });

  it('leaves the existing metadata server alone where ours would not serve', async () => {
    expect((await jumphost.fallback('existing', 'metadata-server')).exitCode).toBe(0);
    const main = '/opt/skolo/services/metadata-server/dist/main.js';
    await jumphost.computer.run('mv', main, `${main}.away`);

    const failedBack = await jumphost.fallback('fail-back', 'metadata-server');

    expect(failedBack.exitCode).toBe(1);
    expect(failedBack.text).toContain('nothing changed: a test on a separate port failed');
    expect(await jumphost.askToken()).toBe('of an existing system');
    await jumphost.computer.run('mv', `${main}.away`, main);
    expect((await jumphost.fallback('fail-back', 'metadata-server')).exitCode).toBe(0);
  });

  it('never has two power controllers, whenever a failover is killed', async () => {
    const { computer } = jumphost;
    const random = seeded(testSeed());
    for (let round = 0; round < countRounds(4, 20); round += 1) {
      const verb = round % 2 === 0 ? 'existing' : 'fail-back';
      const after = (random() * 6).toFixed(2);
      const command = `timeout --signal=KILL ${after} skolo-fallback ${verb} power-cycle-daemon`;
      await computer.run('sh', '-c', `PATH=$PATH:/usr/local/sbin; ${command}; true`);
      if (round % 3 === 2) {
        await computer.cutPower();
        await computer.boot();
      }
    }
    const { exitCode, text } = await jumphost.fallback('existing', 'power-cycle-daemon');
    expect(exitCode, text).toBe(0);
    expect(await jumphost.isActive('powercycle.service')).toBe(true);
    const failedBack = await jumphost.fallback('fail-back', 'power-cycle-daemon');
    expect(failedBack.exitCode, failedBack.text).toBe(0);
    expect(await jumphost.askPower()).toBe(401);
    expect(await computer.run('cat', '/var/lib/both')).toMatchObject({ exitCode: 1 });
  });

  it('leaves units alone that a person has started', async () => {
    const { computer } = jumphost;
    await computer.run('systemctl', 'start', metadata);
    // Its pod has the port, until it ends.
    await computer.run('systemctl', 'stop', 'kubepods.slice');

    await expect.poll(() => jumphost.journal(), patient).toContain('the unit was started manually');
    await expect.poll(() => jumphost.askToken(), patient).toContain(token);
    await jumphost.fallback('look');
    // While a pod has the port, systemd starts the unit again and again; a unit that the look had stopped would stay so.
    await expect.poll(() => jumphost.isActive(metadata), patient).toBe(true);
  });

  it('is rolled back while k3s is dead and its containers are not', async () => {
    const { computer } = jumphost;
    // k3s may still be starting.
    await expect
      .poll(async () => (await jumphost.fallback('fail-back', 'metadata-server')).text, patient)
      .toContain('metadata-server: k3s is running the service');
    const serving = async () => ({
      // Earlier ones that failed may be listed, too.
      pod: /^active$/m.test(
        (await computer.run('systemctl', 'is-active', 'pod-metadata-server-*')).text,
      ),
      unit: await jumphost.isActive(metadata),
      hasToken: (await jumphost.askToken()).includes(token),
    });
    // A pod that was ended starts later and later.
    await expect.poll(serving, patient).toEqual({ pod: true, unit: false, hasToken: true });
    await computer.run('systemctl', 'stop', 'k3s');

    const { exitCode, text } = await jumphost.fallback('fail-over', 'metadata-server');

    expect(text).toContain('stopped a container that k3s left behind');
    expect(exitCode).toBe(0);
    expect(await jumphost.askToken()).toContain(token);
    await computer.run('systemctl', 'start', 'k3s');
    await expect.poll(() => jumphost.replicas(), patient).toBe(0);
    expect(await jumphost.isActive(metadata)).toBe(true);
  });
});
