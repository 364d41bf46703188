/** Texts of any setup, read by the programs that read them on a Raspberry Pi: nothing in a value changes what they mean. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Secret } from '@skolo/base/secrets';
import { feed, run, runs } from '@skolo/base/testing';
import { lacks, peer } from '@skolo/simulators';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type PiSetup, parseSetup } from '../setup.ts';
import { anySetup, testCluster, testSetup } from '../testing/test-setup.ts';
import { cloudInitFiles } from './cloud-init.ts';
import { debianSteps } from './debian.ts';
import { firstRunFiles, raspberryPiSteps } from './firstrun.ts';
import { networkManagerFiles, wifiKey } from './network.ts';
import { preseedFiles } from './preseed.ts';
import { rootFiles } from './root-files.ts';
import { setupScript } from './setup-script.ts';

const now = new Date('2026-11-22T11:00:00Z');
const cloudInit = peer('cloud-init');
const python = peer('python3');

/** What each text says, by the parsers of Python; for cloud-init its errors, too. */
const readers = `
import configparser, json, sys, tomllib
def ini(text):
    parser = configparser.RawConfigParser(delimiters=('=',), comment_prefixes=('#',), strict=True)
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections()}
def cloud(text):
    import yaml
    from cloudinit.config.schema import get_schema, validate_cloudconfig_schema
    value = yaml.safe_load(text)
    validate_cloudconfig_schema(value, get_schema(), strict=True, strict_metaschema=True)
    return value
def plain(text):
    import yaml
    return yaml.safe_load(text)
print(json.dumps([{'toml': tomllib.loads, 'ini': ini, 'cloud': cloud, 'yaml': plain}[kind](text) for kind, text in json.load(sys.stdin)]))
`;

async function readBy(program: string, texts: readonly (readonly [string, string])[]) {
  const child = run(program, ['-c', readers], { maxBuffer: 64 << 20 });
  feed(child.child, JSON.stringify(texts));
  return z.array(z.record(z.string(), z.json())).parse(JSON.parse((await child).stdout));
}

function samples(count: number): PiSetup[] {
  const { numRuns, seed } = runs(count);
  return fc.sample(anySetup, { numRuns, ...(seed !== undefined && { seed }) }).map(parseSetup);
}

describe('boot files of any setup', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skolo-boot-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.skipIf(lacks('cloud-init'))(
    `are valid for cloud-init, and mean what was given${cloudInit ? '' : ' (cloud-init is not there)'}`,
    async () => {
      const all = samples(40);
      const files = all.map((setup) =>
        cloudInitFiles(setup, `${setup.identity.hostname}-1`, 'cloud-init'),
      );

      const read = await readBy(join(dirname(cloudInit ?? ''), 'python'), [
        ...files.map((each) => ['cloud', each['user-data'] ?? ''] as const),
        ...files.map((each) => ['yaml', each['meta-data'] ?? ''] as const),
        ...files.map((each) => ['yaml', each['network-config'] ?? ''] as const),
      ]);

      for (const [at, setup] of all.entries()) {
        const { identity, user, keyboard, locale, timezone, wifi } = setup;
        expect(read[at]).toMatchObject({
          hostname: identity.hostname,
          keyboard: { layout: keyboard },
          locale,
          timezone,
          user: { name: user.name, lock_passwd: true, ssh_authorized_keys: user.keys },
        });
        expect(read[all.length + at]).toMatchObject({ 'local-hostname': identity.hostname });
        if (wifi === 'off') continue;
        expect(read[2 * all.length + at]).toMatchObject({
          network: {
            wifis: {
              wlan0: {
                'regulatory-domain': wifi.country,
                'access-points': { [wifi.ssid]: { password: wifiKey(wifi) } },
              },
            },
          },
        });
      }
    },
  );

  it.skipIf(lacks('cloud-init')).each([
    ['cloud-init', 'NetworkManager'],
    ['cloud-init-networkd', 'networkd'],
  ] as const)(
    'of %s are accepted by netplan for %s, without a warning',
    async (method, renderer) => {
      for (const [number, setup] of samples(12).entries()) {
        const at = join(folder, `netplan-${renderer}-${number}`);
        const file = join(at, 'etc/netplan/50-cloud-init.yaml');
        await mkdir(dirname(file), { recursive: true });
        const text = cloudInitFiles(setup, 'x', method)['network-config'] ?? '';
        await writeFile(file, text.replace('version: 2', `version: 2\n  renderer: ${renderer}`));
        await chmod(file, 0o600);

        const generate = join(dirname(cloudInit ?? ''), 'netplan-generate');
        const { stderr } = await run(generate, ['--root-dir', at]);

        expect(stderr, text).toBe('');
      }
    },
  );

  it.skipIf(lacks('python3'))('are what rpi-preseed and NetworkManager read', async () => {
    const all = samples(40);

    const read = await readBy(python ?? '', [
      ...all.map((setup) => ['toml', preseedFiles(setup)['rpi-preseed.toml'] ?? ''] as const),
      ...all.map((setup) => ['ini', networkManagerFiles(setup).at(-1)?.content ?? ''] as const),
    ]);

    for (const [at, { identity, user, wifi }] of all.entries()) {
      expect(read[at]).toMatchObject({
        system: { hostname: identity.hostname },
        user: { name: user.name },
        ssh: { authorized_keys: user.keys, password_authentication: false },
      });
      if (wifi === 'off') continue;
      expect(read[all.length + at]).toMatchObject({
        wifi: { ssid: [...Buffer.from(wifi.ssid)].map((byte) => `${byte};`).join('') },
        'wifi-security': { psk: wifiKey(wifi) },
      });
    }
  });

  it('are scripts of a POSIX shell', async () => {
    for (const setup of samples(12)) {
      const texts = [
        setupScript({
          files: [...rootFiles(setup, now), ...networkManagerFiles(setup)],
          programSha256: setup.cluster?.programSha256,
          hasWifi: setup.wifi !== 'off',
          units: [],
        }),
        ...[raspberryPiSteps(setup), debianSteps(setup, ['a=b'])].map(
          (steps) => firstRunFiles(setup, steps)['firstrun.sh'] ?? '',
        ),
      ];
      for (const text of texts) {
        const file = join(folder, 'script');
        await writeFile(file, text);
        expect(await run('sh', ['-n', file])).toEqual({ stdout: '', stderr: '' });
      }
    }
  });

  it.skipIf(lacks('systemd-nspawn'))('have units that systemd accepts', async () => {
    const files = rootFiles({ ...testSetup, cluster: testCluster }, now);
    const units = files.filter(({ path }) => path.startsWith('/etc/systemd/system/'));
    const folders = [];
    for (const { path, content } of units) {
      // Programs of a Raspberry Pi are not here.
      const at = join(folder, path);
      await mkdir(dirname(at), { recursive: true });
      await writeFile(at, content.replaceAll(/=\/usr\/local\/s?bin\/\S+/g, '=/bin/true'));
      folders.push(at);
    }
    const services = folders.filter((each) => each.endsWith('.service'));
    expect(services.length).toBeGreaterThan(2);

    const { stderr } = await run('systemd-analyze', ['--man=no', 'verify', ...services]);

    expect(stderr.split('\n').filter((each) => /skolo|k3s/.test(each))).toEqual([]);
  });
});

describe('a setup', () => {
  it.each<[string, Partial<PiSetup>, string]>([
    [
      'host name',
      { identity: { hostname: 'Pi_1', wired: 'dhcp' } },
      'identity.hostname: not a host name',
    ],
    [
      'key',
      { user: { name: 'pi', keys: ['-----BEGIN OPENSSH PRIVATE KEY-----'] } },
      'not an SSH public key',
    ],
    [
      'key with a second line',
      { user: { name: 'pi', keys: ['ssh-rsa AAAA a\nssh-rsa AAAA b'] } },
      'contains control',
    ],
    [
      'country',
      { wifi: { ssid: 'a', password: new Secret('12345678'), country: 'Germany' } },
      'wifi',
    ],
    [
      'password of Wi-Fi',
      { wifi: { ssid: 'a', password: new Secret('short'), country: 'DE' } },
      'wifi',
    ],
    [
      'token without a CA',
      { cluster: { ...testCluster, token: new Secret('abc123.0123456789abcdef') } },
      'does not contain the digest of the CA',
    ],
    [
      'token that never expires',
      { cluster: { ...testCluster, token: new Secret(`K10${'0'.repeat(64)}::server:secret`) } },
      'never expires; run `k3s token create --ttl 24h`',
    ],
  ])('with a wrong %s is rejected, and shows no secret', (_, wrong, why) => {
    const setup = { ...testSetup, ...wrong };
    expect(() => parseSetup(setup)).toThrow(why);
    try {
      parseSetup(setup);
    } catch (error) {
      expect(String(error)).not.toMatch(/12345678|short|:secret|0123456789abcdef/);
    }
  });
});
