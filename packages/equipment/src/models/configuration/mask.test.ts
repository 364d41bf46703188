import { isLong } from '@skolo/base/durable/fault-injection';
import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SecretRule } from '../contract/backup.ts';
import { commonSecrets } from './common-secrets.ts';
import { createMask } from './mask.ts';

const mask = createMask(Buffer.from('a key for tests'));
const megabytes = isLong ? 20 : 2;
const word = /<secret [0-9a-f]{12}>/;

const rules: SecretRule[] = [
  /^\s*password \d (\S+)/,
  /^trap (\S+) host (\S+)$/,
  /^hidden .*/,
  /code (\S+)/g,
  { from: /^BEGIN$/, until: /^END$/ },
];

describe('a masked text', () => {
  it.each([
    ['a group', 'user a\n  password 7 hunter2 level 3\n', /^user a\n {2}password 7 <…> level 3\n$/],
    ['two groups', 'trap top host gun', /^trap <…> host <…>$/],
    ['a whole line', 'hidden 1 2 3\nnext', /^<…>\nnext$/],
    ['many in one line', 'code a1, code b2', /^code <…> code <…>$/],
    ['a block', 'x\nBEGIN\nMIIE\nabc=\nEND\ny\n', /^x\nBEGIN\n<…>\nEND\ny\n$/],
    ['a block without an end', 'BEGIN\nMIIE\nabc=\n', /^BEGIN\n<…>\n$/],
    ['two blocks', 'BEGIN\na\nEND\nBEGIN\nb\nEND', /^BEGIN\n<…>\nEND\nBEGIN\n<…>\nEND$/],
    ['an empty block', 'BEGIN\nEND\n', /^BEGIN\nEND\n$/],
    [
      'line ends of Windows',
      'password 7 abc\r\nBEGIN\r\nx\r\nEND\r\n',
      /^password 7 <…>\r\nBEGIN\r\n<…>\nEND\r\n$/,
    ],
    ['rules that overlap', 'hidden code abc', /^<…>$/],
  ])('hides %s', (_what, text, expected) => {
    const pattern = new RegExp(expected.source.replaceAll('<…>', word.source));

    expect(mask.text(text, rules)).toMatch(pattern);
  });

  it('shows that a secret changed, and where it is the same', () => {
    const [a, b, c] = ['code one', 'code two', 'code one'].map((text) => mask.text(text, rules));

    expect(a).toBe(c);
    expect(a).not.toBe(b);
    expect(createMask(Buffer.from('another key')).text('code one', rules)).not.toBe(a);
  });

  it('may be masked again', () => {
    const once = mask.text('code one\npassword 7 two\ncode <secret>\ntrap a host b', rules);

    expect(mask.text(once, rules)).toBe(once);
  });

  const secret = fc.stringMatching(/^[A-Z0-9$/+.=_-]{8,30}$/);
  const harmless = fc.stringMatching(/^[a-d ]{0,20}$/);

  it('never holds a secret that a rule names, and always the rest', () => {
    const line = fc.oneof(
      fc.record({ text: harmless, secret: fc.constant('') }),
      fc.record({ text: fc.constant('password 5 §'), secret }),
      fc.record({ text: fc.constant('a code §\r'), secret }),
      fc.record({ text: fc.constant('trap § host §'), secret }),
      fc.record({ text: fc.constant('BEGIN\n§\n§\nEND'), secret }),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = lines.map((each) => each.text.replaceAll('§', () => each.secret)).join('\n');

        const masked = mask.text(text, rules);

        for (const each of lines) {
          if (each.secret !== '') expect(masked).not.toContain(each.secret);
          else expect(masked).toContain(each.text);
        }
        const shape = lines.map(({ text }) => text.replace('§\n§', '§')).join('\n');
        expect(masked.replaceAll(new RegExp(word, 'g'), '§')).toBe(shape);
      }),
      runs(200),
    );
  });

  it('is the text itself, where there are no secrets', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(harmless, fc.constant('\r'))), (lines) => {
        const text = lines.join('\n');

        expect(mask.text(text, rules)).toBe(text);
        expect(mask.text(text, commonSecrets)).toBe(text);
      }),
      runs(200),
    );
  });

  it(`is made of ${megabytes} MB in seconds, not hours`, () => {
    const lines = Array.from(
      { length: megabytes * 25_000 },
      (_, n) => `interface eth${n}, description to port ${n}`,
    );

    const masked = mask.text(`${lines.join('\n')}\npassword CANARY`, commonSecrets);

    expect(masked).not.toContain('CANARY');
  });
});

/** Commands of switches and routers are in common-secrets.test.ts. */
describe('the common rules', () => {
  it.each([
    'set system login user ubnt authentication encrypted-password CANARY',
    "set system login user ubnt authentication plaintext-password 'CANARY with blanks'",
    "set vpn ipsec site-to-site peer 1.2.3.4 authentication pre-shared-secret 'CANARY'",
    'set service snmp community CANARY authorization ro',
    '        pre-shared-secret CANARY',
    '    community CANARY {',
    'users.1.password=CANARY',
    'wpasupplicant.profile.1.network.1.psk=CANARY',
    'mgmt.authkey=CANARY',
    'set wireless.default.key=CANARY',
    "\toption key 'CANARY'",
    "\toption private_key 'CANARY='",
    'password: CANARY',
    '  "password": "CANARY",',
    '{"api_token":"CANARY \\" CANARY"}',
    '<Password type="x">CANARY</Password>',
    'root:$6$CANARY$CANARYCANARY:19000:0:99999:7:::',
    'secret "$9$CANARY"; ## SECRET-DATA',
    'location https://backup:CANARY@10.0.0.9/config',
    'Authorization: Bearer CANARY.CANARY',
    'AGE-SECRET-KEY-1CANARYQQQ',
    '-----BEGIN RSA PRIVATE KEY-----\nCANARY\nCANARY\n-----END RSA PRIVATE KEY-----',
    'key = "-----BEGIN PRIVATE KEY-----\\nCANARY\\n-----END PRIVATE KEY-----\\n"',
    'set ppp secret name=x password="CANARY,CANARY"',
    'PresharedKey = CANARY=',
    'set admin passwd CANARY',
  ])('mask %s', (line) => {
    const masked = mask.text(line, commonSecrets);

    expect(masked).not.toContain('CANARY');
    expect(masked).toMatch(word);
  });

  it.each([
    'hostname key-largo',
    'no enable password',
    'crypto key-chain-name',
    'description the passwords are in the safe',
    'https://example.com:8443/path',
  ])('leave %s', (line) => {
    expect(mask.text(line, commonSecrets)).toBe(line);
  });
});
