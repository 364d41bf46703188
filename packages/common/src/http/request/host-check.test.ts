import { createServer } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { listen } from '@skolo/base/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hostCheck } from './host-check.ts';

async function start(names: string[], host = '127.0.0.1') {
  const check = hostCheck(names);
  const server = createServer((request, response) => {
    const why = check(request);
    response.writeHead(why === undefined ? 200 : 403).end(why);
  });
  const port = await listen(server, onTestFinished, host);
  return async (lines: string[]): Promise<string> => {
    const socket = connect(port, host);
    socket.write([...lines, 'Connection: close', '', ''].join('\r\n'));
    return text(socket);
  };
}

const names = ['Metadata.lan', 'metadata', '192.168.1.8', 'fd20:ce:0::254'];

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
    '127.0.0.1',
    '127.9.9.9:80',
    '[::1]:80',
  ])('accepts %s', async (host) => {
    const send = await start(names);

    expect(await send(['GET / HTTP/1.1', `Host: ${host}`])).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each([
    'evil.example',
    'metadata.evil.example',
    'evil.example:80',
    'metadata@evil.example',
    'metadata/evil',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '192.168.1.9',
    '[::2]',
    '[metadata]x',
    'metadata:80:80',
    'metadata:port',
    '.',
    '',
  ])('rejects "%s"', async (host) => {
    const send = await start(names);

    const answer = await send(['GET / HTTP/1.1', `Host: ${host}`]);

    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain('add it to jumphost.hosts in rack.yaml');
  });

  it('accepts the address that the request arrived at', async () => {
    const send = await start([], '127.0.0.5');

    expect(await send(['GET / HTTP/1.1', 'Host: 127.0.0.5'])).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('accepts HTTP/1.0 without Host, which no browser sends', async () => {
    const send = await start(names);

    expect(await send(['GET / HTTP/1.0'])).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('checks the host of the target, which goes before the header', async () => {
    const send = await start(names);

    const foreign = ['GET http://evil.example/ HTTP/1.1', 'Host: metadata'];
    expect(await send(foreign)).toMatch(/^HTTP\/1\.1 403 /);
    expect(await send(['GET http://metadata/x HTTP/1.1', 'Host: metadata'])).toMatch(/ 200 /);
  });

  it('rejects a foreign host again and again, and shows at most 100 characters of it', async () => {
    const send = await start(names);
    const long = `${'x'.repeat(2000)}.example`;

    for (let i = 0; i < 3; i++) {
      const answer = await send(['GET / HTTP/1.1', `Host: ${long}`]);
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(answer).not.toContain('x'.repeat(101));
    }
  });
});
