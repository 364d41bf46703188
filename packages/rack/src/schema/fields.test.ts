import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { path, secret } from './fields.ts';
import {
  address,
  cidr,
  domainName,
  email,
  hostName,
  httpUrl,
  mac,
  portOrRange,
  tokenUrl,
} from './network-fields.ts';
import { cron, timezone } from './time-fields.ts';

const fields: Readonly<Record<string, z.ZodType>> = {
  address,
  cidr,
  cron,
  domainName,
  email,
  hostName,
  httpUrl,
  mac,
  path,
  portOrRange,
  secret,
  timezone,
  tokenUrl,
};

describe('a valid value', () => {
  it.each<[string, unknown, unknown]>([
    ['address', '192.168.1.8', '192.168.1.8'],
    ['address', 'FD00:0::1', 'fd00::1'],
    ['address', '::ffff:10.0.0.1', '10.0.0.1'],
    ['cidr', '10.42.0.0/16', '10.42.0.0/16'],
    ['cidr', '10.42.0.7', '10.42.0.7/32'],
    ['cidr', 'fd00::/8', 'fd00::/8'],
    ['cidr', '0.0.0.0/0', '0.0.0.0/0'],
    ['cidr', 'fd00:0::1', 'fd00::1/128'],
    ['mac', 'DC-A6-32-00-01-0F', 'dc:a6:32:00:01:0f'],
    ['mac', 'dca6.3200.010f', 'dc:a6:32:00:01:0f'],
    ['hostName', 'skia-rpi2-rack4-shelf1-001', 'skia-rpi2-rack4-shelf1-001'],
    ['hostName', '1a', '1a'],
    ['domainName', 'rack4.example.com', 'rack4.example.com'],
    ['email', 'bots@p.iam.gserviceaccount.com', 'bots@p.iam.gserviceaccount.com'],
    ['portOrRange', 22, 22],
    ['portOrRange', '2201', 2201],
    ['httpUrl', 'http://[fd00::8]:8080/', 'http://[fd00::8]:8080'],
    ['tokenUrl', 'https://example.com/token', 'https://example.com/token'],
    ['tokenUrl', 'http://127.0.0.1:8081/token', 'http://127.0.0.1:8081/token'],
    ['tokenUrl', 'http://[::1]/token', 'http://[::1]/token'],
    ['tokenUrl', 'http://localhost/token', 'http://localhost/token'],
    ['path', 'secrets/bots.json', 'secrets/bots.json'],
    ['secret', 'secrets/x', { file: 'secrets/x' }],
    ['secret', { file: 'secrets/x' }, { file: 'secrets/x' }],
    ['secret', { env: 'X_1' }, { env: 'X_1' }],
    ['timezone', 'UTC', 'UTC'],
    ['timezone', 'Europe/Berlin', 'Europe/Berlin'],
    ['timezone', 'Asia/Kolkata', 'Asia/Kolkata'],
    ['timezone', 'US/Eastern', 'US/Eastern'],
    ['cron', '15 3 * * *', '15 3 * * *'],
    ['cron', ' */5  0-23/2 1,15 jan-mar Mon-Fri ', '*/5 0-23/2 1,15 jan-mar Mon-Fri'],
    ['cron', '0 0 29 2 7', '0 0 29 2 7'],
    ['cron', '0 0 */30 feb *', '0 0 */30 feb *'],
    ['cron', '0 0 28,31 2 *', '0 0 28,31 2 *'],
  ])('%s: %j', (name, written, value) => {
    expect(fields[name]?.parse(written)).toEqual(value);
  });

  it.each(['address', 'cidr', 'mac', 'cron', 'httpUrl'])(
    'of %s is itself when it is read again',
    (name) => {
      const samples: Record<string, string> = {
        address: 'FD00::0:1',
        cidr: '10.0.0.1',
        mac: 'DC-A6-32-00-01-0F',
        cron: ' 1 2 * * * ',
        httpUrl: 'http://x//',
      };
      const field = fields[name];
      const once = field?.parse(samples[name]);

      expect(field?.parse(once)).toEqual(once);
    },
  );
});

describe('an invalid value', () => {
  it.each<[string, unknown, string]>([
    ['address', '192.168.1.256', '"192.168.1.256" is not an IP address such as 192.168.1.8'],
    [
      'address',
      '192.168.1.08',
      '"192.168.1.08" has leading zeros, which some programs interpret as octal; write 192.168.1.8',
    ],
    ['address', 'fe80::1%eth0', '"fe80::1%eth0" is not an IP address'],
    ['address', '0x7f000001', '"0x7f000001" is not an IP address'],
    ['address', 'jumphost', '"jumphost" is not an IP address'],
    ['cidr', '10.42.0.1/24', '"10.42.0.1/24" is not a network address; did you mean 10.42.0.0/24?'],
    ['cidr', '10.42.0.0/', '"10.42.0.0/" is not a network'],
    ['cidr', '10.42.0.0/24/8', 'is not a network'],
    ['cidr', 'fd00::1/64', 'did you mean fd00::/64?'],
    ['mac', 'dc:a6:32:00:01', 'is not a MAC address'],
    ['mac', 'dca63200010f', 'is not a MAC address'],
    ['mac', 'dc:a6-32:00-01:0f', 'is not a MAC address'],
    ['hostName', 'Rack_4', 'did you mean "rack-4"?'],
    ['hostName', '123', 'at least one letter'],
    ['hostName', 'a'.repeat(64), 'at most 63'],
    ['hostName', '-a', 'did you mean "a"?'],
    ['email', 'ann', 'is not an e-mail address'],
    ['httpUrl', 'ftp://x', 'is not an http or https URL'],
    ['httpUrl', 'http://user:pw@x', 'contains a user name or password'],
    ['tokenUrl', 'http://10.0.0.1/token', 'tokens require https'],
    ['tokenUrl', 'http://127.0.0.1.example.com/token', 'tokens require https'],
    ['path', '{"type": "service_account"}', 'looks like the secret itself'],
    ['path', '-----BEGIN PRIVATE KEY-----', 'looks like the secret itself'],
    ['path', '', 'is not a path'],
    ['timezone', 'Berlin', 'did you mean "Europe/Berlin"?'],
    ['timezone', '+01:00', 'is not a time zone'],
    ['cron', '0 0 30 2 *', '"30" is not a day of the month "2"'],
    ['cron', '0 0 31 apr-apr,6,9/2,Nov 1', '"31" is not a day of the month "apr-apr,6,9/2,Nov"'],
    ['cron', '0 0 30-31 feb *', '"30-31" is not a day of the month "feb"'],
    ['cron', '* * * *', 'has 4 fields'],
    ['cron', '60 * * * *', '"60" is not valid for the minute (0 to 59'],
    ['cron', '5-1 * * * *', '"5-1" is not valid for the minute'],
    ['cron', '*/0 * * * *', '"*/0" is not valid for the minute'],
    ['cron', '* * 0 * *', '"0" is not valid for the day of month (1 to 31'],
    ['cron', '* * * foo *', '"foo" is not valid for the month'],
    ['cron', '1,,2 * * * *', '"1,,2" is not valid for the minute'],
  ])('%s: %j', (name, written, message) => {
    const result = fields[name]?.safeParse(written);

    expect(result?.error?.issues.map((issue) => issue.message).join()).toContain(message);
  });

  it('is never repeated where it may be a secret', () => {
    for (const written of [
      'https://user:hunter2@example.com',
      '{"private_key": "hunter2"}',
      'hunter2\nhunter2',
    ]) {
      for (const field of [httpUrl, tokenUrl, path, secret]) {
        const text = JSON.stringify(field.safeParse(written).error?.issues ?? []);
        if (text.includes('secret') || text.includes('password'))
          expect(text).not.toContain('hunter2');
      }
    }
  });
});
