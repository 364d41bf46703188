import { describe, expect, it } from 'vitest';
import { parseRack } from '../read/load.ts';
import { renderDerived } from './render.ts';

const usual = {
  'router-backup': { jumphost: { backup: false } },
  'alert-to-pubsub': { credentials: { keyFile: 'secrets/key.json' } },
};

/** A rack about which there is nothing to say, and what is added to it. */
function warningsOf({ subnet = '192.168.1.0/24', settings = {}, more = '' } = {}): string[] {
  const services: Record<string, object> = {
    'metadata-server': {},
    'power-cycle-daemon': {},
    'swarming-client': {},
    ...usual,
    ...settings,
  };
  const text = `rack: lab
network: { subnet: ${subnet} }
jumphost: { name: jumphost, address: ${subnet.replace(/0\/\d+$/, '8')}, aliases: [metadata] }
identities: { bots: { project: my-project, credentials: { fixed: secrets/token } } }
services: ${JSON.stringify(services)}
${more}`;
  const { warnings } = renderDerived(parseRack(text, { file: '/etc/skolo/rack.yaml' }));
  return warnings.map(({ where, message }) => `${where}: ${message}`);
}

type Added = Parameters<typeof warningsOf>[0];

const alerts = (settings: object): Added => ({
  settings: { 'alert-to-pubsub': { ...usual['alert-to-pubsub'], ...settings } },
});
const backup = (settings: object): Added => ({
  settings: { 'router-backup': { ...usual['router-backup'], ...settings } },
});
const power = (settings: object): Added => ({ settings: { 'power-cycle-daemon': settings } });
const machine = 'machines: { pi-1: { kind: rpi, address: 192.168.1.101, swarming: ';

describe('renderWarnings', () => {
  it('has none about a rack that works', () => {
    expect(warningsOf()).toEqual([]);
  });

  it.each<[about: string, rack: Added, expected: RegExp]>([
    [
      'pods',
      { subnet: '10.42.7.0/24' },
      /^network\.subnet: overlaps 10\.42\.0\.0\/16, the k3s network for pods/,
    ],
    ['Services', { subnet: '10.0.0.0/8' }, /10\.43\.0\.0\/16, the k3s network for Services/],
    [
      'readers',
      { more: 'access: { anonymousRead: [192.168.1.8] }' },
      /^access\.anonymousRead: includes the jumphost, .* such as router-backup, .*10\.42\.0\.0\/24/,
    ],
    [
      'variables',
      { more: 'logins: { all: { username: ann, password: { env: PASSWORD } } }' },
      /^logins\.all\.password: uses the environment variable PASSWORD, .* prefer a file$/,
    ],
    [
      'commands',
      {
        more: `equipment:
  relays: { model: command-switch, outlets: 1, on: [on], off: [off], read: { command: [x], on: "^on", off: "^off" } }`,
      },
      /^equipment\.relays: runs programs in the power-cycle-daemon pod/,
    ],
    [
      'the port of a service',
      power({ url: 'http://metadata.lan:8080' }),
      /^services\.power-cycle-daemon\.url: specifies port 8080, but on k3s power-cycle-daemon listens on 9210/,
    ],
    [
      'https of a service',
      backup({ url: 'https://192.168.1.8' }),
      /^services\.router-backup\.url: specifies port 443, /,
    ],
    [
      'metrics of an agent',
      { more: `${machine}{ metricsUrl: "http://192.168.1.101:9" } } }` },
      /^machines\.pi-1\.swarming\.metricsUrl: specifies port 9, but on k3s swarming-client listens on 20014/,
    ],
    [
      'the address of an endpoint',
      power({ endpoints: { pdudaemon: { host: '192.168.1.8', allow: ['192.168.1.0/24'] } } }),
      /^services\.power-cycle-daemon\.endpoints\.pdudaemon\.host: applies to the pod, whose address changes/,
    ],
    [
      'the port of an endpoint',
      power({ endpoints: { pdudaemon: { port: 81, allow: ['192.168.1.0/24'] } } }),
      /^services\.power-cycle-daemon\.endpoints\.pdudaemon\.port: is below 1024/,
    ],
    [
      'credentials',
      { settings: { 'alert-to-pubsub': {} } },
      /^services\.alert-to-pubsub\.credentials: is `default`, which finds no credentials in a pod/,
    ],
    [
      'callers of alerts',
      { settings: { 'alert-to-pubsub': { credentials: 'metadata' } } },
      /^services\.alert-to-pubsub\.credentials: does not receive a token: .*\{ cidr: 10\.42\.0\.0\/24, identity: NAME \}/,
    ],
    [
      'callers of backups',
      backup({ upload: 'gs://my-backups', encrypt: 'none' }),
      /^services\.router-backup\.upload: does not receive a token/,
    ],
    [
      'TLS for Alertmanager',
      alerts({ tls: { cert: 'tls/c.pem', key: 'tls/k.pem' } }),
      /^services\.alert-to-pubsub\.tls: does not match Alertmanager in kube\/base/,
    ],
    [
      'a password for Alertmanager',
      alerts({ auth: { username: 'am', password: 'secrets/am' } }),
      /^services\.alert-to-pubsub\.auth: has a password, .* add `bearer`/,
    ],
    [
      'rare repetitions',
      alerts({ repeatHours: 12 }),
      /^services\.alert-to-pubsub\.repeatHours: must exceed 12 hours/,
    ],
    [
      'a hasty watchdog',
      alerts({ watchdog: { withinSeconds: 60 } }),
      /^services\.alert-to-pubsub\.watchdog\.withinSeconds: must exceed 120 s/,
    ],
    [
      'TLS for repair',
      power({ tls: { cert: 'tls/c.pem', key: 'tls/k.pem' }, repair: { enabled: true } }),
      /^services\.power-cycle-daemon\.tls: does not match Alertmanager/,
    ],
    [
      'other alerts for repair',
      power({ repair: { enabled: true, alerts: ['MachineMissing', 'MyOwn'] } }),
      /^services\.power-cycle-daemon\.repair\.alerts: contains MyOwn, .* sends only MachineMissing/,
    ],
    [
      'a folder of tokens',
      { settings: { 'metadata-server': { tokenFolder: '/run/skolo' } } },
      /^services\.metadata-server\.tokenFolder: is outside \/var\/lib\/skolo\/metadata-server/,
    ],
    [
      'folders of backups',
      backup({ upload: '/mnt/backup', encrypt: 'none' }),
      /^services\.router-backup\.upload: is outside \/var\/lib\/skolo\/router-backup, /,
    ],
    [
      'folders of git',
      backup({ git: { remote: 'file:///srv/git' }, encrypt: 'none' }),
      /^services\.router-backup\.git\.remote: is outside/,
    ],
    [
      'files of alerts',
      alerts({ sinks: [{ name: 'log', kind: 'file', file: 'alerts.json' }] }),
      /^services\.alert-to-pubsub\.sinks\[0\]\.file: is outside \/var\/lib\/skolo\/alert-to-pubsub/,
    ],
    [
      'files of agents',
      { settings: { 'swarming-client': { ssh: { privateKey: '/root/.ssh/id' } } } },
      /^services\.swarming-client\.ssh\.privateKey: is a file on the machine/,
    ],
    [
      'files of one agent',
      { more: `${machine}{ tls: { cert: /c.pem, key: /k.pem } } } }` },
      /^machines\.pi-1\.swarming\.tls: is a file on the machine/,
    ],
  ])('warns of %s', (_, rack, expected) => {
    const found = warningsOf(rack);

    expect(found.filter((warning) => expected.test(warning))).toHaveLength(1);
  });

  it.each<[about: string, rack: Added]>([
    ['pods that may read', { more: 'access: { anonymousRead: [192.168.1.8, 10.42.0.0/24] }' }],
    ['a service elsewhere', backup({ url: 'http://192.168.1.9:1' })],
    ['the usual port', backup({ url: 'http://metadata:8003' })],
    [
      'an identity for pods',
      {
        settings: {
          'alert-to-pubsub': { credentials: 'metadata' },
          'metadata-server': { callers: [{ cidr: '10.42.0.0/24', identity: 'bots' }] },
        },
      },
    ],
    [
      'an identity for everybody',
      {
        settings: { 'alert-to-pubsub': { credentials: 'metadata' } },
        more: 'defaultIdentity: bots',
      },
    ],
    ['a token for Alertmanager', alerts({ auth: { bearer: 'secrets/am' } })],
    [
      'a folder of tokens in memory',
      { settings: { 'metadata-server': { tokenFolder: '/dev/shm/tokens' } } },
    ],
    [
      'no Pub/Sub',
      {
        settings: {
          'alert-to-pubsub': { sinks: [{ name: 'a', kind: 'http', url: 'https://example.com' }] },
        },
      },
    ],
    [
      'files in the state of a service',
      alerts({
        sinks: [{ name: 'log', kind: 'file', file: '/var/lib/skolo/alert-to-pubsub/log.json' }],
      }),
    ],
  ])('says nothing about %s', (_, rack) => {
    expect(warningsOf(rack)).toEqual([]);
  });
});
