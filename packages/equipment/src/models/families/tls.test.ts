import {
  DeviceRejected,
  DeviceUnreachable,
  HostKeyChanged,
  httpTo,
  SignInRejected,
} from '@skolo/equipment/transports';
import { type HttpDevice, startRedfish, type Tls } from '@skolo/simulators';
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

async function connectTo(device: HttpDevice, given = login, hostKey?: string) {
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
});
