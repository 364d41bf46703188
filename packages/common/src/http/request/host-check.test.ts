import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { hostCheck } from './host-check.ts';

const check = hostCheck(['Metadata.lan', 'metadata', '192.168.1.8', 'fd20:ce:0::254']);

function to(host: string | undefined, url = '/', localAddress = '127.0.0.1') {
  return { headers: { host }, url, socket: { localAddress } } as IncomingMessage;
}

describe('hostCheck', () => {
  it.each([
    'metadata',
    'METADATA.lan',
    'metadata.lan.',
    'metadata:80',
    '192.168.1.8',
    '192.168.1.8:8080',
    '[fd20:ce::254]',
    '[FD20:CE:0::254]:80',
    '[::ffff:192.168.1.8]',
    'localhost:8080',
    'LOCALHOST.',
    '127.0.0.1',
    '127.9.9.9:80',
    '[::1]:80',
  ])('accepts %s', (host) => {
    expect(check(to(host))).toBeUndefined();
  });

  it.each([
    'evil.example',
    'metadata.evil.example',
    'evil.example:80',
    'metadata@evil.example',
    'metadata/evil',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '127.1',
    '192.168.1.9',
    '169.254.169.254',
    '[::2]',
    '[metadata]x',
    '[::1',
    'metadata:80:80',
    'metadata:port',
    'localhost:',
    '.',
    '*',
    '',
  ])('rejects "%s"', (host) => {
    expect(check(to(host))).toContain('add it to jumphost.hosts in rack.yaml');
  });

  it('accepts the address that the request arrived at', () => {
    expect(hostCheck([])(to('10.0.0.5', '/', '10.0.0.5'))).toBeUndefined();
  });

  it('accepts HTTP/1.0 without Host, which no browser sends', () => {
    expect(check(to(undefined))).toBeUndefined();
  });

  it('checks the host of the target, which goes before the header', () => {
    expect(check(to('metadata', 'http://evil.example/'))).toContain('"evil.example"');
    expect(check(to('metadata', 'http://metadata/x'))).toBeUndefined();
  });

  it('rejects a foreign host again and again, and shows at most 100 characters of it', () => {
    for (let i = 0; i < 3; i++) {
      const why = check(to(`${'x'.repeat(2000)}.example`));
      expect(why).toContain('x'.repeat(99));
      expect(why).not.toContain('x'.repeat(101));
    }
  });
});
