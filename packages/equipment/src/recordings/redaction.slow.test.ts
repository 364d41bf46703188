import { testSeed } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { Recorder } from './recorder.ts';
import { unwritten, written } from './recording.ts';
import { Redaction } from './redaction.ts';

const bytes = (text: string) => Buffer.from(text);
const inHex = (text: string) => bytes(text).toString('hex');
const pairs = (text: string) => inHex(text).match(/../g) ?? [];
const utf16 = (text: string) => Buffer.from(text, 'utf16le');

/** Of a text with something around it. */
const encodings: Record<string, (text: string) => string> = {
  'no encoding': (text) => text,
  'capital letters': (text) => text.toUpperCase(),
  base64: (text) => bytes(text).toString('base64'),
  'base64 for URLs': (text) => bytes(text).toString('base64url'),
  'base64 of UTF-16': (text) => utf16(text).toString('base64'),
  'base64 twice': (text) => bytes(bytes(text).toString('base64')).toString('base64'),
  hexadecimal: inHex,
  'hexadecimal, with 0x': (text) => `0x${inHex(text).toUpperCase()}`,
  'hexadecimal with colons': (text) => pairs(text).join(':'),
  'hexadecimal with spaces': (text) => pairs(text).join(' '),
  'a URL': (text) => encodeURIComponent(text),
  'a URL, escaped completely': (text) =>
    pairs(text)
      .map((pair) => `%${pair}`)
      .join(''),
  'base64 in a URL': (text) => encodeURIComponent(bytes(text).toString('base64')),
  'a form': (text) => new URLSearchParams([['', text]]).toString().slice(1),
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  'JSON, escaped completely': (text) =>
    pairs(text)
      .map((pair) => `\\u00${pair}`)
      .join(''),
  HTML: (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
  'HTML, in numbers': (text) => [...bytes(text)].map((byte) => `&#${byte};`).join(''),
  'an object identifier': (text) => `1.3.6.1.6.3.15.1.2.2.1.3.${[...bytes(text)].join('.')}`,
};

/** Everything that a text may stand for, by another way than the redaction's. */
function meanings(text: string): string[] {
  const from = (coding: 'base64' | 'hex', all: RegExp, plain: (token: string) => string) =>
    (text.match(all) ?? []).flatMap((token) => {
      const words = [0, 1, 2, 3].map((at) => Buffer.from(plain(token).slice(at), coding));
      return words.map((word) => word.toString('latin1').replaceAll('\0', ''));
    });
  const codes = (all: RegExp, base: number) =>
    text.replaceAll(all, (_all, code: string) => String.fromCharCode(Number.parseInt(code, base)));
  return [
    text,
    ...from('base64', /[\w+/-]{4,}/g, (token) => token),
    ...from('hex', /[\da-f: ]{4,}/gi, (token) => token.replaceAll(/[^\da-f]/gi, '')),
    codes(/%([\da-f]{2})/gi, 16),
    codes(/\\u00([\da-f]{2})/gi, 16),
    codes(/&#(\d+);/g, 10),
    codes(/(?:^|\.)(\d{1,3})(?=\.|$)/g, 10),
    text.replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&quot;', '"'),
  ];
}

const letters = 'abcdefghijklmnopqrstuvwxyz';
const name = fc
  .array(fc.constantFrom(...letters, '0', '7', '9'), { minLength: 6, maxLength: 14 })
  .map((all) => `q${all.join('')}7`);
const secret = fc
  .array(fc.constantFrom(...letters, ...'ABCXYZ0123456789!#$%&*+/=?@^_~ "<'), {
    minLength: 8,
    maxLength: 24,
  })
  .map((all) => `S${all.join('')}z9`);
const around = fc.constantFrom('', 'admin:', 'user=', 'x', 'host ', '{"a":"');

describe('a redaction', () => {
  it.each(Object.entries(encodings))('lets no secret and no name pass in %s', (_name, encode) => {
    const runs = fc.property(secret, name, around, around, (password, host, before, after) => {
      const redaction = new Redaction({ secrets: [password], names: [host] });
      const whole = [password, host].map((each) =>
        encode(`${before}${each}${after ? ` ${after}` : ''}`),
      );
      const text = `% Line ${whole.join(' , ')} end`;
      redaction.learn(text);

      const results = [
        redaction.text(Buffer.from(text).toString('latin1')),
        redaction.http(text),
        redaction.http(JSON.stringify({ Items: [{ [`k${text}`]: text }] })),
        redaction.snmp(`1.3.6.1.4.1.9.9.1.0|4|${text}\n1.3.6.1.4.1.9.9.2.0|4x|${inHex(text)}`),
      ];

      for (const result of results) {
        const said = meanings(result)
          .flatMap((each) => [each, ...meanings(each)])
          .join('\n')
          .toLowerCase();
        const kept = [password.toLowerCase(), host].filter((each) => said.includes(each));
        expect({ kept, text, result }).toEqual({ kept: [], text, result });
        expect(redaction.leak([['here', result]])).toBeUndefined();
      }
    });
    fc.assert(runs, { numRuns: 60, seed: testSeed() });
  });

  it('finds what is still there', () => {
    const redaction = new Redaction({ secrets: ['hunter2-and-more'], names: ['zrh-7'] });

    const found = (text: string) =>
      redaction.leak([
        ['answers/0', 'a harmless text'],
        ['answers/1', text],
      ]);

    expect(found('a text')).toBeUndefined();
    expect(found(`first\n${bytes('x:hunter2-and-more').toString('base64')}`)).toBe(
      'line 2 of answers/1',
    );
    expect(found('Zrh-7')).toMatch(/^line 1 /);
    expect(found('z\\e[1;2Hrh-7')).toMatch(/^line 1 /);
  });

  it('gives one address one stand-in, in each form, and another one another', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const runs = fc.property(
      fc.array(byte, { minLength: 5, maxLength: 5 }),
      byte,
      (rest, other) => {
        const redaction = new Redaction({ secrets: [], names: [] });
        // Neither a group nor made up of digits only.
        const digits = Buffer.from([0xac, ...rest]).toString('hex');
        const [a = '', b = '', c = ''] = digits.match(/.{4}/g) ?? [];
        const two = digits.match(/../g) ?? [];
        const forms = [two.join(':'), two.join('-'), `${a}.${b}.${c}`, `${a}-${b}-${c}`, digits];
        const text = [...forms, `${digits.slice(0, 6)}-${digits.slice(6)}`].join(' , ');
        redaction.learn(text);

        const stand = redaction.text(text).replaceAll(/[:.-]/g, '').split(' , ');
        const row = `1.3.6.1.2.1.17.4.3.1.2.${[...Buffer.from(digits, 'hex')].join('.')}|2|1`;
        const [index = ''] = redaction.snmp(row).split('|');
        const inIndex = Buffer.from(index.split('.').slice(-6).map(Number)).toString('hex');

        expect(new Set([...stand, inIndex]).size).toBe(1);
        expect(stand[0]).not.toBe(digits);
        const addresses = [`10.1.2.${other}`, `10.1.3.${other}`].map((each) =>
          redaction.text(each),
        );
        expect(new Set(addresses).size).toBe(2);
        // That of another one it may be, by chance: there are few of so many digits.
        expect(addresses[0]).not.toBe(`10.1.2.${other}`);
      },
    );
    fc.assert(runs, { numRuns: 200, seed: testSeed() });
  });

  it.each([
    ['hostname athena', 'athena'],
    [' description to the cellar of Mr Smith', 'cellar'],
    ['snmp-server location "Building 5, Smith Street"', 'Smith'],
    ['set comment="rack of bob" name=ether1', 'bob'],
    ['banner motd ^CProperty of Acme Corp^C', 'Acme'],
    ['Serial Number: FOC1234X56Z', 'FOC1234X56Z'],
    ['System Serial Number............................ FOX9988', 'FOX9988'],
    ['Processor board ID FCZ1234567A', 'FCZ1234567A'],
    ['inet6 2001:db8:12:34::9 prefixlen 64', '2001:db8:12:34::9'],
    ['set system host-name athena-3', 'athena-3'],
    ['ntp server time.acme.example', 'acme'],
    ['logging host https://user@syslog.acme.com/x', 'acme'],
    ['contact ann@acme.org', 'ann@'],
    ['<hostname>athena</hostname>', 'athena'],
    ['<descr>Rack of Bob</descr>', 'Bob'],
    ['snmp-server community c0mmunityX ro', 'c0mmunityX'],
    [
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----',
      'b3Blb',
    ],
    [`ssh-rsa ${'AAAAB3NzaC1yc2EAAAADAQABAAABgQC7x9'.repeat(2)} ann@athena`, 'AAAAB3NzaC1yc2E'],
    ['Port  Name       Status\nGi1   Smith-1    up', 'Smith'],
    ['engineID local 800000090300F09FC2112233', '800000090300F09FC2112233'],
  ])('replaces what nobody knows in %j', (text, original) => {
    const redaction = new Redaction({ secrets: [], names: [] });
    redaction.learn(text);

    expect(redaction.text(text)).not.toContain(original);
  });

  it.each([
    ['{"SerialNumber":"X1Y2Z3"}', 'X1Y2Z3'],
    ['{"HostName":"athena"}', 'athena'],
    ['{"wifi":{"ssid":"acme-lab","pass":"hunter2"}}', /acme|hunter2/],
    ['{"token":"0123abc"}', '0123abc'],
    ['{"lat":47.3,"lon":8.5}', /47|8\.5/],
    ['{"name":"Bob\'s lamp"}', 'Bob'],
    ['{"@odata.id":"/redfish/v1/Systems/437XR1138R2","SerialNumber":"437XR1138R2"}', '437XR'],
    ['{"UUID":"00000000-0000-0000-0000-ac1f6b123456"}', 'ac1f6b123456'],
    [
      '{"CertificateString":"-----BEGIN CERTIFICATE-----\\nMIIDazCCAlOgAwIBAgIUQ2hlY2tUaGlzT3V0Rm9yTWVwbGVhc2U9\\n"}',
      'MIIDazCC',
    ],
  ])('replaces what nobody knows in %s', (text, original) => {
    const redaction = new Redaction({ secrets: [], names: [] });
    redaction.learnHttp(text);

    expect(redaction.http(text)).not.toMatch(original);
  });

  it.each([
    'Switch#show version\nCisco IOS Software, Version 15.2(2)E6, RELEASE SOFTWARE (fc1)',
    'interface GigabitEthernet1/0/1\n switchport access vlan 10\n ip address dhcp\n!',
    'ip route 0.0.0.0 0.0.0.0 Null0\nip mask 255.255.255.0 0.0.0.255',
    'System software version 1.9.3.4',
    '0/1       Good           Class2         4.50      53.46       84.18             43',
    'Uptime 12:34:56, 00:00:00:00:00:00 ff:ff:ff:ff:ff:ff 01:00:5e:00:00:01 127.0.0.1 224.0.0.5',
  ])("leaves what is nobody's: %j", (text) => {
    const redaction = new Redaction({ secrets: ['hunter2-x'], names: ['zrh-7'] });
    redaction.learn(text);

    expect(redaction.text(text)).toBe(text);
  });

  it('keeps the length of each line without a secret', () => {
    const redaction = new Redaction({ secrets: [], names: ['zrh-7-sw1'] });
    const text = '(zrh-7-sw1) #show\nPort  MAC\n0/1   ac:1f:6b:12:34:56  10.20.3.4\n';
    redaction.learn(text);

    const lengths = (all: string) => all.split('\n').map(({ length }) => length);

    expect(lengths(redaction.text(text))).toEqual(lengths(text));
  });
});

describe('a recording', () => {
  it('is written so that any text is the same when it is read', () => {
    const text = fc.string({
      unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    });
    const lines = fc.array(
      fc.oneof(text, fc.constantFrom('\r\n', '\n', '\r', ' ', '\t', '\\', '---')),
    );
    const runs = fc.property(lines, fc.constantFrom('\r\n' as const, '\n' as const), (all, end) => {
      const whole = all.join('');

      const file = stringify(
        { received: written(whole, end) },
        { lineWidth: 0, blockQuote: 'literal' },
      );

      expect(file).toMatch(/^[\n -~]*$/);
      expect(unwritten(String(parse(file).received), end)).toBe(whole);
    });
    fc.assert(runs, { numRuns: 500, seed: testSeed(), examples: [[[' ', '\r\n'], '\r\n']] });
  });

  it("has no part of a key that a pager interrupts, and nothing of it in the pager's prompt", () => {
    const recorder = new Recorder();
    const talk = { kind: 'shell' } as const;
    const say = (from: 'us' | 'device', text: string) => recorder.hear(from, text, talk);
    say('device', '\r\nathena# ');
    say('us', 'show run\r');
    say('device', 'show run\r\n-----BEGIN RSA PRIVATE KEY-----\r\nMIIEone\r\n--More--');
    say('us', ' ');
    say('device', '\r        \rMIIEtwo\r\n-----END RSA PRIVATE KEY-----\r\n--More--');
    say('us', ' ');
    say('device', '\r        \rsnmp-server community c0mmunityX ro\r\nend\r\nathena# ');
    const redaction = new Redaction({ secrets: [], names: [] });
    recorder.teach(redaction);

    const [recorded] = recorder.redacted(redaction, []);

    const said = recorded?.kind === 'shell' ? recorded.said : [];
    expect(said.map(({ sent, key }) => ({ sent, key }))).toEqual([
      { sent: undefined, key: undefined },
      { sent: 'show run', key: undefined },
      { sent: undefined, key: ' ' },
    ]);
    const text = JSON.stringify(recorded);
    expect(text).not.toMatch(/MIIE|c0mm|athena/);
    expect(said.at(-1)?.received).toMatch(/\nend\n\w{6}#\\x20$/);
  });
});
