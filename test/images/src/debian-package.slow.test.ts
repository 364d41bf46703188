/** The Debian package, on a fresh Debian 12 without Node: installed, with services enabled, upgraded, downgraded and removed. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '@skolo/base/testing';
import type { Computer } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import {
  arch,
  buildPackage,
  freshDebian,
  hasDpkg,
  services,
  whyNoFreshDebian,
  writePackage,
} from './fresh-debian.ts';
import { root } from './paths.ts';

const withAgent = [...services, 'swarming-client'];

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'skolo-debian-package-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe.skipIf(!hasDpkg && 'dpkg-deb is not installed')('the package', () => {
  it('has the same bytes when it is built from the same files in another folder', async () => {
    const other = join(dir, 'other/place');
    await cp(inject('bundles').dir, join(other, 'bundles'), { recursive: true });

    const first = await buildPackage(join(dir, 'first.deb'), '0.2.0');
    const second = await buildPackage(join(other, 'second.deb'), '0.2.0', join(other, 'bundles'));

    expect(first.equals(second)).toBe(true);
    const bill = await readFile(join(dir, 'first.cdx.json'), 'utf8');
    expect(await readFile(join(other, 'second.cdx.json'), 'utf8')).toBe(bill);
  });

  it('contains files of its version only, and starts nothing', async () => {
    const { stdout } = await run('dpkg-deb', ['--contents', join(dir, 'first.deb')]);
    const paths = [...stdout.matchAll(/ \.(\/\S+)$/gm)].map(([, path = '']) => path);
    const files = paths.filter((path) => !path.endsWith('/'));

    const foreign = files.filter((path) => !path.startsWith('/usr/lib/skolo/0.2.0/'));
    expect(foreign).toEqual(['/usr/bin/skolo', '/usr/share/doc/skolo/copyright']);
    expect(files).toContain('/usr/lib/skolo/0.2.0/services/router-backup/sbom.cdx.json');
    const control = await run('dpkg-deb', ['--info', join(dir, 'first.deb')]);
    expect(control.stdout).not.toMatch(/postinst|conffiles/);
  });

  it('names Node and all libraries with their licences', async () => {
    const tree = join(dir, 'tree');
    await run('dpkg-deb', ['--extract', join(dir, 'first.deb'), tree]);
    const folder = join(tree, 'usr/lib/skolo/0.2.0');
    const read = (path: string) => readFile(join(folder, path), 'utf8');

    const text = await read('third-parties.txt');
    const bill = await read('sbom.cdx.json');

    expect(text).toContain(`node ${process.versions.node} (MIT)\n\n`);
    expect(text).toContain((await readFile(join(root, 'LICENSE'), 'utf8')).trim());
    expect(await readFile(join(dir, 'first.cdx.json'), 'utf8')).toBe(bill);
    const refs = refsIn(bill);
    expect(refs[0]).toBe(`pkg:generic/node@${process.versions.node}`);
    expect(new Set(refs).size).toBe(refs.length);
    for (const program of ['services/router-backup', 'services/alert-to-pubsub', 'packages/cli'])
      expect(refs).toEqual(expect.arrayContaining(refsIn(await read(`${program}/sbom.cdx.json`))));
  });
});

/** Names of the components in a bill of materials, each of which has a licence. */
function refsIn(bill: string): string[] {
  const Bill = z.object({
    components: z.array(
      z.object({ 'bom-ref': z.string(), licenses: z.array(z.unknown()).nonempty() }),
    ),
  });
  return Bill.parse(JSON.parse(bill)).components.map((each) => each['bom-ref']);
}

const rackYaml = `rack: lab
timezone: UTC
network: {}
jumphost: { name: here, address: 192.0.2.1, identity: bots }
identities:
  bots: { project: my-project, email: bots@my-project.iam.gserviceaccount.com, credentials: { fixed: secrets/token.json } }
access: { tokens: { file: secrets/tokens.yaml }, anonymousRead: [127.0.0.0/8] }
services:
  metadata-server: { callers: [{ cidr: 127.0.0.0/8, identity: bots }] }
  swarming-client: { bot: none }
machines: { rpi-001: { kind: host, address: 127.0.0.2 } }
`;

const why = whyNoFreshDebian();
describe.skipIf(why)('a fresh Debian', () => {
  let computer: Computer;
  /** git and Google credentials are missing, so parts of the services do not work. */
  const orDegraded = '|| [ $? = 3 ]';
  const sh = async (script: string) => await computer.run('sh', '-c', script);
  const need = async (script: string) => {
    const { exitCode, text } = await sh(script);
    expect(exitCode, `${script}\n${text}`).toBe(0);
    return text;
  };
  const versions = async () => {
    const { services } = JSON.parse(await need('skolo service list --json'));
    return services
      .filter(({ isEnabled }: { isEnabled: boolean }) => isEnabled)
      .map(({ service, version }: Record<string, string>) => [service, version]);
  };

  beforeAll(async () => {
    const packages = join(dir, 'packages');
    await mkdir(packages);
    for (const version of ['0.2.0', '0.2.1']) await writePackage(packages, version);
    await writePackage(packages, '0.2.2', async (bundles) => {
      const main = 'machine-state/opt/skolo/services/machine-state/dist/main.js';
      await writeFile(join(bundles, main), 'process.exitCode = 1;\n');
    });
    computer = await freshDebian('198.51.100.1/24', packages);
    await computer.boot();
    await need('apt-get update -q');
  });
  afterAll(() => computer?.scrap());

  const install = (version: string) =>
    sh(
      `apt-get install -qy --allow-downgrades --no-install-recommends /opt/packages/skolo_${version}_${arch}.deb`,
    );

  it('rejects the package in one line while k3s is installed', async () => {
    await need('mkdir -p /etc/rancher/k3s && touch /etc/rancher/k3s/k3s.yaml');

    const { exitCode, text } = await install('0.2.0');

    expect(exitCode).not.toBe(0);
    expect(text).toContain(
      'skolo: this computer runs k3s; deploy services to it from your workstation',
    );
    await need('rm -r /etc/rancher');
  });

  it('has the command afterwards, and no service', async () => {
    expect(await install('0.2.0')).toMatchObject({ exitCode: 0 });

    expect(await need('skolo --version')).toBe('0.2.0\n');
    expect(await need("systemctl list-units --all --plain --no-legend 'skolo*'")).toBe('');
    expect((await sh('ls /opt/skolo')).exitCode).not.toBe(0);
  });

  it('changes nothing when rack.yaml is invalid or not readable for the service', async () => {
    await need('mkdir -p /etc/skolo/secrets');
    await computer.write(
      '/etc/skolo/rack.yaml',
      rackYaml.replace('timezone: UTC', 'timezone: Mars'),
    );

    const invalid = await sh('skolo service enable machine-state');

    expect(invalid.exitCode).toBe(1);
    expect(invalid.text).toMatch(/rack\.yaml:2:\d+ .*Mars/);

    await computer.write('/etc/skolo/rack.yaml', rackYaml);
    await computer.write('/etc/skolo/secrets/tokens.yaml', 'tokens: []\n', 0o600);
    await computer.write('/etc/skolo/secrets/token.json', 'ya29.of-a-test', 0o600);
    const unreadable = await sh('skolo service enable machine-state');

    expect(unreadable.exitCode).toBe(1);
    expect(unreadable.text).toContain(
      "secrets/tokens.yaml: permission denied; make it readable by the service's user",
    );
    expect((await sh('systemctl cat skolo-machine-state')).exitCode).not.toBe(0);
  });

  it('runs every service as its own user, with an exposure of at most 3', async () => {
    await need('chgrp -R skolo /etc/skolo && chmod -R g+rX /etc/skolo');

    const { exitCode, text } = await sh(`skolo service enable ${services.join(' ')}`);

    expect(exitCode).toBe(3);
    for (const service of services) expect(text).toContain(service);
    expect(text).toContain('alert-to-pubsub: running skolo 0.2.0, but sink pubsub: credentials');
    for (const service of services) {
      const pid = (await need(`systemctl show -P MainPID skolo-${service}`)).trim();
      const user = await need(`ps -o user:40= -p ${pid} || stat -c %U /proc/${pid}`);
      expect(user.trim()).toBe(`skolo-${service}`);
      const lines = await need(`journalctl --quiet --output=cat -t skolo-${service}`);
      const first = JSON.parse(lines.split('\n')[0] ?? '');
      expect(first).toMatchObject({ msg: 'listening', version: '0.2.0' });
      const exposure = await need(
        `systemd-analyze security --offline=true /etc/systemd/system/skolo-${service}.service | tail -1`,
      );
      expect(Number(/: ([\d.]+) /.exec(exposure)?.[1])).toBeLessThanOrEqual(3);
    }
    const token = await need(
      `/usr/lib/skolo/0.2.0/bin/node -e "fetch('http://127.0.0.1/computeMetadata/v1/instance/service-accounts/default/token', { headers: { 'Metadata-Flavor': 'Google' } }).then(async (r) => console.log(await r.text()))"`,
    );
    expect(token).toContain('ya29.of-a-test');
  });

  it('runs the agent without a bot as root, and machine-state lists its machine', async () => {
    const unknown = await sh('skolo service enable swarming-client');
    expect(unknown.exitCode).toBe(1);
    expect(unknown.text).toContain('does not list machine');
    expect((await sh('systemctl cat skolo-swarming-client')).exitCode).not.toBe(0);

    const text = await need(`skolo service enable swarming-client --machine rpi-001 ${orDegraded}`);

    expect(text).toContain('swarming-client: running skolo 0.2.0');
    expect(await need('systemctl show -P User skolo-swarming-client')).toBe('\n');
    const list = 'skolo machine list --url http://127.0.0.1:8004';
    await expect.poll(() => need(list)).toMatch(/^rpi-001 .*ok .* no bot /m);
    expect(await need('skolo machine list --agents')).toMatch(/^rpi-001 .*ok .* no bot /m);
  });

  it('changes nothing when a service is enabled again', async () => {
    const pids = () => need('systemctl show -P MainPID skolo-machine-state skolo-swarming-client');
    const before = await pids();

    await need(`skolo service enable machine-state swarming-client ${orDegraded}`);

    expect(await pids()).toBe(before);
  });

  const take = (port: number) =>
    need(
      `systemd-run --quiet --unit=of-bob /usr/lib/skolo/0.2.0/bin/node -e 'require("node:net").createServer().listen(${port})'
until ss -Hltn sport = :${port} | grep -q .; do sleep 0.1; done`,
    );

  it('says at once which port another program uses, and lists a service that keeps crashing', async () => {
    await need('systemctl stop skolo-machine-state');
    await take(8004);

    const { exitCode, text } = await sh('skolo service enable machine-state');

    expect(exitCode).toBe(1);
    expect(text).toContain(
      'machine-state exits after it starts: cannot listen on port 8004: the port is in use',
    );
    expect(await need('skolo service list')).toMatch(
      /^machine-state +yes +crashing \(\d+ times?\)/m,
    );
    await need(`systemctl stop of-bob && skolo service enable machine-state ${orDegraded}`);
  });

  it('says which part of a running service does not work', async () => {
    await take(16_421);
    await computer.write(
      '/etc/skolo/rack.yaml',
      rackYaml.replace(
        'services:\n',
        'services:\n  power-cycle-daemon: { endpoints: { pdudaemon: { allow: [127.0.0.0/8] } } }\n',
      ),
    );
    await need('chgrp skolo /etc/skolo/rack.yaml && chmod g+r /etc/skolo/rack.yaml');

    const { exitCode, text } = await sh('skolo service enable power-cycle-daemon');

    expect({ exitCode, text }).toMatchObject({ exitCode: 3 });
    expect(text).toMatch(
      /^power-cycle-daemon: running skolo 0\.2\.0, but endpoint pdudaemon: .*16421.*the port is in use/m,
    );
    await need('systemctl stop of-bob');
    await computer.write('/etc/skolo/rack.yaml', rackYaml);
  });

  it('keeps running the previous version after an upgrade of the package, until enable', async () => {
    const states = () => need('find /var/lib/skolo -type f | sort');
    const before = await states();

    expect(await install('0.2.1')).toMatchObject({ exitCode: 0 });
    expect(await versions()).toEqual(withAgent.map((service) => [service, '0.2.0']));
    await need(`skolo service enable ${orDegraded}`);

    expect(await versions()).toEqual(withAgent.map((service) => [service, '0.2.1']));
    for (const file of before.trim().split('\n')) expect(await states()).toContain(file);
  });

  it('returns to the previous version when a service does not start', async () => {
    await install('0.2.2');

    const { exitCode, text } = await sh('skolo service enable');

    expect(exitCode).toBe(1);
    expect(text).toContain(`${withAgent.length} services returned to skolo 0.2.1`);
    await expect.poll(versions).toEqual(withAgent.map((service) => [service, '0.2.1']));
  });

  it('goes back to an older version in the same way', async () => {
    await install('0.2.0');

    await need(`skolo service enable ${orDegraded}`);

    expect(await versions()).toEqual(withAgent.map((service) => [service, '0.2.0']));
  });

  it('starts its services after a power cut', async () => {
    await need('sync');
    await computer.cutPower();
    await computer.boot();

    await expect.poll(versions).toEqual(withAgent.map((service) => [service, '0.2.0']));
  });

  it('keeps only state, configuration and users when the package is removed', async () => {
    await need(`install -d -o skolo-metadata-server /dev/shm/skolo-chosen /dev/shm/skolo-chosen/x
install -d -o nobody /dev/shm/skolo-metadata-of-another`);

    const { exitCode, text } = await sh('apt-get purge -qy skolo');

    expect(exitCode).toBe(0);
    expect(text).toContain('machine-state: stopped and disabled');
    expect(text).toContain('swarming-client: stopped and disabled');
    expect(text).toContain(
      'skolo: /etc/skolo, /var/lib/skolo, the skolo-* users and the skolo group remain',
    );
    const left = await need(
      "find / /dev/shm -xdev -name '*skolo*' -not -path '/proc/*' -not -path '/opt/packages*' -not -path '/var/lib/skolo/*' | sort",
    );
    // What `skolo` keeps for a person, such as the last valid rack.yaml, belongs to that person.
    const ofRoot = '/root/.local/state/skolo\n';
    expect(left).toBe(`/dev/shm/skolo-metadata-of-another\n/etc/skolo\n${ofRoot}/var/lib/skolo\n`);
  });
});
