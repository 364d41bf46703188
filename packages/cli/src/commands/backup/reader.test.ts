import type { RequestListener } from 'node:http';
import { ApiError, ApiUnreachable, createClient, routerBackupApi } from '@skolo/api';
import { untilTestEnds } from '@skolo/base/testing';
import { startScripted } from '@skolo/scripted-services';
import { describe, expect, it } from 'vitest';
import { contentOf } from './reader.ts';

const wanted = { equipment: 'router', version: 'latest~1', secrets: true };

async function serve(listener: RequestListener) {
  const backup = untilTestEnds(await startScripted('router-backup', {}));
  backup.instead = listener;
  return createClient(routerBackupApi, { baseUrl: backup.url, token: 'the-token' });
}

describe('the content of a version', () => {
  it('is byte for byte as sent', async () => {
    const bytes = Buffer.from([0, 13, 10, 0xff, 0xe4, 10]);
    const asked: unknown[] = [];
    const service = await serve(({ url, headers }, response) => {
      asked.push([url, headers.authorization]);
      response.end(bytes);
    });

    const content = await contentOf(service, wanted);

    expect(Buffer.from(content).equals(bytes)).toBe(true);
    expect(asked).toEqual([
      ['/v1/equipment/router/versions/latest~1/content?secrets=true', 'Bearer the-token'],
    ]);
  });

  it('rejects content that does not match its checksum', async () => {
    const service = await serve((_request, response) => {
      response.setHeader('x-skolo-sha1', '0'.repeat(40)).end('half of i');
    });

    await expect(contentOf(service, wanted)).rejects.toThrow(/does not match its SHA-1 \(0+\);/);
    // The masked text has other bytes.
    await expect(contentOf(service, { ...wanted, secrets: false })).resolves.toHaveLength(9);
  });

  it('is not compared with the SHA-1 when it is encrypted', async () => {
    const service = await serve((_request, response) => {
      response.setHeader('x-skolo-sha1', '0'.repeat(40)).end('age-encryption.org/v1\n-> X25519');
    });

    await expect(contentOf(service, wanted)).resolves.toHaveLength(31);
  });

  it('has a limit and a deadline', async () => {
    const endless = await serve((_request, response) => {
      const send = () => response.write('x'.repeat(1000), send);
      send();
    });
    const silent = await serve(() => {});
    const stalls = await serve((_request, response) => response.write('x'));

    await expect(contentOf(endless, { ...wanted, mostBytes: 5000 })).rejects.toThrow(
      /larger than 5000 bytes/,
    );
    for (const service of [silent, stalls]) {
      const lost = contentOf(service, { ...wanted, silenceMs: 50 });
      await expect(lost).rejects.toThrow(ApiUnreachable);
      await expect(lost).rejects.toThrow(/no response within 0.05 s/);
    }
  });

  it.each([
    [
      302,
      { location: 'http://127.0.0.1:1/' },
      '',
      /the response \(302, nothing\) is not from this service/,
    ],
    [200, { 'content-length': '10' }, 'x', /the connection was closed/],
    [
      404,
      { 'content-type': 'application/problem+json' },
      '{"title": "Not Found", "status": 404, "detail": "router: there is no version latest~1"}',
      /^router: there is no version latest~1$/,
    ],
    [
      502,
      { 'content-type': 'text/html' },
      '<h1>',
      /the response \(502, text\/html\) is not from this service/,
    ],
  ])('%d is an error', async (status, headers, body, message) => {
    const service = await serve((request, response) => {
      response.writeHead(status, headers).write(body);
      if ('content-length' in headers) setImmediate(() => request.socket.destroy());
      else response.end();
    });

    const got = contentOf(service, wanted);

    await expect(got).rejects.toThrow(message);
    if (status !== 200) await expect(got).rejects.toThrow(ApiError);
  });
});
