/** A device, or another host at its address, that asks for the password in clear text. */

import { createServer } from 'node:http';
import { join } from 'node:path';
import { listen, tempDir } from '@skolo/base/testing';
import { DeviceRejected, HostKeys, type HttpOptions, httpTo } from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import { placeOf } from '../testing/http.ts';
import { depsWith, patient, rackDevice } from '../testing/outlets.ts';

const login = { username: 'admin', password: 'joker' };
const inClearText = Buffer.from('admin:joker').toString('base64');
const digest = 'Digest realm="relays", qop="auth", nonce="abc", algorithm=SHA-256';
const basic = 'Basic realm="relays"';

/** Accepts any password that is sent with the scheme that it requests. */
async function startDevice() {
  const received: string[] = [];
  const device = { offers: digest, received, host: '127.0.0.1', port: 0 };
  const server = createServer(({ headers: { authorization = '' } }, response) => {
    received.push(authorization);
    if (authorization !== '' && device.offers.includes(authorization.split(' ')[0] ?? '')) {
      response.end('on');
    } else response.writeHead(401, { 'www-authenticate': device.offers }).end();
  });
  return Object.assign(device, { port: await listen(server) });
}

type Device = Awaited<ReturnType<typeof startDevice>>;

async function sendTo(device: Device, signIn: HttpOptions['signIn'] = 'challenge') {
  const file = join(await tempDir(), 'host-keys.json');
  const deps = { ...depsWith(login), hostKeys: new HostKeys(file) };
  const place = rackDevice('http-switch', { ...placeOf(device), options });
  const send = httpTo(place, deps, { signIn });
  return { ask: () => send({ path: '/' }, patient()), file, place, deps };
}

const options = {
  on: { path: '/on' },
  off: { path: '/off' },
  read: { path: '/', on: '^on$', off: '^off$' },
};

describe('a device that has let us in by digest', () => {
  it('does not get the password when it asks for Basic later', async () => {
    const device = await startDevice();
    const { ask } = await sendTo(device);
    await ask();
    device.offers = basic;

    const rejected = ask();

    await expect(rejected).rejects.toThrow(DeviceRejected);
    await expect(rejected).rejects.toThrow(
      'device-1: requests the password in clear text (Basic) instead of as a digest: another host may be intercepting the connection; if it was replaced, run: skolo equipment forget device-1',
    );
    expect(device.received.join()).not.toContain(inClearText);
  });

  it('does not get it after a restart, until it is forgotten', async () => {
    const device = await startDevice();
    const { ask, place, deps, file } = await sendTo(device);
    await ask();
    device.offers = basic;
    const restarted = new HostKeys(file);
    await restarted.load();
    const send = httpTo(place, { ...deps, hostKeys: restarted }, { signIn: 'challenge' });

    await expect(send({ path: '/' }, patient())).rejects.toThrow('in clear text');
    expect(await restarted.forget('device-1')).toBe(true);

    expect((await send({ path: '/' }, patient())).body).toBe('on');
    expect(device.received.at(-1)).toBe(`Basic ${inClearText}`);
  });

  it('goes on by digest where it offers both, Basic first', async () => {
    const device = await startDevice();
    const { ask } = await sendTo(device);
    await ask();
    device.offers = `${basic}, ${digest}`;

    await ask();

    expect(device.received.at(-1)).toMatch(/^Digest .*algorithm=SHA-256/);
  });
});

describe('Basic', () => {
  it('is still the way in where a device has never offered more', async () => {
    const device = await startDevice();
    device.offers = basic;
    const { ask } = await sendTo(device);

    await ask();

    expect((await ask()).body).toBe('on');
  });

  it('is never the way in to a model that signs in by digest', async () => {
    const device = await startDevice();
    device.offers = basic;
    const { ask } = await sendTo(device, 'digest');

    await expect(ask()).rejects.toThrow('in clear text (Basic) instead of as a digest');
    expect(device.received.join()).not.toContain(inClearText);
  });
});
