import { createServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { listen, processorTime } from '@skolo/base/testing';
import {
  DeviceRejected,
  DeviceUnreachable,
  HostKeyChanged,
  httpTo,
  SignInRejected,
} from '@skolo/equipment/transports';
import { type HttpDevice, ownCertificate, startRedfish, type Tls } from '@skolo/simulators';
import { describe, expect, it, onTestFinished } from 'vitest';
import { placeOf } from '../testing/http.ts';
import { depsWith, patient, rackDevice } from '../testing/outlets.ts';

const login = { username: 'root', password: 'calvin' };
const request = { path: '/redfish/v1/Systems/1' };

async function startDevice(tls: Tls, port = 0): Promise<HttpDevice> {
  const device = await startRedfish({ tls, port });
  onTestFinished(() => device.close());
  return device;
}

async function connectTo(
  device: Pick<HttpDevice, 'host' | 'port'>,
  given = login,
  hostKey?: string,
) {
  const deps = depsWith(given);
  const place = { ...placeOf(device), ...(hostKey !== undefined && { hostKey }) };
  const target = rackDevice('redfish', { ...place, options: { https: true } });
  return {
    deps,
    send: httpTo(target, deps, { signIn: 'basic', https: target.options.https === true }),
  };
}

describe('https to a device', () => {
  it('believes the key that it sees first, once it has let us in', async () => {
    const device = await startDevice(true);
    const { deps, send } = await connectTo(device);

    await send(request, patient());

    expect(deps.hostKeys.get('device-1')).toMatch(/^SHA256:[\w+/]{43}$/);
  });

  it('sends nothing to a device with another key', async () => {
    const device = await startDevice(true);
    const { deps, send } = await connectTo(device);
    await send(request, patient());
    await device.close();
    const other = await startDevice('new-key', device.port);

    const answer = send(request, patient());

    await expect(answer).rejects.toThrow(HostKeyChanged);
    await expect(answer).rejects.toThrow(/run: skolo equipment forget device-1/);
    expect(other.received).toEqual([]);
    await deps.hostKeys.forget('device-1');
    await send(request, patient());
  });

  it('believes nobody who does not let us in', async () => {
    const device = await startDevice(true);
    const { deps, send } = await connectTo(device, { username: 'root', password: 'wrong' });

    await expect(send(request, patient())).rejects.toThrow(SignInRejected);

    expect(deps.hostKeys.get('device-1')).toBeUndefined();
  });

  it('holds to the key of rack.yaml', async () => {
    const device = await startDevice(true);
    const first = await connectTo(device);
    await first.send(request, patient());
    const hostKey = first.deps.hostKeys.get('device-1');
    const right = await connectTo(device, login, hostKey);
    const wrong = await connectTo(device, login, `SHA256:${'A'.repeat(43)}`);

    await right.send(request, patient());
    await expect(wrong.send(request, patient())).rejects.toThrow(/fix its hostKey in rack.yaml/);

    expect(right.deps.hostKeys.list()).toEqual([]);
  });

  it('says that plain http is spoken where it is', async () => {
    const device = await startDevice(false);
    const { send } = await connectTo(device);

    const answer = send(request, patient());

    await expect(answer).rejects.toThrow(DeviceRejected);
    await expect(answer).rejects.toThrow(/it may use plain http/);
  });

  it('says that a device is gone', async () => {
    const device = await startDevice(true);
    device.faults.set('down');
    const { send } = await connectTo(device);

    await expect(send(request, patient())).rejects.toThrow(DeviceUnreachable);
  });

  it('is told to stop while it waits for the handshake', async () => {
    const device = await startDevice(true);
    device.faults.set('wedged');
    const { send } = await connectTo(device);
    const stop = new AbortController();
    const why = new Error('enough');

    const answer = expect(send(request, stop.signal)).rejects.toBe(why);
    stop.abort(why);

    await answer;
  });

  it.each([
    [40, 'handshake failure'],
    [70, 'protocol version'],
    [71, 'insufficient security'],
  ])('says that TLS is spoken where alert %d is', async (alert, name) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(Buffer.of(0x15, 3, 3, 0, 2, 2, alert)));
    });
    const port = await listen(server);
    const { send } = await connectTo({ host: '127.0.0.1', port });

    const answer = send(request, patient());

    await expect(answer).rejects.toThrow(`the alert "${name}"`);
    await expect(answer).rejects.not.toThrow(/not TLS|enable TLS/);
  });

  it.each([
    ['nothing but DHE', 'DHE-RSA-AES256-GCM-SHA384', /handshake failure.* offer no .* DHE/],
    ['DHE first', 'DHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384', undefined],
  ])('computes in no group that a device chooses: %s', async (_what, ciphers, message) => {
    const key = { ...ownCertificate(false), ciphers, maxVersion: 'TLSv1.2' as const };
    // 2⁹⁹⁴¹ - 1 is prime (https://oeis.org/A000043).
    const server = createServer({
      ...key,
      dhparam: groupOf(2n ** 9941n - 1n),
      honorCipherOrder: true,
    });
    server.on('request', (_request, response) => response.end('{}'));
    const port = await listen(server);
    const { send } = await connectTo({ host: '127.0.0.1', port });

    const { ms, result } = await processorTime(250, () =>
      send(request, patient()).then(() => undefined, String),
    );

    if (message === undefined) expect(result).toBeUndefined();
    else expect(result).toMatch(message);
    expect(ms).toBeLessThan(250);
  });
});

/** Parameters of Diffie-Hellman with the generator 2, in PEM (PKCS #3). */
function groupOf(prime: bigint): string {
  const digits = prime.toString(16);
  const bytes = Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex');
  const numbers = Buffer.concat([ofLength(0x02, bytes), Buffer.of(0x02, 1, 2)]);
  const base64 = ofLength(0x30, numbers).toString('base64').replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN DH PARAMETERS-----\n${base64}\n-----END DH PARAMETERS-----\n`;
}

function ofLength(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag, 0x82, content.length >> 8, content.length & 0xff), content]);
}
