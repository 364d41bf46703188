/**
 * `skolo jumphost`, as a person types it, on a bare Debian with systemd and sshd (packages/setup/src/jumphost). k3s is a fake with its
 * files, flags, unit and paths, in front of a real API server; its pods only say that they run, and one program answers for them.
 *
 * One test goes on where the one before has ended: it is the story of one jumphost.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countRounds, onlyLong } from '@skolo/base/durable/fault-injection';
import { watchProcesses } from '@skolo/fleet/testing';
import { newRackKey } from '@skolo/rack/jumphost';
import {
  addK3s,
  address,
  type BareJumphost,
  network,
  startBareJumphost,
  subnet,
  whyNoJumphost,
} from '@skolo/setup/k3s/testing';
import { type ContainerRegistry, lacks, peer, startContainerRegistry } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Ended,
  endOf,
  makeRacks,
  podResponder,
  repository,
  routePods,
  startTyped,
} from './jumphost-workstation.ts';

const rackYaml = `
rack: rack4
timezone: UTC
network: { subnet: ${subnet} }
secrets: { folder: ~/secrets }
services: { alert-to-pubsub: { pubsub: false, sinks: [{ name: log, kind: file, file: /dev/shm/alerts }] } }
jumphost: { name: jumphost-rack4, address: ${address}, aliases: [metadata] }
logins:
  pdus: { username: admin, password: secrets/pdu }
  router: { username: root, password: secrets/router }
equipment:
  router: { model: linux, address: ${address}, ports: { ssh: 2222 }, login: router }
  pdu-1: { model: synaccess, address: ${network}.30, login: pdus, outlets: 8 }
`;

const why = whyNoJumphost() ?? lacks('docker-registry');
describe.skipIf(why)('skolo jumphost', () => {
  let jumphost: BareJumphost;
  let registry: ContainerRegistry;
  let racks: string;
  beforeAll(async () => {
    registry = await startContainerRegistry(peer('docker-registry') ?? '');
    await registry.push('skolo/service', '2026-11-20T22_40_05Z-ann-295cca0-clean', 'clean');
    jumphost = await startBareJumphost();
    racks = await makeRacks(registry.host, rackYaml, ['rack5']);
    const bundle = join(repository, 'scripts/bundle.mjs');
    execFileSync(process.execPath, [bundle, '--out', jumphost.workstation.bundles, 'fallback']);
    const store = storeFolder();
    await mkdir(store, { recursive: true, mode: 0o700 });
    await writeFile(join(store, 'pdu'), 'canary-of-a-pdu', { mode: 0o600 });
    await writeFile(join(store, 'k3s-token'), 'canary-of-k3s', { mode: 0o600 });
    await writeFile(join(store, 'rack-key'), newRackKey(), { mode: 0o600 });
    await writeFile(join(store, 'router'), 'canary-of-router', { mode: 0o600 });
    const { computer } = jumphost;
    await computer.write('/opt/responder.mjs', podResponder);
    await startPods();
  });
  afterAll(async () => {
    await jumphost?.close();
    await registry?.close();
    if (racks) await rm(racks, { recursive: true, force: true });
  });

  async function startPods(): Promise<void> {
    const { computer } = jumphost;
    await routePods(computer);
    const program = ['/opt/test/node', '/opt/responder.mjs'];
    await computer.run('systemd-run', '--unit=skolo-test-pods', ...program);
  }

  /** As typed in the clone. */
  function type(...args: string[]): Promise<{ code: number; out: string }> {
    return run('jumphost', ...args);
  }

  const sources = () => [
    '--files',
    jumphost.workstation.files,
    '--bundles',
    jumphost.workstation.bundles,
  ];
  const prepare = () => type('prepare', 'rack4', '--return-after', '10m', ...sources());
  const push = async (...args: string[]) => (await run('push', '--racks', 'rack4', ...args)).out;
  const kubectl = (...args: string[]) => jumphost.computer.run('k3s', 'kubectl', ...args);

  async function replicas(): Promise<string> {
    const name = ['deployment', 'power-cycle-daemon', '-n', 'skolo'];
    return (await kubectl('get', ...name, '-o', 'jsonpath={.spec.replicas}')).text;
  }

  async function isActive(unit: string): Promise<string> {
    return (await jumphost.computer.run('systemctl', 'is-active', unit)).text.trim();
  }

  const storeFolder = () => join(jumphost.workstation.env.HOME ?? '', 'secrets/rack4');

  /** Of all values. */
  const word = 'canary-of-';

  async function run(...args: string[]): Promise<Ended> {
    const child = startTyped(racks, jumphost, args);
    // Processes of the jumphost are also processes of this computer.
    const [ended] = await Promise.all([endOf(child), watchProcesses(child, [word])]);
    expect(ended.out).not.toContain(word);
    return ended;
  }

  const k3sState = '/var/lib/rancher/k3s/server';
  const sh = (script: string) => jumphost.computer.run('sh', '-c', script);

  it('stops where the disk of k3s is full, and says so', async () => {
    await sh(`mkdir -p ${k3sState} && mount -t tmpfs -o size=500M,mode=700 tmpfs ${k3sState}
head -c 1G /dev/zero > ${k3sState}/.full`);

    const { code, out } = await prepare();
    // What a first start has left there stays for all that follows, also after a reboot.
    const kept = await sh(`set -e; rm ${k3sState}/.full; systemctl stop k3s
cp -a ${k3sState} /root/k3s-state; umount ${k3sState}; cp -a /root/k3s-state/. ${k3sState}; rm -r /root/k3s-state`);
    expect(kept).toMatchObject({ exitCode: 0 });

    expect(out).toMatch(
      /^k3s +failed .*no space left on device.*the disk is full; free disk space/m,
    );
    expect(out).toMatch(/^accounts +waiting /m);
    expect(code).toBe(1);
  });

  it('lets an existing power controller serve, and none of ours beside it', async () => {
    const { computer } = jumphost;
    const unit =
      '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n';
    await computer.write('/etc/systemd/system/powercycle.service', unit);
    await computer.run('systemctl', 'daemon-reload');
    await computer.run('systemctl', 'enable', '--now', 'powercycle.service');

    const { code, out } = await prepare();

    expect(out).toMatch(
      /^existing-system +changed +power-cycle-daemon: served by powercycle.service since /m,
    );
    expect(out).toMatch(/^services +ok .*metadata-server 1\.2\.0/m);
    expect(out).toMatch(/^rack4: \d+ steps? changed$/m);
    expect(code).toBe(0);
    expect(await replicas()).toBe('0');
    expect(await isActive('powercycle.service')).toBe('active');
    // That of the store, and not one that k3s made.
    expect(await computer.read(`${k3sState}/token`)).toMatch(/::server:canary-of-k3s$/m);
  });

  it('fails it back to k3s, and over again, each by one command', async () => {
    const forward = await type('rollback', 'rack4', 'power-cycle-daemon', '--cut-over');
    expect(forward.out).toContain('power-cycle-daemon: k3s is running the service');
    expect(forward.code).toBe(0);
    expect(await replicas()).toBe('1');
    expect(await isActive('powercycle.service')).toBe('inactive');

    const back = await type('rollback', 'rack4', 'power-cycle-daemon');
    expect(back.out).toContain('rack4 is on hold: no new power cycles start');
    expect(back.out).toContain(
      'power-cycle-daemon: failed over to powercycle.service, which is running;',
    );
    expect(back.code).toBe(0);
    expect(await replicas()).toBe('0');

    // Neither a push nor prepare takes it from there.
    const diff = await push('--dry-run');
    expect(diff).toMatch(
      /served by another program: power-cycle-daemon: failed over to powercycle\.service by \S+@\S+ as root \((\S+ SHA256:\S+ )?from \S+\) at /,
    );
    expect(diff).toContain('nothing to change');
    const again = await prepare();
    expect(again.out).toMatch(/^rack4: nothing to change$/m);
    expect(await replicas()).toBe('0');
    const last = await type('rollback', 'rack4', 'power-cycle-daemon', '--cut-over');
    expect(last.code, last.out).toBe(0);
  });

  it('changes nothing the second time', async () => {
    const { code, out } = await prepare();

    expect(out).toMatch(/^rack4: nothing to change$/m);
    expect(code).toBe(0);
  });

  /** What k3s says where SQLite has no room, in answer to each write; its nodes go on. */
  const fullDatabase = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: { name: full }
spec:
  matchConstraints:
    resourceRules:
      - { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: [secrets, deployments, clusterroles, leases] }
  matchConditions:
    - { name: no-node, expression: 'request.resource.resource != "leases" || request.namespace == "skolo"' }
  validations: [{ expression: request.dryRun, message: database or disk is full }]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: { name: full }
spec: { policyName: full, validationActions: [Deny] }
`;

  // Each takes half a minute: the long run tries the steps of secrets and of the overlay, too.
  const steps: [step: string, gone: string][] = [
    ['accounts', 'clusterrole/skolo-view'],
    ['secrets', 'secret/power-cycle-daemon -n skolo'],
    ['overlay', 'deployment/router-backup -n skolo'],
  ];
  it.each(steps.slice(0, countRounds(1, steps.length)))(
    'stops in the step %s where the database of k3s has no room, and goes on',
    async (step, gone) => {
      await sh(`k3s kubectl delete ${gone}`);
      await jumphost.computer.write('/root/full.yaml', fullDatabase);
      await sh('k3s kubectl apply -f /root/full.yaml');
      const isFull =
        'k3s kubectl delete clusterrole full --ignore-not-found; k3s kubectl create clusterrole full --verb=get --resource=pods';
      await expect.poll(async () => (await sh(isFull)).text).toContain('database or disk is full');

      const full = await prepare();
      await sh('k3s kubectl delete -f /root/full.yaml');
      await expect.poll(async () => (await sh(isFull)).exitCode).toBe(0);
      await sh('k3s kubectl delete clusterrole full');
      const { code, out } = await prepare();

      expect(full.out).toMatch(new RegExp(`^${step} +failed .*database or disk is full`, 'm'));
      expect(full.code).toBe(1);
      expect(out).toMatch(new RegExp(`^${step} +changed `, 'm'));
      expect(code).toBe(0);
      expect((await prepare()).out).toMatch(/^rack4: nothing to change$/m);
    },
  );

  it('names what differs and the command that repairs it, and writes a report without secrets', async () => {
    await jumphost.computer.run('systemctl', 'disable', '--now', 'chrony.service');
    await jumphost.computer.run('logger', '-t', 'skolo', 'Authorization: Bearer of-a-test-0815');
    await jumphost.computer.write(
      '/etc/exports.d/skolo.exports',
      '# Of a component that is gone\n',
    );

    const { code, out } = await run(
      'check',
      'jumphost',
      'rack4',
      '--report',
      'rack4.md',
      ...sources(),
    );
    const report = await readFile(join(racks, 'rack4.md'), 'utf8');
    await rm(join(racks, 'rack4.md'));

    expect(code).toBe(1);
    expect(out).toMatch(
      /^clock: .*chrony\.service is not running; run systemctl status chrony\.service.*; run skolo jumphost prepare rack4$/m,
    );
    expect(out).toMatch(
      /^NFS: info: \/srv\/skolo\/nfs is still exported over NFS, but the overlay does not include the nfs component; /m,
    );
    expect(report).toContain('k3s version v1.36.3+k3s1');
    expect(report).toContain('Bearer <secret>');
    expect(report).not.toContain('of-a-test-0815');
  });

  it('repairs it', async () => {
    const { code, out } = await prepare();

    expect(out).toMatch(/^clock +changed /m);
    expect(code).toBe(0);
    expect((await run('check', 'jumphost', 'rack4', ...sources())).code).toBe(0);
  });

  it('comes back from a reboot, after which everything is checked', async () => {
    const { computer } = jumphost;
    const why = ['--reason', 'a new kernel', '--then-check'];

    const rebooted = type('reboot', 'rack4', ...why, ...sources());
    await computer.off();
    await computer.boot();
    await startPods();
    const { code, out } = await rebooted;

    expect(out).toMatch(/^jumphost-rack4 has rebooted$/m);
    expect(out).toMatch(/^rack4: no problems, \d+ ok$/m);
    expect(code).toBe(0);
    expect((await run('check', 'jumphost', 'rack4', ...sources())).out).toMatch(
      /^boot: info: the last checked reboot was on 20\d\d-\d\d-\d\d$/m,
    );
  });

  const next = 'v1.37.1+k3s1';
  const upgrade = (...more: string[]) => {
    const why = ['--soak', '1s', '--reason', 'end of support', '--yes'];
    return type('upgrade', ...more, '--k3s', next, ...why, ...sources());
  };
  const k3s = async (...args: string[]) => {
    const { text } = await jumphost.computer.run('k3s', ...args);
    return text;
  };

  const holdLease = (holderIdentity: string) => {
    const renewTime = new Date().toISOString().replace('Z', '000Z');
    const spec = { holderIdentity, renewTime, leaseDurationSeconds: 3600 };
    const lease = ['lease', 'skolo-push', '-n', 'skolo', '--type=merge'];
    return kubectl('patch', ...lease, '-p', JSON.stringify({ spec }));
  };

  it('shows what an upgrade would do, and begins none while somebody else is at work', async () => {
    await addK3s(jumphost.workstation.files, next);

    const { code, out } = await type('upgrade', 'rack4', '--k3s', next, '--check', ...sources());

    expect(out).toMatch(/^k3s-server +differs +v1\.36\.3\+k3s1 → v1\.37\.1\+k3s1$/m);
    expect(code).toBe(1);

    await holdLease('bob@other, push 1');
    expect((await upgrade('rack4')).out).toContain(
      'rack4: bob@other, push 1 is changing this rack; wait until the change is complete',
    );
    await holdLease('');
    expect(await k3s('--version')).toContain('v1.36.3+k3s1');
  });

  it('begins no upgrade where one of the racks cannot be reached', async () => {
    const { code, out } = await upgrade('rack4', 'rack5');

    expect(out).toContain('nothing was changed: rack5: ');
    expect(code).toBe(1);
  });

  it('goes on after kill -9 of the workstation, and names the rack that failed', async () => {
    const args = ['upgrade', 'rack4', '--k3s', next, '--reason', 'end of support', '--yes'];
    const workstation = startTyped(racks, jumphost, [
      'jumphost',
      ...args,
      '--files',
      jumphost.workstation.files,
    ]);
    let said = '';
    for await (const text of workstation.stdout?.setEncoding('utf8') ?? []) {
      said += text;
      if (said.includes('starting the new version')) workstation.kill('SIGKILL');
    }
    await (workstation.signalCode ?? once(workstation, 'exit'));

    const { code, out } = await upgrade('rack4', 'rack5', '--on-failure', 'continue');

    expect(out).toMatch(/^rack4 k3s-server +changed +v1\.37\.1\+k3s1$/m);
    expect(out).toMatch(/^skolo: rack5: /m);
    expect(code).toBe(3);
    expect(await k3s('kubectl', 'get', 'nodes')).toContain(next);
    expect((await jumphost.computer.run('journalctl', '-t', 'skolo', '-o', 'cat')).text).toMatch(
      /: upgrade \(k3s v1\.37\.1\+k3s1\): end of support/,
    );
  });

  it('upgrades nothing twice, and leaves a jumphost as it has to be', async () => {
    const { code, out } = await upgrade('rack4');

    expect(out).toContain(`1 rack: k3s ${next}: done`);
    expect(code).toBe(0);
    expect(await run('check', 'jumphost', 'rack4', ...sources())).toEqual({
      code: 0,
      out: expect.stringMatching(/^rack4: no problems, \d+ ok$/m),
    });
  });

  // Builds and copies the bundles once more; the others take six minutes already.
  it.skipIf(onlyLong)('brings services and programs of skolo to a version', async () => {
    const version = '2026-11-21T09_12_44Z-bob-77ab310-clean';
    await registry.push('skolo/service', version, 'clean');
    const manifest = 'fallback/opt/skolo/packages/fallback/package.json';
    const file = join(jumphost.workstation.bundles, manifest);
    await writeFile(file, JSON.stringify({ version: '1.2.0' }));
    const args = ['upgrade', 'rack4', '--skolo', version, '--reason', 'new', '--yes', ...sources()];

    expect((await type(...args)).out).toContain(
      `contains version 1.2.0, not ${version}; check out version ${version}`,
    );

    await writeFile(file, JSON.stringify({ version }));
    const { code, out } = await type(...args);

    expect(out).toMatch(/^overlay +changed/m);
    expect(out).toMatch(/^programs +changed/m);
    expect(code).toBe(0);
    expect(await k3s('kubectl', 'get', 'deployments', '-A', '-o', 'yaml')).toContain(version);
  });

  it('leaves secrets only where they belong', async () => {
    const { computer, workstation } = jumphost;
    await computer.write('/root/patterns', `${word}\n`, 0o600);

    const { text } = await computer.run(
      'sh',
      '-c',
      'grep -rlIf /root/patterns --exclude=patterns /dev/shm /etc /home /opt/skolo /root /run /tmp /usr/local /var/log /var/lib/skolo* /var/tmp 2>/dev/null; journalctl -a -o export | grep -acf /root/patterns',
    );

    const files = text.trim().split('\n');
    const inJournal = files.pop();
    // The snapshot of the database is worth nothing without the token.
    const places =
      /^(\/var\/lib\/skolo-steps\/k3s-upgrade\/snapshot)?\/(var\/lib\/rancher\/k3s\/server\/token|etc\/(rancher\/k3s\/token|skolo\/power-cycle-daemon\/.*\/secrets\/(pdu|router)))$/;
    expect(inJournal).toBe('0');
    expect(files.filter((file) => !places.test(file))).toEqual([]);
    expect(files).toHaveLength(5);
    // The workstation: its clone with git, its home, its temporary files.
    const args = ['-rlF', word, racks, workstation.env.HOME ?? ''];
    const { stdout } = spawnSync('grep', args, { encoding: 'utf8' });
    const atWorkstation = stdout.split('\n').filter(Boolean);
    expect(atWorkstation.filter((file) => !file.startsWith(`${storeFolder()}/`))).toEqual([]);
  });
});
