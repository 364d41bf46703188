/** Requests that two readers may understand in two ways: rejected, before anything is answered by them. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { startRack } from '../testing/rack.ts';

const token = '/computeMetadata/v1/instance/service-accounts/default/token';

const rack = await startRack({ atEnd: afterAll });

async function send(port: number, path: string, headers: string[], from: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from });
  socket.write([`GET ${path} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n'));
  return text(socket);
}

const flavor = ['Host: metadata', 'Metadata-Flavor: Google'];
/** A machine's address that is within a trusted proxy's network would get its token without the last header. */
const forwarded = 'X-Forwarded-For: 127.0.77.1';

function others(count: number): string[] {
  return Array.from({ length: count }, () => 'a:b');
}

describe('a request with so many headers that Node drops the last', () => {
  it.each([999, 1000, 2000])('is rejected, with %i before X-Forwarded-For', async (count) => {
    // A proxy on the jumphost itself, whose own address has an identity.
    const headers = [...flavor, ...others(count), forwarded];
    const answer = await send(rack.port, token, headers, '127.0.0.1');

    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('Metadata-Flavor: Google\r\n');
    expect(answer).not.toMatch(/ya29|access_token/);
  });

  it('is rejected on the metrics port', async () => {
    const headers = [...flavor, ...others(1000), forwarded];
    const answer = await send(rack.metricsPort, '/v1/identities', headers, '127.0.0.1');

    expect(answer).toMatch(/^HTTP\/1\.1 431 .*\r\n.*application\/problem\+json/s);
  });

  it('is read whole up to 100 headers', async () => {
    const headers = [...flavor, ...others(96), forwarded];
    const answer = await send(rack.port, token, headers, '127.0.0.1');

    expect(answer).toMatch(/^HTTP\/1\.1 403 .*X-Forwarded-For/s);
  });
});

describe.each(['port', 'metricsPort'] as const)('a second Host header on %s', (port) => {
  it('is rejected, since a proxy may have read the other one', async () => {
    const headers = [...flavor, 'host: metadata'];
    const answer = await send(rack[port], '/', headers, '127.0.1.1');

    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('more than one host header; send only one');
  });
});
