/**
 * k3s gets another version, on a real Debian with systemd and sshd. k3s is a fake with its files, flags, unit and paths, in
 * front of a real API server, whose database no older version of the fake reads.
 *
 * One test goes on where the one before has ended: it is the story of one jumphost.
 */

import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { downloader, isPrepared, prepare, type StepProgress } from '@skolo/setup/engine';
import {
  certificatesStep,
  folder,
  k3sVersion,
  type OtherHealth,
  serverSteps,
  versionStep,
} from '@skolo/setup/k3s';
import {
  addK3s,
  type BareJumphost,
  type OpenHost,
  openTestHost,
  startBareJumphost,
  whyNoJumphost,
} from '@skolo/setup/k3s/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testSteps } from '../testing/test-steps.ts';
import { osPackagesStep, osRebootStep } from './index.ts';

const next = 'v1.37.1+k3s1';
const crashing = 'v1.37.2+k3s1';
const hanging = 'v1.37.3+k3s1';
const last = 'v1.38.1+k3s1';

const { signal } = new AbortController();

describe.skipIf(whyNoJumphost())('an upgrade of k3s', () => {
  let jumphost: BareJumphost;
  let host: OpenHost;
  beforeAll(async () => {
    jumphost = await startBareJumphost();
    const { files } = jumphost.workstation;
    await addK3s(files, next);
    await addK3s(files, crashing, 'crash');
    await addK3s(files, hanging, 'hang');
    await addK3s(files, last);
    host = await openTestHost(jumphost.workstation, signal);
    const steps = await prepare(host, testSteps(jumphost.workstation, signal), {
      isCheck: false,
      signal,
      report() {},
    });
    expect(isPrepared(steps)).toBe(true);
    await host.need('k3s kubectl create configmap of-a-test');
  });
  afterAll(async () => {
    await host?.close();
    await jumphost?.close();
  });

  interface Given {
    isCheck?: boolean;
    other?: OtherHealth;
    /** Called with every line for people. */
    report?: (text: string) => void;
    stop?: AbortSignal;
    /** Of a version that never answers, all of it passes. */
    startSeconds?: number;
    /** Of a rack that stays worse, all of it passes. */
    wellMs?: number;
  }

  /** State and text of each step. */
  async function upgrade(wanted: string, given: Given = {}): Promise<Record<string, string>> {
    const { isCheck = false, other, report = () => {}, stop = signal } = given;
    const { startSeconds = 600, wellMs = 600_000 } = given;
    const versions = wanted.split(',');
    const health = {
      services: [],
      report,
      signal: stop,
      ...(other && { other }),
      times: { soakMs: 0, wellMs, pollMs: 500 },
    };
    const needs = {
      versions,
      node: 'jumphost-rack4',
      by: 'ann@desk: of a test',
      health,
      download: downloader({
        folder: jumphost.workstation.files,
        fetch,
        signal: stop,
        confirm: async () => false,
      }),
      startSeconds,
      underLease: (work: () => Promise<void>) => work(),
    };
    const steps = [versionStep(versions), ...serverSteps(needs), certificatesStep()];
    const ended = await prepare(host, steps, { isCheck, signal: stop, report() {} });
    return Object.fromEntries(ended.map(textOf));
  }

  function textOf({ name, state, text }: StepProgress): [string, string] {
    return [name, text === '' ? state : `${state}: ${text}`];
  }

  /** What runs, and what is in its database. */
  const runs = async () =>
    (
      await host.need(
        `k3s kubectl get nodes -o 'jsonpath={.items[*].status.nodeInfo.kubeletVersion}'; echo; k3s kubectl get configmaps -o name | grep of-a; systemctl is-active k3s`,
      )
    ).trim();
  const asBefore = (version: string) => `${version}\nconfigmap/of-a-test\nactive`;

  it('says what it would do, and which versions cannot follow', async () => {
    expect(await upgrade(next, { isCheck: true })).toEqual({
      'k3s-version': `ok: ${k3sVersion} → ${next}`,
      'k3s-server': `differs: ${k3sVersion} → ${next}`,
      certificates: 'ok',
    });
    expect(await upgrade(last)).toMatchObject({
      'k3s-version': expect.stringContaining(
        `an upgrade cannot skip minor versions; specify one release of each minor version with --k3s v1.37.N+k3s1,${last}`,
      ),
      'k3s-server': 'waiting: waits for k3s-version',
    });
  });

  it('is rejected where the disk has no room for the snapshot, and k3s goes on', async () => {
    await host.need(`mkdir -p ${folder} && mount -t tmpfs -o size=256k tmpfs ${folder}`);
    const started = await host.need('systemctl show --property=ExecMainStartTimestamp k3s');

    const { 'k3s-server': server } = await upgrade(next);
    await host.need(`umount ${folder}`);

    expect(server).toMatch(
      /failed: .*the snapshot requires \d+ MiB .* free; free disk space.*; nothing was changed$/,
    );
    expect(await host.need('systemctl show --property=ExecMainStartTimestamp k3s')).toBe(started);
  });

  it('is rejected where the file is not that of the publisher', async () => {
    const file = join(jumphost.workstation.files, `k3s-${next}`, 'k3s-airgap-images-amd64.tar.zst');
    await appendFile(file, 'more');

    expect((await upgrade(next))['k3s-server']).toContain('does not match the file at https://');

    await addK3s(jumphost.workstation.files, next);
    expect(await runs()).toBe(asBefore(k3sVersion));
  });

  it('goes on with a workstation that was gone, keeps the database, and is not done twice', async () => {
    const gone = new AbortController();
    const report = (text: string) => {
      if (text.startsWith('starting')) gone.abort(new Error('the workstation is gone'));
    };

    await expect(upgrade(next, { report, stop: gone.signal })).rejects.toThrow(
      'the workstation is gone',
    );
    expect((await upgrade(crashing))['k3s-version']).toContain(
      `run the command with --k3s ${next} first to finish it`,
    );

    expect(await upgrade(next)).toMatchObject({ 'k3s-server': `changed: ${next}` });
    expect(await runs()).toBe(asBefore(next));
    expect(await upgrade(next)).toMatchObject({ 'k3s-server': `ok: ${next}` });
    expect((await upgrade(k3sVersion))['k3s-version']).toContain('an older version cannot read');
    expect(await host.need(`stat -c %a ${folder}/snapshot`)).toBe('700\n');
  });

  it('returns where the new version does not run, with the database of before', async () => {
    const { 'k3s-server': server } = await upgrade(crashing);

    expect(server).toMatch(/this version has a fault.*; the previous version is running again/);
    expect(await runs()).toBe(asBefore(next));
  });

  it('returns where the rack is worse with it', async () => {
    const other = {
      read: async () => 'before',
      worsened: async () => ['new alert PhonesGone (critical)'],
    };

    const { 'k3s-server': server } = await upgrade(last, { other, wellMs: 2000 });

    expect(server).toMatch(
      /new alert PhonesGone \(critical\); the previous version is running again/,
    );
    // Whose database a newer version has changed meanwhile.
    expect(await runs()).toBe(asBefore(next));
  });

  it('keeps the snapshot of an upgrade that could not return', async () => {
    await host.need(`cp ${folder}/state /root/state && echo broken > ${folder}/state`);

    const steps = await upgrade(last);
    await host.need(`mv /root/state ${folder}/state`);

    expect(steps).toMatchObject({
      'k3s-version': expect.stringMatching(/failed: the rollback of an upgrade to \S+ failed/),
      'k3s-server': 'waiting: waits for k3s-version',
    });
  });

  it('renews certificates that expire soon', async () => {
    const file = '/var/lib/rancher/k3s/server/tls/client-admin.crt';
    await host.need(
      `mkdir -p $(dirname ${file}) && openssl req -x509 -nodes -newkey ed25519 -keyout /dev/null -subj /CN=admin -days 80 -out ${file}`,
    );

    expect(await upgrade(next, { isCheck: true })).toMatchObject({
      certificates: expect.stringMatching(/^differs: \S+client-admin.crt expires on/),
    });
    expect(await upgrade(next)).toMatchObject({ certificates: 'changed' });
    expect(await runs()).toBe(asBefore(next));
  });

  it('returns where the new version never answers', async () => {
    const { 'k3s-server': server } = await upgrade(hanging, { startSeconds: 60 });

    expect(server).toMatch(
      /k3s.service is activating; gave up after 60 s.*; the previous version is running/,
    );
    expect(await runs()).toBe(asBefore(next));
  });

  const cuts = [
    ['stopping k3s', 'v1.37.4+k3s1', 'v1.37.4+k3s1'],
    ['starting the new version', 'v1.37.5+k3s1', 'v1.37.5+k3s1'],
    ['rolling back', 'v1.37.6+k3s1', 'v1.37.5+k3s1'],
  ];
  // Each push has the stage in which there is most to lose. The others add that their stages are repeated, too, and take two minutes.
  it.each(cuts.filter(([words]) => isLong || words === 'starting the new version'))(
    'goes on by itself after a power cut while it is %s',
    async (words = '', version = '', after = '') => {
      await addK3s(
        jumphost.workstation.files,
        version,
        words === 'rolling back' ? 'crash' : undefined,
      );
      const gone = new AbortController();
      let cut: Promise<void> | undefined;
      const report = (text: string) => {
        if (!text.startsWith(words)) return;
        cut ??= jumphost.computer.cutPower();
        gone.abort(new Error('the power is off'));
      };

      await expect(upgrade(version, { report, stop: gone.signal })).rejects.toThrow('power is off');
      await cut;
      await host.close();
      await jumphost.computer.boot();
      host = await openTestHost(jumphost.workstation, signal);
      await host.need(`until grep -Eq 'ready|returned' ${folder}/state; do sleep 1; done`, {
        deadlineMs: 900_000,
      });

      const { 'k3s-server': server } = await upgrade(version);
      expect(server).toContain(version === after ? `changed: ${version}` : 'a fault');
      expect(await runs()).toBe(asBefore(after));
    },
  );

  it('goes through several minor versions, also with a workstation that was gone before the last', async () => {
    const way = [...['v1.37.7+k3s1', last], 'v1.39.0+k3s1'];
    for (const each of way) await addK3s(jumphost.workstation.files, each);
    const gone = new AbortController();
    let starts = 0;
    const report = (text: string) => {
      if (!text.startsWith('starting')) return;
      starts += 1;
      if (starts === 2) gone.abort(new Error('the workstation is gone'));
    };

    expect(await upgrade(way.join(','), { isCheck: true })).toMatchObject({
      'k3s-version': `ok: ${['v1.37.5+k3s1', ...way].join(' → ')}`,
      [`k3s-server ${way[2]}`]: `differs: ${last} → ${way[2]}`,
    });
    await expect(upgrade(way.join(','), { report, stop: gone.signal })).rejects.toThrow('gone');
    expect(await upgrade(way.join(','))).toMatchObject({
      [`k3s-server ${way[0]}`]: expect.stringMatching(/^ok/),
      [`k3s-server ${last}`]: `changed: ${last}`,
      [`k3s-server ${way[2]}`]: `changed: ${way[2]}`,
    });
    expect(await runs()).toBe(asBefore('v1.39.0+k3s1'));
  });

  it('asks a person where it is not known how the rack was', async () => {
    await host.need(`mv ${folder}/before.json /root/before && echo ready > ${folder}/state`);

    const steps = await upgrade('v1.39.0+k3s1');
    await host.need(`mv /root/before ${folder}/before.json`);

    expect(steps).toMatchObject({
      'k3s-server': expect.stringMatching(
        /failed: .*before.json is missing or empty.*On the jumphost, run echo done/,
      ),
    });
    expect(await upgrade('v1.39.0+k3s1')).toMatchObject({
      'k3s-server': expect.stringMatching(/^changed/),
    });
  });

  it('brings all updates of Debian, and says who asks for a reboot', async () => {
    await host.need(makePackages);
    let reboots = 0;
    const reboot = async () => {
      reboots += 1;
      await host.need('rm /run/reboot-required*');
    };
    const go = async (isCheck: boolean) => {
      const steps = [osPackagesStep(), osRebootStep(reboot)];
      const ended = await prepare(host, steps, { isCheck, signal, report() {} });
      return Object.fromEntries(ended.map(textOf));
    };

    expect(await go(true)).toMatchObject({ 'os-packages': 'differs: outdated: of-a-test' });
    expect(await go(false)).toMatchObject({
      'os-packages': expect.stringMatching(/^changed/),
      'os-reboot': expect.stringMatching(/^changed/),
    });
    expect(await host.need(`dpkg-query -W -f '\${Version}' of-a-test`)).toBe('2');
    expect(reboots).toBe(1);
  });
});

/** Version 1 of a package is installed, and version 2 is in a repository. It asks for a reboot. */
const makePackages = `set -e
mkdir -p /etc/apt/sources.list.d /opt/packages/of-a-test/DEBIAN && cd /opt/packages
for version in 1 2; do
  printf 'Package: of-a-test\nVersion: %s\nArchitecture: all\nMaintainer: A <a@example.com>\nDescription: of a test\n' $version > of-a-test/DEBIAN/control
  printf '#!/bin/sh\necho of-a-test > /run/reboot-required.pkgs; touch /run/reboot-required\n' > of-a-test/DEBIAN/postinst
  chmod 755 of-a-test/DEBIAN/postinst
  dpkg-deb --build of-a-test $version.deb > /dev/null
done
dpkg -i 1.deb > /dev/null 2>&1
rm -f /run/reboot-required*
{ dpkg-deb -f 2.deb; echo "Filename: ./2.deb"; echo "Size: $(stat -c %s 2.deb)"; echo "SHA256: $(sha256sum 2.deb | cut -c -64)"; } > Packages
echo 'deb [trusted=yes] file:/opt/packages ./' > /etc/apt/sources.list.d/of-a-test.list`;
