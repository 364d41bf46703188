/** Descriptions of Raspberry Pis for tests. */
import { Secret } from '@skolo/base/secrets';
import fc from 'fast-check';
import type { PiSetup } from '../setup.ts';

export const testToken = `K10${'ab'.repeat(32)}::abc123.0123456789abcdef`;

export const testSetup: PiSetup = {
  identity: {
    hostname: 'rpi-001',
    wired: { address: '192.168.1.101', prefix: 24, gateway: '192.168.1.1' },
  },
  domain: 'lan',
  user: { name: 'pi', keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIexample ann@desk'] },
  wifi: 'off',
  nameServers: ['192.168.1.1'],
  hosts: ['192.168.1.8\tjumphost-rack4.lan jumphost-rack4', '192.168.1.101\trpi-001.lan rpi-001'],
  timezone: 'Europe/Berlin',
  keyboard: 'us',
  locale: 'C.UTF-8',
  timeServers: ['192.168.1.8'],
};

export const testCluster: NonNullable<PiSetup['cluster']> = {
  server: '192.168.1.8',
  token: new Secret(testToken),
  programSha256: 'cd'.repeat(32),
};

/** Everything that parseSetup accepts: with quotes, spaces and signs of shells wherever they are allowed. */
const nasty = fc.constantFrom(...' \'"\\$`!#;&|<>%*?[]{}()~:,=@éß€😀ab1');
const text = (maxLength: number) =>
  fc.string({ unit: nasty, minLength: 1, maxLength }).filter((each) => each.trim() !== '');

export const anySetup: fc.Arbitrary<PiSetup> = fc.record({
  identity: fc.record({
    hostname: fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/),
    mac: fc.constantFrom(undefined, 'dc:a6:32:00:00:01'),
    wired: fc.oneof(
      fc.constant('dhcp' as const),
      fc.record(
        {
          address: fc.ipV4(),
          prefix: fc.integer({ min: 1, max: 32 }),
          gateway: fc.ipV4(),
        },
        { requiredKeys: ['address', 'prefix'] },
      ),
    ),
  }),
  user: fc.record({
    name: fc.stringMatching(/^[a-z_][a-z0-9_-]{0,10}$/),
    keys: fc.array(
      text(30).map((comment) => `ssh-ed25519 AAAAC3Nza+/= ${comment}`),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  wifi: fc.oneof(
    fc.constant('off' as const),
    fc.record({
      ssid: text(8),
      password: fc
        .string({ unit: fc.constantFrom(...' \'"\\$`!#;&|ab1'), minLength: 8, maxLength: 63 })
        .map((each) => new Secret(each)),
      country: fc.stringMatching(/^[A-Z]{2}$/),
    }),
  ),
  nameServers: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 3 }),
  hosts: fc.array(fc.constantFrom('10.0.0.1 a.lan a', 'fe80::1\tb'), { maxLength: 2 }),
  timezone: fc.constantFrom('UTC', 'America/Indiana/Indianapolis', 'Etc/GMT+5'),
  keyboard: fc.constantFrom('us', 'de', 'no'),
  locale: fc.constantFrom('C.UTF-8', 'no_NO.UTF-8', 'ca_ES@valencia'),
  timeServers: fc.array(fc.constantFrom('192.168.1.8', 'fd00::1', 'ntp.lan'), { maxLength: 2 }),
  cluster: fc.option(fc.constant(testCluster), { nil: undefined }),
});
