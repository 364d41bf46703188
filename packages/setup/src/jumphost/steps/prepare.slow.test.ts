/**
 * The steps on a real Debian with systemd, sshd, apt and nftables, in namespaces of its own. k3s is a fake with its files,
 * flags, unit and paths, in front of a real API server.
 *
 * One test goes on where the one before has ended: it is the story of one jumphost.
 */

import { shellWord } from '@skolo/base';
import { parseRack } from '@skolo/rack';
import { failedOverFolder } from '@skolo/rack/jumphost';
import {
  changeGuarded,
  isPrepared,
  prepare,
  type StepProgress,
  withLock,
} from '@skolo/setup/engine';
import { clusterOn, k3sVersion, machineTaint } from '@skolo/setup/k3s';
import {
  type BareJumphost,
  type OpenHost,
  openTestHost,
  register,
  startBareJumphost,
  whyNoJumphost,
} from '@skolo/setup/k3s/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jumphostReadings } from '../look/readings.ts';
import { provesVerify } from '../testing/proves-verify.ts';
import { rackYaml, testSteps } from '../testing/test-steps.ts';

const { signal } = new AbortController();

function statesOf(steps: readonly StepProgress[]): Record<string, string> {
  return Object.fromEntries(
    steps.map(({ name, state, text }) => [
      name,
      state === 'failed' || state === 'waiting' ? `${state}: ${text}` : state,
    ]),
  );
}

/** What changes it: all files, but those that change by themselves. */
const snapshot = `find /etc /usr /opt /var/lib /root -xdev \\( -path /var/lib/rancher -o -path /var/lib/chrony -o -path /var/lib/systemd -o -path /opt/test -o -path /root/.kube \\) -prune -o -type f -printf '%p %T@ %m %s\\n' | LC_ALL=C sort`;

describe.skipIf(whyNoJumphost())('a bare Debian', () => {
  let jumphost: BareJumphost;
  let host: OpenHost;
  beforeAll(async () => {
    jumphost = await startBareJumphost();
    host = await openTestHost(jumphost.workstation, signal);
  });
  afterAll(async () => {
    await host?.close();
    await jumphost?.close();
  });

  const go = (isCheck = false, skip: string[] = []) =>
    prepare(host, testSteps(jumphost.workstation, signal), { isCheck, skip, signal, report() {} });

  const only = (...names: string[]) => {
    const steps = testSteps(jumphost.workstation, signal).filter(({ name }) =>
      names.includes(name),
    );
    return prepare(host, steps, { isCheck: false, signal, report() {} });
  };

  it('differs in nearly everything, and a check changes nothing', async () => {
    const before = await host.need(snapshot);

    const steps = await go(true);

    expect(statesOf(steps)).toMatchObject({ system: 'ok', packages: 'differs', k3s: 'differs' });
    expect(steps.find(({ name }) => name === 'label')).toMatchObject({
      state: 'waiting',
      text: 'waits for k3s',
    });
    expect(isPrepared(steps)).toBe(false);
    expect(await host.need(snapshot)).toBe(before);
  });

  const full = [
    ['packages', '/usr/share/ipmitool'],
    ['clock', '/etc/chrony/conf.d'],
    ['journal', '/etc/systemd/journald.conf.d'],
    ['updates', '/etc/apt/apt.conf.d'],
    ['node', '/usr/local/lib'],
    ['firewall', '/var/lib/skolo-steps'],
    ['firewall', '/etc/skolo'],
    ['ssh', '/etc/ssh/sshd_config.d'],
    ['programs', '/opt/skolo'],
    ['k3s-config', '/etc/rancher'],
    ['images', '/var/lib/rancher/k3s/agent/images'],
    ['k3s', '/usr/local/bin'],
  ] as const;
  it.each(full)(
    'says in the step %s that the disk is full, and only what depends on it waits',
    async (step, folder) => {
      await host.need(`mkdir -p ${folder} && mount -t tmpfs -o size=64k tmpfs ${folder}
head -c 1M /dev/zero > ${folder}/.full 2>/dev/null || true`);

      const steps = await only(step, 'node', 'programs', 'units');
      await host.need(`umount ${folder}`);

      const isNeeded = ['packages', 'node', 'programs'].includes(step);
      expect(statesOf(steps)).toMatchObject({
        [step]: expect.stringMatching(/No space left on device.*the disk is full; free disk space/),
        units: expect.stringMatching(isNeeded ? 'waiting' : /^(ok|changed)$/),
      });
    },
  );

  it('becomes a jumphost', async () => {
    const steps = await go();

    const others = Object.entries(statesOf(steps)).filter(
      ([, state]) => !/^(ok|changed)$/.test(state),
    );
    expect(others).toEqual([]);
    expect(await host.need('k3s kubectl get nodes -o name')).toBe('node/jumphost-rack4\n');
    // The power-cycle daemon is not root.
    const main = '/opt/skolo/services/power-cycle-daemon/dist/main.js';
    expect(await host.need(`runuser -u skolo -- cat ${main}`)).toBe('// Of a test.\n');
    // Also for units that run only while it prepares.
    const rejected = `journalctl -b -o cat | grep -E '(skolo|k3s)[^ ]*:[0-9]+: ' || true`;
    expect(await host.need(rejected)).toBe('');
  });

  it('does not collide with itself in a look of a user without root', async () => {
    const reading = jumphostReadings.find(({ name }) => name === 'ports');
    const asNobody = 'setpriv --reuid=nobody --regid=nogroup --clear-groups';

    const text = await host.need(`${asNobody} sh -c ${shellWord(reading?.command ?? '')}`);

    // Units that are not skolo's are named.
    expect(text).toMatch(/:22 .*cgroup:\/system.slice\/ssh.service/);
    expect(text).toMatch(/:6443 /);
    const rack = parseRack(rackYaml, { file: 'rack.yaml' });
    expect(reading?.judge(text, rack, Date.now).differs).toEqual([]);
  });

  it('repairs a file that keeps its program from starting', async () => {
    await host.need(`echo nonsense > /etc/chrony/conf.d/50-skolo.conf
! systemctl restart chrony 2> /dev/null`);

    expect(statesOf(await only('clock'))).toEqual({ clock: 'changed' });
  });

  it('knows machines by their node, taints and password', async () => {
    const name = 'rpi-1';
    const cluster = clusterOn(host);
    expect(await cluster.node(name)).toBeUndefined();
    expect(await cluster.hasPassword(name)).toBe(false);

    await register(host, name, { isReady: true });
    await cluster.taint(name, machineTaint);

    expect((await cluster.node(name))?.taints).toContain(machineTaint);
    expect(await cluster.hasPassword(name)).toBe(true);
    expect(await cluster.node('jumphost-rack4')).toMatchObject({ isReady: true });
    expect(await cluster.version()).toBe(k3sVersion);
    expect(await cluster.newToken('15m', `${name} joins`)).toMatch(/^K10\w+::\w+\.\w+$/);

    await cluster.forget(name);
    await cluster.forget(name);

    expect(await cluster.node(name)).toBeUndefined();
    expect(await cluster.hasPassword(name)).toBe(false);
  });

  it('is changed by one workstation at a time, and the second one is told whose turn it is', async () => {
    const first = await openTestHost(jumphost.workstation, signal);
    const began = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const ann = withLock(first, { by: 'ann@desk', signal }, async () => {
      began.resolve();
      await end.promise;
    });
    await began.promise;

    const bob = withLock(host, { by: 'bob@desk', signal }, async () => 'done');
    await expect(bob).rejects.toThrow(
      /another skolo command is changing this computer \(ann@desk since 20\S+\); wait until/,
    );
    end.resolve();
    await ann;
    expect(await withLock(host, { by: 'bob@desk', signal }, async () => 'done')).toBe('done');
    await first.close();
  });

  it('is not changed by a second run', async () => {
    const before = await host.need(snapshot);

    const steps = await go();

    expect(new Set(Object.values(statesOf(steps)))).toEqual(new Set(['ok']));
    expect(await host.need(snapshot)).toBe(before);
  });

  it('needs less room than before, and says how much', async () => {
    const system = testSteps(jumphost.workstation, signal).slice(0, 1);
    const within = async (size: string) => {
      await host.need(`mount -t tmpfs -o size=${size} tmpfs /var/lib/skolo`);
      const steps = await prepare(host, system, { isCheck: true, signal, report() {} });
      await host.need('umount /var/lib/skolo');
      return steps[0];
    };

    expect(await within('2G')).toMatchObject({ name: 'system', state: 'ok' });
    expect(await within('512M')).toMatchObject({
      state: 'differs',
      text: '/var/lib/skolo has 512 MiB (100%) free, but 1024 MiB and 10% are required; free disk space, otherwise the kubelet will evict pods',
    });
  });

  it('is open to a user with sudo, and says what a user without it has to do', async () => {
    const { workstation } = jumphost;
    const ways = [{ host: 'jumphost-rack4', user: 'ann' }];
    const ofAnn = { ...workstation, rack: { ...workstation.rack, ways } };
    await host.need(`useradd --create-home --shell /bin/sh ann
mkdir ~ann/.ssh && cp ~/.ssh/authorized_keys ~ann/.ssh/ && chown -R ann ~ann/.ssh`);

    await expect(openTestHost(ofAnn, signal)).rejects.toThrow('passwordless sudo does not work');
    const sudoers = { path: '/etc/sudoers.d/ann', content: 'ann ALL=(ALL) NOPASSWD: ALL\n' };
    await host.write({ ...sudoers, mode: 0o440 });
    const ann = await openTestHost(ofAnn, signal);
    const steps = await prepare(ann, testSteps(ofAnn, signal), {
      isCheck: true,
      signal,
      report() {},
    });
    await ann.close();
    await host.need('userdel --remove ann 2> /dev/null; rm /etc/sudoers.d/ann');

    const { changes, ...others } = statesOf(steps);
    // A new account.
    expect(changes).toBe('differs');
    expect(new Set(Object.values(others))).toEqual(new Set(['ok']));
  });

  it('keeps a change that a new session confirms', async () => {
    const path = '/etc/skolo/of-a-test';
    const change = { name: 'test', files: [{ path, content: 'new' }], activate: 'true' };

    await changeGuarded(host, change, {
      returnSeconds: 600,
      signal,
      newSession: (stop) => openTestHost(jumphost.workstation, stop),
    });
    const { stdout } = await host.run('systemctl is-active skolo-return.timer');

    expect(stdout).toBe('inactive\n');
    expect(await host.read(path)).toBe('new');
  });

  it.each([
    ['a later session says so', 1, 600],
    // All of the time passes.
    ['no later session gets in', Number.POSITIVE_INFINITY, 40],
  ] as const)(
    'keeps a change that was confirmed, and the answer was lost: %s',
    async (_, lost, seconds) => {
      const path = '/etc/skolo/of-a-test';
      const content = `new, ${seconds}`;
      let sessions = 0;
      const newSession = async (stop: AbortSignal) => {
        sessions += 1;
        if (sessions > 1 && sessions <= lost) throw new Error('no way in');
        const session = await openTestHost(jumphost.workstation, stop);
        if (sessions > lost) return session;
        return {
          ...session,
          async run(...call: Parameters<typeof session.run>) {
            await session.run(...call);
            throw new Error('cut off');
          },
        };
      };

      await changeGuarded(
        host,
        { name: 'test', files: [{ path, content }], activate: 'true' },
        { returnSeconds: seconds, signal, newSession },
      );

      if (Number.isFinite(lost)) expect(sessions).toBe(lost + 1);
      expect(await host.read(path)).toBe(content);
      expect((await host.run('systemctl is-active skolo-return.timer')).stdout).toBe('inactive\n');
    },
  );

  it('takes a change back at once that cannot be written as a whole', async () => {
    const path = '/etc/skolo/firewall.nft';
    const before = await host.read(path);
    const files = [path, '/proc/of-a-test'].map((each) => ({ path: each, content: 'new' }));

    const changed = changeGuarded(
      host,
      { name: 'test', files, activate: 'exit 1' },
      {
        returnSeconds: 600,
        signal,
        newSession: (stop) => openTestHost(jumphost.workstation, stop),
      },
    );

    await expect(changed).rejects.toThrow('(writing /proc/of-a-test)');
    expect(await host.read(path)).toBe(before);
    expect((await host.run('systemctl is-active skolo-return.timer')).stdout).toBe('inactive\n');
    expect(await host.need('ls /var/lib/skolo-steps')).toBe('prepared.json\nsaid\n');
  });

  /** `CLIENT` is the workstation's address, as sshd sees it. */
  const lockouts: [what: string, path: string, content: string][] = [
    ['a user', 'sshd_config.d/99-foreign.conf', 'AllowUsers nobody\n'],
    ['a user from another address', 'sshd_config.d/99-foreign.conf', 'AllowUsers root@192.0.2.*\n'],
    ['Match Address', 'sshd_config.d/99-foreign.conf', 'Match Address CLIENT\n  DenyUsers root\n'],
    [
      'Match LocalPort',
      'sshd_config.d/0-foreign.conf',
      'Match LocalPort 22\n  PubkeyAuthentication no\n',
    ],
    [
      'Match User',
      'sshd_config.d/0-foreign.conf',
      'Match User root\n  AuthorizedKeysFile /etc/none\n',
    ],
    [
      'Match Host',
      'sshd_config.d/99-foreign.conf',
      'UseDNS yes\nMatch Host *.office.test\n  DenyGroups root\n',
    ],
    [
      'AuthenticationMethods',
      'sshd_config.d/99-foreign.conf',
      'Match all\n  AuthenticationMethods publickey,password\n',
    ],
    [
      'a command',
      'sshd_config.d/99-foreign.conf',
      'Match LocalAddress 0.0.0.0/0\n  ForceCommand /usr/sbin/nologin\n',
    ],
    [
      'the main file',
      'sshd_config',
      'Include /etc/ssh/sshd_config.d/*.conf\nMatch Address *,!192.0.2.1\n  PermitRootLogin no\n',
    ],
  ];
  it.each(lockouts)(
    'loads no files of sshd that lock the workstation out: %s',
    async (_, name, content) => {
      const ours = '/etc/ssh/sshd_config.d/10-skolo.conf';
      const foreign = `/etc/ssh/${name}`;
      const client = (await host.need('set -- $SSH_CONNECTION; echo $1')).trim();
      const [before, hosts] = [await host.read(foreign), await host.read('/etc/hosts')];
      await host.write({ path: '/etc/hosts', content: `${hosts}${client} desk.office.test\n` });
      await host.write({ path: ours, content: 'MaxSessions 100\n' });
      await host.write({ path: foreign, content: content.replaceAll('CLIENT', client) });

      const [ssh] = await only('ssh');
      const session = await openTestHost(jumphost.workstation, signal);
      await session.close();
      const left = await host.read(ours);
      await (before === undefined
        ? host.need(`rm ${foreign}`)
        : host.write({ path: foreign, content: before }));
      const after = await only('ssh');
      await host.write({ path: '/etc/hosts', content: hosts ?? '' });

      expect(ssh).toMatchObject({
        state: 'failed',
        text: expect.stringMatching(
          `a test sshd .* rejected your sign-in .*, so the change was undone\\. .*fix .*${foreign}:\\d`,
        ),
      });
      expect(left).toBe('MaxSessions 100\n');
      expect((await host.run('systemctl is-active skolo-return.timer')).stdout).toBe('inactive\n');
      expect(after).toMatchObject([{ state: 'changed' }]);
    },
  );

  it('does not load what others wrote when it takes a change back', async () => {
    const foreign = '/etc/ssh/sshd_config.d/99-foreign.conf';
    const ours = '/etc/ssh/sshd_config.d/10-skolo.conf';
    const before = await host.read(ours);
    await host.write({ path: foreign, content: 'AllowUsers nobody\n' });
    // All of the time passes, but for the trial, which does not read the files of others here.
    const steps = testSteps(jumphost.workstation, signal, {
      returnSeconds: 40,
      newSession: (stop, server) =>
        openTestHost(jumphost.workstation, server === undefined ? stop : signal),
    }).filter((step) => step.name === 'ssh');
    await host.write({ path: ours, content: 'MaxSessions 100\n' });

    const [ssh] = await prepare(host, steps, { isCheck: false, signal, report() {} });

    expect(ssh?.text).toMatch(
      `new SSH sessions can be opened; ${ours}, ${foreign} was not loaded before, and is set aside`,
    );
    await host.need(`rm ${foreign}.set-aside ${ours}.set-aside`);
    expect(await only('ssh')).toMatchObject([{ text: '', state: 'changed' }]);
    expect(await host.read(ours)).toBe(before);
  });

  it('sees a failover whose units do not serve, as a run leaves it that failed there', async () => {
    const failedOver = { by: 'root', since: 'today', existing: ['old-metadata.service'] };
    const path = `${failedOverFolder}/metadata-server.json`;
    await host.write({ path, content: JSON.stringify(failedOver) });

    const differs = await only('existing-system');
    await host.need(`systemd-run --quiet --unit=old-metadata sleep 600`);
    const deaf = await only('existing-system');
    await host.need(`systemctl stop old-metadata
systemd-run --quiet --unit=old-metadata /opt/test/node -e "require('node:http').createServer((_, answer) => answer.end()).listen(80)"
until ss -Hltn 'sport = :80' | grep -q .; do sleep 0.2; done`);
    const serves = await only('existing-system');
    await host.need(`systemctl stop old-metadata && rm ${path}`);

    expect(differs).toMatchObject([
      { state: 'failed', text: expect.stringContaining('old-metadata.service is not running') },
    ]);
    expect(deaf).toMatchObject([
      {
        text: expect.stringContaining(
          'nothing listens on port 80 or 20010; repair the unit, or run',
        ),
      },
    ]);
    expect(serves).toMatchObject([{ state: 'ok' }]);
  });

  it('goes on past a step that fails, names the file of apt, and can leave a step out', async () => {
    const file = '/etc/apt/apt.conf.d/99-foreign';
    const node =
      'k3s kubectl label node jumphost-rack4 node-restriction.kubernetes.io/skolo-jumphost-';
    const foreign = (content: string) => host.write({ path: file, content });
    await foreign('APT::Periodic {\n  Unattended-Upgrade "0";\n};\n');
    // As a power cut leaves it, which has zeroed a file.
    await host.need(`${node} > /dev/null; : > "$(readlink -f /usr/bin/node)"`);

    const steps = await go();
    await foreign('APT::Periodic { nonsense\n');
    const [damaged] = await only('updates');
    const skipped = await go(false, ['updates']);
    await host.need(`rm ${file}`);

    expect(statesOf(steps)).toMatchObject({
      updates: `failed: another file turns updates off: ${file}:2; fix that file`,
      node: 'changed',
      label: 'changed',
      'existing-system': 'ok',
    });
    expect(damaged?.text).toMatch(
      /apt cannot read its configuration: .*99-foreign.*; fix that file/,
    );
    expect(statesOf(skipped).updates).toBe('skipped');
    // What this test and others before it have changed.
    expect(isPrepared(skipped.filter(({ name }) => name !== 'changes'))).toBe(true);
  });

  it('restarts when its root file system has become read-only, and stayed so', async () => {
    // In mounts of its own: files of the log are open in the others.
    const said = await host.need(`set -e
systemctl show --value --property=RuntimeWatchdogUSec
systemd-run --quiet --unit=watch-of-a-test --property=PrivateMounts=yes /usr/local/sbin/skolo-read-only-watch 2 touch /run/restarted
until journalctl -u watch-of-a-test -o cat | grep -q 'watching /'; do sleep 0.2; done
nsenter -t "$(systemctl show --value --property=MainPID watch-of-a-test)" -m mount -o remount,bind,ro /
until [ -e /run/restarted ]; do sleep 0.2; done
journalctl -u watch-of-a-test -o cat | grep 'has been read-only'`);

    expect(said).toMatch(/^30s\n.*has been read-only for 2 s; running touch/);
  });

  it('adds to the command line of the kernel that file systems are repaired', async () => {
    const grub = `for each in /etc/default/grub.d/*.cfg; do . "$each"; done
mkdir -p /boot/grub && echo "linux /vmlinuz$GRUB_CMDLINE_LINUX" > /boot/grub/grub.cfg`;
    await host.write({
      path: '/usr/local/sbin/update-grub',
      content: `#!/bin/sh\n${grub}\n`,
      mode: 0o755,
    });
    const byGrub = await only('fsck');
    await host.need('rm /usr/local/sbin/update-grub; mkdir -p /boot/firmware');
    await host.write({ path: '/boot/firmware/cmdline.txt', content: 'root=/dev/sda2 quiet\n' });
    const byPi = await only('fsck');

    expect([byGrub, byPi]).toMatchObject([[{ state: 'changed' }], [{ state: 'changed' }]]);
    expect(await host.read('/boot/grub/grub.cfg')).toBe('linux /vmlinuz fsck.repair=yes\n');
    expect(await host.read('/boot/firmware/cmdline.txt')).toBe(
      'root=/dev/sda2 quiet fsck.repair=yes\n',
    );
    await host.need('rm -r /boot/firmware /boot/grub /etc/default/grub.d');
  });

  it('says after a rollback whether anybody gets in', async () => {
    const path = '/etc/skolo/of-a-test';
    const change = { name: 'test', files: [{ path, content: 'other' }], activate: 'false' };
    const guard = { returnSeconds: 600, signal };

    const locked = changeGuarded(host, change, {
      ...guard,
      newSession: () => Promise.reject(new Error('Permission denied')),
    });

    await expect(locked).rejects.toThrow(
      'the previous files are restored, but new SSH sessions still fail (Permission denied)',
    );
    const open = changeGuarded(host, change, {
      ...guard,
      newSession: (stop) => openTestHost(jumphost.workstation, stop),
    });
    await expect(open).rejects.toThrow('and new SSH sessions can be opened');
  });

  it('takes a firewall back that lets nobody in', async () => {
    const rules = '/etc/skolo/firewall.nft';
    const before = await host.read(rules);
    const locked = before?.replace(/^ *(tcp dport|ip saddr).*$/gm, '') ?? '';
    const change = {
      name: 'firewall',
      // Also for connections that are there.
      files: [{ path: rules, content: locked.replace(/^ *ct state established.*$/m, '') }],
      activate: `nft --file ${rules}`,
    };

    const changed = changeGuarded(host, change, {
      returnSeconds: 40,
      signal,
      newSession: (stop) => openTestHost(jumphost.workstation, stop),
    });

    await expect(changed).rejects.toThrow(
      'the change could not be confirmed through a new SSH session',
    );
    expect(await host.read(rules)).toBe(before);
    expect(await host.need('nft list table inet skolo')).toContain('tcp dport 22 accept');
  });

  it('takes a change back at the next start, where the power fails before it is confirmed', async () => {
    const path = '/etc/ssh/sshd_config.d/10-skolo.conf';
    const before = await host.read(path);
    const off = new AbortController();

    const changed = changeGuarded(
      host,
      {
        name: 'ssh',
        files: [{ path, content: 'PasswordAuthentication yes\n' }],
        activate: 'true',
      },
      {
        returnSeconds: 600,
        signal: off.signal,
        async newSession() {
          await jumphost.computer.cutPower();
          off.abort(new Error('the power is off'));
          throw off.signal.reason;
        },
      },
    );
    await expect(changed).rejects.toThrow('the power is off');
    await jumphost.computer.boot();

    expect(await jumphost.computer.read(path)).toBe(before);
    const left = await jumphost.computer.run('ls', '/var/lib/skolo-steps');
    expect(left.text).toBe('prepared.json\nsaid\n');
  });

  describe('verify', () => provesVerify(() => jumphost));
});
