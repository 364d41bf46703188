/**
 * Ways to break a jumphost, each tried on a Debian that has booted and that `prepare` has made a jumphost: `verify` names it, and
 * `prepare` repairs it or leaves it to a person. testdata/broken-jumphosts.txt has the table that comes out (`SKOLO_LONG=1 vitest -u` writes
 * it).
 */

import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { isLong, onlyLong } from '@skolo/base/durable/fault-injection';
import { parseRack } from '@skolo/rack';
import { prepare } from '@skolo/setup/engine';
import {
  address,
  type BareJumphost,
  network,
  type OpenHost,
  openTestHost,
  ours,
  subnet,
  testAuthority,
} from '@skolo/setup/k3s/testing';
import { selfSignedCertificate } from '@skolo/simulators';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keepCheckedReboot } from '../effective/boot.ts';
import { usesStep } from '../effective/uses.ts';
import { type Breakage, breakages } from './breakages.ts';
import { distant, startDistantServers } from './distant-servers.ts';
import { rackYaml, testSteps } from './test-steps.ts';

const { signal } = new AbortController();
const file = fileURLToPath(new URL('../../../testdata/broken-jumphosts.txt', import.meta.url));

/** Of a stand-in for Alertmanager. */
const alertPort = 9093;

/** Each push tries the first one of each step. The others take minutes, and find more of what a step reads. */
const firstOfSteps = [...Map.groupBy(breakages, ({ step }) => step).values()].flatMap(
  ([first]) => first ?? [],
);

const googleName = 'pubsub.googleapis.com';

function ownCertificate() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const times = { notBefore: new Date('2026-01-01'), notAfter: new Date('2049-01-01') };
  const cert = selfSignedCertificate({ publicKey, privateKey, commonName: googleName, ...times });
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert };
}

let jumphost: BareJumphost;
let host: OpenHost;

/** What is wrong with the jumphost, or with that part of it. */
async function go(isCheck: boolean, name?: string) {
  const yaml = `${rackYaml}alertmanager: http://${distant}:${alertPort}\n`;
  const rack = parseRack(yaml, { file: 'rack.yaml' });
  const uses = usesStep({ rack, services: [] });
  const all = [...testSteps(jumphost.workstation, signal), uses];
  const steps = all.filter((step) => name === undefined || step.name === name);
  const found = await prepare(host, steps, { isCheck, signal, report() {} });
  return found.filter(({ state }) => state !== 'ok' && state !== 'changed');
}

async function onJumphost(script: string): Promise<void> {
  const filled = script
    .replaceAll('ADDRESS', address)
    .replaceAll('SUBNET', subnet)
    .replaceAll('GATEWAY', ours)
    .replaceAll('DISTANT', distant);
  await host.need(filled, { deadlineMs: 900_000 });
}

/** @param on a jumphost that has been prepared, and that others have changed since */
export function provesVerify(on: () => BareJumphost): void {
  const alertmanager = createServer((_, response) => response.end());
  const certified = ownCertificate();
  const google = createHttps(certified, (_, response) => response.end());
  let internet: Awaited<ReturnType<typeof startDistantServers>> | undefined;
  beforeAll(async () => {
    jumphost = on();
    await once(alertmanager.listen(alertPort, ours), 'listening');
    await once(google.listen(443, ours), 'listening');
    internet = await startDistantServers([443, alertPort]);
    host = await openTestHost(jumphost.workstation, signal);
    await host.write({ path: testAuthority, content: certified.cert });
    await onJumphost(`echo 'DISTANT ${googleName}' >> /etc/hosts`);
    // As after the first `prepare`.
    await host.need('rm /var/lib/skolo-steps/prepared.json');
    expect(await go(false, 'changes')).toEqual([]);
  });
  afterAll(async () => {
    alertmanager.close();
    google.close();
    await internet?.close();
    await host?.close();
  });

  it('is healthy', async () => {
    expect(await go(true)).toEqual([]);
  });

  it('prints the date of the last reboot after which everything was checked', async () => {
    const note = async () => {
      const boot = testSteps(jumphost.workstation, signal).filter(({ name }) => name === 'boot');
      return (await prepare(host, boot, { isCheck: true, signal, report() {} }))[0]?.text;
    };

    expect(await note()).toMatch(/^no reboot has been checked yet; run skolo jumphost reboot/);
    await keepCheckedReboot(host, Date.parse('2026-05-01T08:00:00Z'));
    expect(await note()).toBe('the last checked reboot was on 2026-05-01');
    await onJumphost("touch -d '-200 days' /var/lib/skolo-steps/checked-reboot");
    expect(await note()).toMatch(/ on 2026-05-01; run skolo jumphost reboot --then-check$/);
  });

  it('accepts accounts that use no sudo, ask for a password, or have a comment among their keys', async () => {
    await onJumphost(`for user in eve dan; do
  useradd --create-home --shell /bin/bash $user
  install -D -o $user -m 600 /root/.ssh/authorized_keys /home/$user/.ssh/authorized_keys
  printf '  # of the laptop\\n\\n' >> /home/$user/.ssh/authorized_keys
  chown $user /home/$user/.ssh
done
usermod --append --groups sudo dan`);

    expect(await go(true, 'ssh')).toEqual([]);
    await onJumphost('for user in eve dan; do userdel --remove $user 2> /dev/null; done');
  });

  it('reports at once that /run is full', async () => {
    await onJumphost('mount -o remount,size=300k /run; ! head -c 1M /dev/zero > /run/full');

    const [found] = await go(true, 'system');
    const applied = go(false, 'system');
    await expect(applied).rejects.toThrow(/\/run\/skolo-steps\/holder cannot be written.*df/);
    await onJumphost('rm /run/full; mount -o remount,size=20% /run');
    expect(found?.text).toBe('/run has no free space (file system /run); remove files');
  });

  provesProxy();
  for (const proves of [provesOwners, provesBreakages]) proves();
}

/** Through which the rack reaches the internet. */
function provesProxy(): void {
  it('reaches Google through the proxy of the services, and says when that one does not', async () => {
    const proxy = createServer().on('connect', (_, client: Socket) => {
      const server = connect(443, ours, () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        client.pipe(server).pipe(client);
      });
      for (const each of [client, server]) each.on('error', () => undefined);
    });
    await once(proxy.listen(3128, ours), 'listening');
    await onJumphost(`k3s kubectl create deployment proxied -n skolo --image=skolo/proxied --replicas=0
k3s kubectl set env deployment/proxied -n skolo HTTPS_PROXY=http://ann:secret@GATEWAY:3128
nft add table inet person
nft 'add chain inet person output { type filter hook output priority 0; }'
nft add rule inet person output ip daddr DISTANT tcp dport 443 reject`);

    const through = await go(true, 'uses');
    const closed = once(proxy, 'close');
    proxy.close();
    await closed;
    const [rejected] = await go(true, 'uses');
    await onJumphost(
      'nft delete table inet person; k3s kubectl delete deployment proxied -n skolo',
    );

    expect(through).toEqual([]);
    expect(rejected?.text).toMatch(
      /^https:\/\/pubsub.googleapis.com does not respond .*ECONNREFUSED.*; check .* the proxy/,
    );
    expect(rejected?.text).not.toContain('secret');
  });
}

/** Of packages, with other contents, in the mirror that a jumphost of a test has on its disk. */
const newVersions = `cd /var/lib/mirror
for deb in chrony_*.deb libseccomp2_*.deb nftables_*.deb openssh-server_*.deb; do
  month=month-\${deb%%_*}.deb
  new=$(mktemp -d)
  dpkg-deb -R "$deb" "$new"
  sed -i 's/^Version: .*/&+month1/' "$new/DEBIAN/control"
  for each in /etc/chrony/chrony.conf /usr/sbin/nft; do
    [ ! -e "$new$each" ] || { echo '# Of the next month.' >> "$new$each"; sed -i "s|^[0-9a-f]*  \${each#/}$|$(md5sum < "$new$each" | cut -c -32)  \${each#/}|" "$new/DEBIAN/md5sums"; }
  done
  dpkg-deb -Zgzip --root-owner-group -b "$new" "$month" > /dev/null
  rm -r "$new"
  { dpkg-deb -f "$month"; echo "Filename: ./$month"; echo "Size: $(stat -c %s "$month")"; echo "SHA256: $(sha256sum "$month" | cut -c -64)"; echo; } >> Packages
done
cd /`;

/** Which `prepare` restarts. */
const ownUnits = ['skolo-active-guard', 'skolo-watchdog'];

/** Whose a change is. */
function provesOwners(): void {
  it('is green after a usual month, and lists what colleagues have changed as information', async () => {
    await onJumphost(`set -e
${newVersions}
apt-get -q update > /dev/null
apt-get -q -y install logrotate git curl > /dev/null
apt-get -q -y upgrade > /dev/null
dpkg-query -W -f '\${Version}' chrony | grep -q month
unattended-upgrade
apt-get -q -y install --reinstall -o Dpkg::Options::=--force-confnew chrony openssh-server ca-certificates > /dev/null
update-ca-certificates --fresh > /dev/null
useradd --system --shell /usr/sbin/nologin dnsmasq
logrotate --force /etc/logrotate.conf
journalctl -q --vacuum-size=1M
systemctl start apt-daily.service
rm -f /var/log/apt/history.log*
ln -sf /usr/share/zoneinfo/Europe/Berlin /etc/localtime
echo Europe/Berlin > /etc/timezone
echo LANG=C.UTF-8 > /etc/default/locale
touch /etc/hosts /etc/ssh/sshd_config
cp -p /etc/hosts /tmp/hosts.month
echo 192.0.2.99 printer >> /etc/hosts
echo 'alias ll="ls -l"' >> /root/.bashrc
echo '5 5 * * * root /usr/bin/true' > /etc/cron.d/colleague
systemctl restart k3s chrony systemd-journald
for unit in chrony ${ownUnits.join(' ')}; do
  file=$(sed -nE 's,.* (/usr/lib/.*/lib(seccomp|stdc\\+\\+|tinfo)\\.so[^ ]*)$,\\1,p' "/proc/$(systemctl show --value --property=MainPID "$unit")/maps" | head -n 1)
  cp -p "$file" "$file.new"; mv "$file.new" "$file"
done`);

    const check = (names: RegExp, isCheck = true) =>
      prepare(
        host,
        testSteps(jumphost.workstation, signal).filter(({ name }) => names.test(name)),
        { isCheck, signal, report() {} },
      );
    const [updates, changes] = await check(/^(changes|updates)$/);
    // Only its own units.
    const [renewed] = await check(/^updates$/, false);
    const [after] = await check(/^updates$/);
    await onJumphost(`cat /tmp/hosts.month > /etc/hosts
sed -i '/^alias ll/d' /root/.bashrc
rm /etc/cron.d/colleague
userdel dnsmasq
ln -sf /usr/share/zoneinfo/Etc/UTC /etc/localtime
echo Etc/UTC > /etc/timezone
systemctl restart chrony systemd-journald`);
    const listed = changes?.text.replace(/ \(owner root, [^)]*\)/g, '');
    expect([changes?.state, updates?.state]).toEqual(['ok', 'ok']);
    expect(updates?.text).toMatch(
      /^an update has replaced libraries that these units still use: (?=.*chrony)(?=.*skolo-watchdog).*skolo-active-guard/,
    );
    expect(renewed?.state).toBe('ok');
    expect(after?.text).toMatch(/still use: (?=.*chrony)(?!.*skolo-)/);
    expect(listed).toMatch(
      /: \/etc\/cron.d\/colleague was added, \/etc\/hosts was changed, \/root\/.bashrc was changed$/,
    );
  });

  it('lists other changes as information, until each is confirmed by name', async () => {
    const check = async (isCheck: boolean, kept: string[] = []) => {
      const steps = testSteps(jumphost.workstation, signal, {}, { kept });
      const only = steps.filter(({ name }) => name === 'changes');
      return (await prepare(host, only, { isCheck, signal, report() {} }))[0];
    };
    await onJumphost(`echo hello > /etc/motd
echo hello > /etc/apt/apt.conf.d/99person
mkdir -p /etc/sudoers.d; echo "bob  ALL=(ALL) ALL" > /etc/sudoers.d/bob; chmod 440 /etc/sudoers.d/bob`);

    const found = await check(true);
    const kept = ['sudoers: bob ALL=(ALL) ALL', '/etc/apt/apt.conf.d/99person'];
    const [one] = kept;
    expect(found?.state).toBe('differs');
    expect(found?.text).toMatch(
      /who can become root or sign in: `sudoers: bob ALL=\(ALL\) ALL`; undo each change, or confirm it with prepare --keep-change/,
    );
    expect(found?.text).toMatch(/information: changed by others since .*: \/etc\/motd was changed/);
    expect(await check(false, [one ?? ''])).toMatchObject({
      state: 'failed',
      text: expect.not.stringContaining('sudoers'),
    });
    expect(await check(false, kept)).toMatchObject({ state: 'changed' });
    await onJumphost('rm /etc/sudoers.d/bob /etc/apt/apt.conf.d/99person');
    expect((await check(true))?.text).toMatch(/99person was removed/);
    expect(await check(false, ['/etc/apt/apt.conf.d/99person', '/etc/motd'])).toMatchObject({
      state: 'changed',
    });
    expect(await check(true)).toMatchObject({ state: 'ok', text: '' });
  });
}

function provesBreakages(): void {
  let text: string;
  beforeAll(async () => {
    text = await readFile(file, 'utf8');
  });

  const rows = new Map<Breakage, string>();
  it.each(isLong ? breakages : firstOfSteps)(`is broken: $what`, async (breakage) => {
    const { what, step, script, undo, why = 'yes' } = breakage;
    await onJumphost(script);
    const [found] = await go(true, step);
    const left = await go(false, step);
    if (undo !== undefined) await onJumphost(undo);

    const message = found?.text
      .replaceAll('|', '\\|')
      .replaceAll(network, '192.168.1')
      .replaceAll(distant, '203.0.113.2')
      .replace(/\(process \d+\)/, '(process 1234)')
      .replace(/for \d+ s, so it hangs/, 'for 12 s, so it hangs')
      // What of it arrives first depends on the moment.
      .replace(/read: Connection reset by peer|Connection closed by remote host/, 'closed')
      .replace(/2\d{3}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z/g, '2026-11-01T08:00Z');
    rows.set(breakage, `| ${what} | ${step}: ${message} | ${why} |`);
    expect(found).toMatchObject({ name: step, state: 'differs' });
    expect(left.map(({ name }) => name)).toEqual(why === 'yes' ? [] : [step]);
    if (why === 'yes') expect(found?.isRepairable).toBe(true);
    expect(await go(true, step)).toEqual([]);
    if (!isLong) expect(text).toContain(rows.get(breakage));
  });

  it('is healthy in the end', async () => {
    expect(await go(true)).toEqual([]);
  });

  // Of each push, each row is compared by itself.
  it.skipIf(onlyLong)('leaves the table of all', async () => {
    const table = breakages.map((each) => rows.get(each) ?? '').join('\n');
    const head = text.split('\n').slice(0, 2).join('\n');
    await expect(`${head}\n${table}\n`).toMatchFileSnapshot(file);
  });
}
