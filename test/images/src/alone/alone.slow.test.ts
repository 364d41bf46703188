import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { run, tempDir, untilTestEnds } from '@skolo/base/testing';
import {
  type Computer,
  makeServiceAccountKey,
  startApcRpdu,
  startGoogleOAuth,
  startGooglePubSub,
} from '@skolo/simulators';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { arch, freshDebian, whyNoFreshDebian, writePackage } from '../fresh-debian.ts';
import { furnish, lend, ours, oxidized, password, pdudaemonConf, rancid } from './furnish.ts';
import { Section, Shell } from './section.ts';

describe.each(['debian', 'debian-13'] as const)('docs/adopt/alone.md on %s', (debian) => {
  const why = whyNoFreshDebian(debian);
  describe.skipIf(why)('as printed', () => {
    let computer: Computer;
    let shell: Shell;
    let rackYaml: string;
    const ends: (() => Promise<unknown>)[] = [];

    beforeAll(async () => {
      const packages = await tempDir((remove) => ends.push(remove));
      for (const version of ['0.2.0', '0.2.1']) await writePackage(packages, version);
      await sign(packages);
      computer = await freshDebian(`${ours}/24`, packages, debian);
      ends.push(() => computer.scrap());
      await furnish(computer);
    });
    afterAll(async () => {
      for (const end of ends.reverse()) await end();
    });
    afterEach(async () => {
      shell.close();
      const files = '/etc/skolo /var/lib/skolo /root/page /root/.skolo-token';
      await computer.run('sh', '-c', `apt-get remove skolo; rm -rf ${files}`);
    });

    /** An empty directory, except for the packages. */
    async function openShell(): Promise<void> {
      shell = await Shell.open(computer, '/root/page');
      await shell.type('ln -s /opt/packages/* .');
    }

    /** Steps 1 to 3; the returned function is step 4. */
    async function install(service: string): Promise<() => Promise<void>> {
      await openShell();
      const section = await Section.open('Install', { SERVICE: service });
      await shell.type(section.next('apt install ./skolo_0.2.0'));
      rackYaml = section.next('rack: lab');
      await computer.write('/etc/skolo/rack.yaml', rackYaml);
      await shell.type(section.next('skolo token new'));
      return async () => {
        const printed = await shell.type(section.next('skolo service enable'));
        expect(printed).toContain(`${service}: running skolo 0.2.0`);
        section.end();
      };
    }

    /** These keys replace those with the same name. */
    async function addKeys(block: string): Promise<void> {
      rackYaml = stringify({ ...parse(rackYaml), ...parse(block) });
      await computer.write('/etc/skolo/rack.yaml', rackYaml);
    }

    /** Each secret that an import lists, and the check of all. */
    async function writeSecrets(imported: string): Promise<void> {
      const block = (await Section.open('router-backup')).find('read -rp');
      const [set = '', check = ''] = block.split('\n');
      for (const [, name = ''] of imported.matchAll(/^secrets\/(\S+): set this secret/gm)) {
        await shell.type(`${set.replace('NAME', name)}\n${password}`);
      }
      await shell.type(check);
    }

    async function upgradeAndUninstall(service: string): Promise<void> {
      await shell.type((await Section.open('Upgrade and downgrade')).next('skolo_0.2.1'));
      expect(await shell.type('skolo service list')).toMatch(
        RegExp(`^${service} +yes +active +0\\.2\\.1 `, 'm'),
      );
      await shell.type((await Section.open('Uninstall')).next('apt remove'));
      expect(
        await shell.type('ls -d /usr/lib/skolo /opt/skolo /dev/shm/skolo* 2>&1 || true'),
      ).toMatch(/^(ls: .*\n){3}$/);
    }

    it('a release, from its signature to the removal', async () => {
      const build = await Section.open(undefined);
      expect(build.next('npm run package')).toBe('npm ci && npm run package\n');
      build.end();
      const enable = await install('router-backup');
      const verify = await Section.open('Verify', {}, 'docs/reference/release.md');
      expect(await shell.type(verify.next('ssh-keygen -Y verify'))).toContain(
        'Good "skolo" signature',
      );
      await enable();
      const active = async (version: string) =>
        expect(await shell.type('skolo service list')).toMatch(
          RegExp(
            `^router-backup +yes +active +${version.replaceAll('.', '\\.')} +/etc/skolo/rack\\.yaml`,
            'm',
          ),
        );
      await active('0.2.0');

      const upgrade = (await Section.open('Upgrade and downgrade')).next('skolo_0.2.1');
      await shell.type(upgrade);
      await active('0.2.1');
      await shell.type(upgrade.replace('0.2.1', '0.2.0'));
      await active('0.2.0');

      await addKeys('jumphost: { name: here, address: 192.0.2.99 }');
      expect(await shell.type('skolo service enable')).toContain(
        "jumphost.address is 192.0.2.99, but this computer's addresses are 198.51.100.2; correct it",
      );

      await shell.type((await Section.open('Uninstall')).next('apt remove'));
      expect(
        await shell.type('ls -d /etc/skolo /var/lib/skolo/* /usr/lib/skolo /opt/skolo || true'),
      ).toMatch(/^ls: .*\n.*\n\/etc\/skolo\n\/var\/lib\/skolo\/router-backup\n$/);
    });

    it('router-backup: devices of Oxidized and RANCID, with their histories', async () => {
      await rancid(computer);
      await oxidized(computer);
      const section = await Section.open('router-backup', {
        GROUP: 'lab',
        HOST: 'router.example.com',
        NODE: 'core',
        '--rancid-user rancid': '--rancid-user reader',
      });

      const enable = await install('router-backup');
      const fromOxidized = await shell.type(section.next('inventory import --oxidized'));
      const fromRancid = await shell.type(section.next('inventory import --rancid'));
      section.next('read -rp');
      await writeSecrets(`${fromOxidized}${fromRancid}`);
      await enable();
      const backup = await shell.type(section.next('skolo backup run'));
      expect(backup).toMatch(/^core +.*ok/m);
      expect(backup).toMatch(/^router +.*ok/m);

      await shell.type(section.next('oxidized.git'));
      const log = await shell.type(section.next('log --patch'));
      section.end();
      expect(log).toContain('+hostname core');
      // RANCID sometimes puts an echoed letter before the first line, `frr version`.
      expect(log).toContain('+frr defaults');
      const state = '/var/lib/skolo/router-backup';
      expect(await shell.type(`find ${state}/earlier-* -perm /077`)).toBe('');

      await upgradeAndUninstall('router-backup');
      expect((await shell.type(`ls ${state}`)).split('\n')).toEqual(
        expect.arrayContaining(['earlier-lab', 'earlier-oxidized', 'repository']),
      );
    });

    it('power-cycle-daemon: the outlets of pdudaemon.conf', async () => {
      const pdu = await startApcRpdu({ host: ours, port: 161, writeCommunity: password });
      onTestFinished(() => pdu.close());
      const changes: string[] = [];
      pdu.board.on('change', ({ outlet, on }) => changes.push(`${outlet} ${on ? 'on' : 'off'}`));
      await computer.write('/etc/pdudaemon/pdudaemon.conf', pdudaemonConf);
      const section = await Section.open('power-cycle-daemon');

      const enable = await install('power-cycle-daemon');
      await shell.type('systemctl enable --now pdudaemon');
      await addKeys(section.next('endpoints:'));
      const imported = await shell.type(section.next('inventory import'));
      await writeSecrets(imported);
      const [add] = /skolo inventory add [^,\n]+/.exec(imported) ?? [];
      await shell.type(`${add}`);
      await shell.type(section.next('systemctl disable'));
      await enable();
      await shell.type(section.next('skolo power cycle strip/2'));
      section.end();
      expect(changes).toEqual(['2 off', '2 on', '2 off', '2 on']);

      await upgradeAndUninstall('power-cycle-daemon');
      await shell.type('systemctl enable --now pdudaemon');
      expect(await shell.type('systemctl is-active pdudaemon')).toBe('active\n');
      await shell.type('systemctl disable --now pdudaemon');
    });

    it('a new rack: its PDU is compared with rack.yaml, and then only observed', async () => {
      const pdu = await startApcRpdu({ host: ours, port: 161, writeCommunity: password });
      onTestFinished(() => pdu.close());
      const changes: unknown[] = [];
      pdu.board.on('change', (change) => changes.push(change));
      await computer.write('/etc/pdudaemon/pdudaemon.conf', pdudaemonConf);
      await openShell();

      await shell.type(`apt install ./skolo_0.2.0_${arch}.deb
skolo rack new lab --jumphost here --address 198.51.100.2 --rack /etc/skolo/rack.yaml
echo 'access: { tokens: { file: secrets/tokens.yaml } }' >> /etc/skolo/rack.yaml
mkdir /etc/skolo/secrets
printf ${password} > /etc/skolo/secrets/snmp-community
skolo token new ann --role operate > ~/.skolo-token
skolo inventory import --pdudaemon /etc/pdudaemon/pdudaemon.conf
skolo inventory add board-1 --kind host --set power=strip/2`);
      const look = 'skolo check equipment --pause 1s';
      expect(await shell.type(`${look} || true`)).toContain('correct the number of outlets');
      await shell.type("sed -i 's/model: apc-rpdu,/& outlets: 8,/' /etc/skolo/rack.yaml");
      expect(await shell.type(look)).toMatch(/^lab: 1 piece of equipment, no problems, 1 ok$/m);

      await shell.type(`groupadd --system --force skolo
chgrp -R skolo /etc/skolo && chmod -R g+rX /etc/skolo
skolo service enable power-cycle-daemon
export SKOLO_TOKEN_FILE=~/.skolo-token`);
      expect(await shell.type('skolo power status')).toContain('strip');
      expect(await shell.type('skolo power cycle board-1 --reason hangs || true')).toContain(
        'board-1: `acts: false` in rack.yaml prohibits this, so nothing was done',
      );
      expect(changes).toEqual([]);
    });

    it('alert-to-pubsub: alerts of Alertmanager, also while a receiver is down', async () => {
      const received: string[] = [];
      const receiver = createServer(async (request, response) => {
        received.push(await text(request));
        response.end();
      });
      const listen = async (port: number) => {
        await once(receiver.listen(port, ours), 'listening');
        return (receiver.address() as AddressInfo).port;
      };
      const port = await listen(0);
      const pubsub = untilTestEnds(await startGooglePubSub());
      await lend(computer, pubsub.port);
      const section = await Section.open('alert-to-pubsub', {
        '# - { name: chat': '- { name: chat',
        'template: slack, token: secrets/slack': `url: http://${ours}:${port}/skolo`,
        '    sinks:': `    project: my-project\n    endpoint: ${pubsub.endpoint}\n    sinks:`,
      });
      const enable = await install('alert-to-pubsub');
      const before = await shell.type('cat /etc/prometheus/alertmanager.yml');
      await addKeys(section.next('auth:'));
      await shell.type(section.next('openssl rand'));
      await enable();
      await computer.write('/etc/prometheus/alertmanager.yml', section.next('receivers:'));
      const restart = section.next('amtool check-config');
      await shell.type(restart);
      const verify = section.next('amtool --alertmanager.url');
      section.end();
      await shell.type(
        'until amtool --alertmanager.url http://127.0.0.1:9093 alert; do sleep 1; done',
      );
      await shell.type(verify);
      const file = '/var/lib/skolo/alert-to-pubsub/alerts.jsonl';
      const everywhere = async (name: string) => [
        (await computer.run('grep', '-c', name, file)).exitCode,
        received.some((body) => body.includes(name)),
        pubsub.published('prometheus-alerts').some(({ data }) => data.includes(name)),
      ];
      await expect.poll(() => everywhere('Try')).toEqual([0, true, true]);
      await shell.type(verify.replace(' --no-subscribe', '').split('\n')[0] ?? '');

      const [, , , status = ''] = verify.split('\n');
      receiver.close();
      receiver.closeAllConnections();
      await shell.type(verify.split('\n')[1]?.replace('Try', 'Later') ?? '');
      await expect
        .poll(async () => await shell.type(`${status} && echo || echo "exit code $?"`))
        .toMatch(/chat .*down \(unavailable\)[\s\S]*exit code 1/);
      expect(await everywhere('Later')).toEqual([0, false, true]);
      await listen(port);
      await expect.poll(() => everywhere('Later')).toEqual([0, true, true]);

      await computer.write('/etc/prometheus/alertmanager.yml', before);
      await shell.type(restart);
      await upgradeAndUninstall('alert-to-pubsub');
    });

    it('metadata-server: tokens for a command, a shell, and a service', async () => {
      const google = untilTestEnds(await startGoogleOAuth());
      await lend(computer, Number(new URL(google.tokenUrl).port));
      const key = makeServiceAccountKey({
        email: 'ci@my-project.iam.gserviceaccount.com',
        tokenUri: google.tokenUrl,
      });
      google.addServiceAccountKey(key);
      const section = await Section.open('metadata-server');
      const enable = await install('metadata-server');
      await computer.write('/root/page/key.json', JSON.stringify(key), 0o600);
      const path = 'computeMetadata/v1/instance/service-accounts/default/token';
      const curl = `curl -fsS -H 'Metadata-Flavor: Google' http://$GCE_METADATA_HOST/${path}`;
      await computer.write('/usr/local/bin/npm', `#!/bin/sh\n${curl}\n`, 0o755);
      const expectToken = (printed: string) => {
        const [, token = ''] = /"access_token":"([^"]+)"/.exec(printed) ?? [];
        expect(google.isValid(token), printed).toBe(true);
      };

      expectToken(await shell.type(section.next('-- npm test')));

      // In another terminal.
      await shell.type('skolo emulate metadata --key key.json > printed & first=$!');
      await shell.type('until [ -e printed ] && [ "$(wc -l < printed)" = 4 ]; do sleep 1; done');
      expectToken(await shell.type(`(. ./printed; ${curl})`));
      expect(await shell.type('kill $first; wait $first; cat printed')).toContain(
        'unset GOOGLE_APPLICATION_CREDENTIALS\nexport GCE_METADATA_HOST=127.0.0.1:8080\n',
      );

      await shell.type(section.next('> variables &'));
      expectToken(await shell.type(curl));
      await shell.type('kill $!; wait $!');

      await addKeys(section.next('identities:'));
      await shell.type(section.next('install -m 0640'));
      await enable();
      expectToken(await shell.type(section.next('skolo metadata identities')));
      section.end();
      await upgradeAndUninstall('metadata-server');
    });

    it('machine-state: this computer as one of the machines, and an order', async () => {
      const section = await Section.open('machine-state', {
        _arm64: `_${arch}`,
        '.deb adb': '.deb',
        '--machine rpi-001': '--machine nuc-001',
      });
      const enable = await install('machine-state');
      await addKeys(section.next('swarming-client:'));
      await enable();
      await shell.type(section.next('skolo service enable swarming-client'));
      const verify = section.next('skolo machine list');
      const listed = expect.poll(() => shell.type(verify));
      await listed.toMatch(/^nuc-001 .*ok .* no bot /m);
      expect(await shell.type(verify)).toMatch(/^rpi-001 .*never-reported/m);

      const printed = await shell.type(section.next('openssl genpkey'));
      const [publicKey = ''] = /^[\w-]{43}$/m.exec(printed) ?? [];
      await addKeys(section.next('agents:').replace(/(?<=publicKey: )[\w-]+/, publicKey));
      section.end();
      const order = "skolo machine quarantine nuc-001 --reason 'of a test' --count 1";
      const ordered = expect.poll(() => shell.type(`${order} || true; ${verify}`));
      await ordered.toMatch(/^nuc-001 .*quarantined/m);
      await shell.type('skolo machine quarantine nuc-001 --end');

      await upgradeAndUninstall('(machine-state|swarming-client)');
    });
  });
});

/** As a release is signed. */
async function sign(packages: string): Promise<void> {
  const sh = (script: string) => run('sh', ['-euc', script], { cwd: packages });
  await mkdir(join(packages, 'key'));
  await sh(`sha256sum *.deb > SHA256SUMS
ssh-keygen -q -t ed25519 -N '' -f key/releaser
ssh-keygen -q -Y sign -f key/releaser -n skolo SHA256SUMS
echo "skolo $(cat key/releaser.pub)" > allowed_signers`);
}
