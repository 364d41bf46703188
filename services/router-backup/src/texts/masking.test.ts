import { createHash } from 'node:crypto';
import type { SecretRule } from '@skolo/equipment/models/backup';
import { createMask } from '@skolo/equipment/models/configuration';
import { describe, expect, it } from 'vitest';
import { Transcript } from '../read/transcript.ts';
import { maskMessage, maskTranscript, transcriptText } from './masking.ts';

const mask = createMask(Buffer.alloc(32, 1));
const rules: readonly SecretRule[] = [
  /^\s*vrrp authentication text (\S+)/,
  { from: /^certificate /, until: /^quit/ },
];
const transcript = `>>> show running-config
switch# show running-config
 vrrp authentication text canary-vrrp
certificate 01
 30CA9A7E
 CANARY00 CANARY11
quit
hostname switch
`;

describe('the text of a device', () => {
  it.each([
    ['behind our mark', '>>> vrrp authentication text canary'],
    ['behind a prompt', 'ann@switch-1(config-if)# vrrp authentication text canary'],
    ['in a difference', '+  vrrp authentication text canary'],
    ['in a block', transcript],
  ])('is shown without secrets, %s', (_where, text) => {
    const masked = maskTranscript(mask, text, rules);

    expect(masked).toContain('<secret ');
    expect(masked).not.toMatch(/canary/i);
  });

  it('is shown with the algorithms of a user, although it is masked twice', () => {
    const said =
      'switch# show snmp\nsnmp-server user u g v3 auth md5 encrypted canary priv des56 encrypted canary\n';

    expect(maskTranscript(mask, said, rules).replace(/<secret [0-9a-f]{12}>/g, '§')).toBe(
      said.replaceAll('canary', '§'),
    );
  });

  it.each([
    ['the middle of a block', 'no prompt; last output: "ARY00 CANARY11"', 'no prompt'],
    ['the end of a line', 'the last line is "text canary-vr", not "end"', 'not "end"'],
    ['lines', 'closed; last output: "01\\n 30CA9A7E\\n CANARY00 CAN"', 'closed'],
    ['words without quotes', 'failed with status 1: certificate 01 CANARY00', 'certificate 01'],
  ])('is quoted in a message without secrets: %s', (_what, message, kept) => {
    const masked = maskMessage(mask, message, transcript, rules);

    expect(masked).toContain('<secret>');
    expect(masked).not.toMatch(/canary|30CA9A7E|ARY/i);
    expect(masked).toContain(kept);
  });

  it.each([
    [
      '/tmp/system.cfg has 5123 bytes, but 5120 bytes were received',
      '/tmp/system.cfg has 5100 bytes, but 5100 bytes were received',
    ],
    [
      'two readings differ (51234, 51239 bytes): one',
      'two readings differ (51000, 51000 bytes): one',
    ],
    ['the description of port 1234 has 12 bytes', 'the description of port 1234 has 12 bytes'],
  ])('is measured in a message, but not exactly: %s', (message, shown) => {
    expect(maskMessage(mask, message, transcript, rules)).toBe(shown);
  });

  it.each([
    createHash('md5').update(transcript).digest('hex'),
    createHash('sha256').update(transcript).digest('hex').toUpperCase(),
  ])('is shown without the digest that the device computed: %s', (digest) => {
    const said = `${transcript}# sha256sum /etc/shadow\n${digest}  /etc/shadow\n<5123 bytes>\n`;

    expect(maskTranscript(mask, said, rules)).toMatch(
      /\n<secret \w{12}> {2}\/etc\/shadow\n<5100 bytes>\n$/,
    );
    expect(maskMessage(mask, `not "${digest}"`, '', rules)).toBe('not "<secret>"');
  });

  it('is quoted as it is where it is no secret', () => {
    const message = 'the last line is "hostname switch", not "end"; run: skolo backup run router';

    expect(maskMessage(mask, message, transcript, rules)).toBe(message);
  });

  it.each([
    'rejects the user and password in its login; last output: "Login incorrect"',
    'set enablePassword in its login: the password is wrong',
    'requires a password, but its login has no password',
    'requires a new password; sign in manually, change the password, and update its login',
    'the host key (ssh-rsa) is SHA256:abc, not SHA256:def',
    'the configuration has no key: community or secret expected',
  ])('is quoted among words of ours, which are no secrets: %s', (message) => {
    expect(maskMessage(mask, message, transcript, rules)).toBe(message);
  });

  const numeric =
    'switch# show running-config\nusername ann password 1048\nusername bob password 3600\n';

  it.each([
    'no prompt within 3600 s; nothing was received',
    'the configuration has 1048 lines',
    'more than 1048 MiB would be written to disk',
    'its versions would be too large, or raise services.router-backup.maxBytes (1048) in rack.yaml',
    'cannot connect to port 3600: no answer within 3600 s',
  ])('leaves numbers in sentences of ours alone: %s', (message) => {
    expect(maskMessage(mask, message, numeric, rules)).toBe(message);
  });

  it.each([
    'rejects "show x": bad value 1048',
    'returned an error: 1048',
    'the last line is "ann 1048 s"',
    'no prompt; last output: "3600 bytes"',
  ])('hides numbers in words of the device: %s', (message) => {
    expect(maskMessage(mask, message, numeric, rules)).not.toMatch(/1048|3600/);
  });

  it('is quoted without a short secret', () => {
    const said = 'switch# show running-config\n neighbor 10.0.0.1  password ab1\n';
    const message =
      'rejects "x": neighbor 10.0.0.1 password ab1; is the password of its login right?';

    expect(maskMessage(mask, message, said, [])).toMatch(
      /^rejects "x": neighbor 10\.0\.0\.1 password <secret [0-9a-f]{12}>; is the password of its login right\?$/,
    );
  });

  it('has no secret that continues on a line that was kept, when its beginning was not', () => {
    const transcript = new Transcript();
    transcript.add('device', `${'long\n'.repeat(60_000)}add source="`);
    const line = `CANARY ${'x'.repeat(50)}\\\r\n    `;
    transcript.add('device', `${line.repeat(6000)}CANARY"\nthe end\n`);

    const masked = maskTranscript(mask, transcriptText(transcript, rules), rules);

    expect(masked).not.toMatch(/canary/i);
    expect(masked).toMatch(/the end$/);
  });

  it('has no secret whose beginning was too long to keep', () => {
    const transcript = new Transcript();
    transcript.add('device', `certificate 01\n${'x'.repeat(100_000)}\nquit\n`);
    transcript.add('device', `${'long\n'.repeat(120_000)}certificate 02\n`);
    for (let i = 0; i < 4000; i += 1) transcript.add('device', ` CANARY${i} ${'0'.repeat(90)}\n`);
    transcript.add('device', 'quit\nthe end\n');

    const masked = maskTranscript(mask, transcriptText(transcript, rules), rules);

    expect(masked).not.toMatch(/canary/i);
    expect(masked).toMatch(/quit\nthe end$/);
  });
});
