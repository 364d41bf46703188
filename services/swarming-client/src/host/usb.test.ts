import { CommandFailed } from '@skolo/base/run-command';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AttachedDevice } from '../devices/device.ts';
import { fakeHub } from '../testing/fake-hub.ts';
import { quietLog } from '../testing/quiet-log.ts';
import { UsbPorts } from './usb.ts';

const own = { hub: '1-1', port: 2 };
const other = { hub: '1-1', port: 3 };
/** A Raspberry Pi 4 has one switch for all of them. */
const all = [1, 2, 3, 4].map((port) => `usb/1-1.${port}`);
const phone: AttachedDevice = {
  name: 'phone',
  fullName: 'rpi-1-phone',
  kind: 'android',
  power: own,
};

function start({ devices = [phone], retrySeconds = 0.01, acts = true } = {}) {
  const hub = fakeHub();
  const log = quietLog();
  const whyNotActing = () => (acts ? undefined : 'rack.yaml says so');
  const deps = { devices: () => devices, whyNotActing, run: hub.run, log, retrySeconds };
  const usb = new UsbPorts(deps);
  onTestFinished(() => usb.stop());
  return { hub, usb, log };
}

const never = () => new AbortController().signal;

describe('ports of the machine’s hub', () => {
  it('are read, whosever they are', async () => {
    const { usb } = start();

    expect(await usb.read(own)).toEqual({ state: 'on', delivering: true });
    expect(await usb.read(other)).toEqual({ state: 'on' });
  });

  it('are set where an own device is on them', async () => {
    const { usb, hub } = start();

    const off = await usb.set(own, false);
    const wasOff = hub.off();
    const on = await usb.set(own, true);

    expect([off.state, on.state]).toEqual(['off', 'on']);
    expect([wasOff, hub.off()]).toEqual([all, []]);
  });

  it('are set alone where rack.yaml has them as verified', async () => {
    const { usb, hub } = start({ devices: [{ ...phone, powerVerified: true }] });

    await usb.set(own, false);

    expect(hub.off()).toEqual(['usb/1-1.2']);
  });

  it('are neither turned off nor on by itself where the machine is only observed', async () => {
    const { usb, hub } = start({ acts: false });
    hub.turnOff('usb/1-1.2');

    usb.start();
    await expect(usb.set(own, false)).rejects.toMatchObject({ code: 'observed' });
    await usb.stop();
    const switched = [...hub.switched];
    // The power-cycle daemon ends a cycle that began before.
    await usb.set(own, true);

    expect(switched).toEqual([]);
    expect(hub.off()).toEqual([]);
  });

  it('are not touched where none is', async () => {
    const { usb, hub } = start();

    await expect(usb.set(other, false)).rejects.toMatchObject({ code: 'not-own' });
    await expect(usb.cycle(other, 0, never())).rejects.toMatchObject({ code: 'not-own' });

    expect(hub.switched).toEqual([]);
  });

  it.each([
    { port: { hub: '1-1', port: 9 }, title: 'no such port' },
    { port: { hub: '1-7', port: 1 }, title: 'no such hub' },
    { port: { hub: '1-1 -a off', port: 1 }, title: 'no name of a hub' },
    { port: { hub: '', port: 1 }, title: 'no hub' },
  ])('are none: $title', async ({ port }) => {
    const { usb, hub } = start();

    await expect(usb.read(port)).rejects.toMatchObject({ code: 'no-port' });

    expect(hub.switched).toEqual([]);
  });

  it('that do not obey are not believed', async () => {
    const { usb, hub } = start();
    hub.fault = 'deaf';

    await expect(usb.set(own, false)).rejects.toMatchObject({ code: 'not-obeyed' });
  });

  it('need uhubctl', async () => {
    const { usb, hub } = start();
    hub.fault = 'missing';

    await expect(usb.read(own)).rejects.toThrow(CommandFailed);
  });

  it('are switched by one command at a time', async () => {
    const { usb, hub } = start();

    await Promise.all([
      usb.cycle(own, 0, never()),
      usb.read(own),
      usb.set(own, true),
      usb.read(other),
    ]);

    expect(hub.atOnce.most).toBe(1);
  });
});

describe('a cycle of a port', () => {
  it('turns it off, and on again', async () => {
    const { usb, hub } = start();

    await usb.cycle(own, 0.01, never());

    expect(hub.switched).toEqual(['off 1-1.1,2,3,4', 'on 1-1.1,2,3,4']);
    expect(hub.off()).toEqual([]);
  });

  it('that is broken off leaves it on', async () => {
    const { usb, hub } = start();
    const ends = new AbortController();

    const cycle = usb.cycle(own, 3600, ends.signal);
    await expect.poll(() => hub.off()).toEqual(all);
    ends.abort(new Error('a task began'));

    await expect(cycle).rejects.toThrow('a task began');
    expect(hub.off()).toEqual([]);
  });

  it('that cannot turn it on is reported, and it is tried until it is on', async () => {
    const { usb, hub } = start();
    usb.start();
    await expect.poll(() => hub.atOnce.now).toBe(0);
    hub.fault = 'cannot-turn-on';

    await expect(usb.cycle(own, 0, never())).rejects.toMatchObject({ code: 'not-obeyed' });
    const left = hub.off();
    hub.fault = 'none';

    expect(left).toEqual(all);
    await expect.poll(() => hub.off()).toEqual([]);
  });

  it('is ended in order when the agent stops', async () => {
    const { usb, hub } = start();
    const ends = new AbortController();
    const cycle = usb.cycle(own, 3600, ends.signal).catch(() => undefined);
    await expect.poll(() => hub.off()).toEqual(all);

    ends.abort();
    await usb.stop();

    expect(hub.off()).toEqual([]);
    await cycle;
  });

  it('is not begun on one that somebody turned off', async () => {
    const { usb, hub } = start();
    await usb.set(own, false);

    await expect(usb.cycle(own, 0, never())).rejects.toThrow('an operator turned the port off');

    expect(usb.isKeptOff(own)).toBe(true);
    expect(hub.off()).toEqual(all);
  });
});

describe('when the agent begins', () => {
  it('ports of own devices that are off are turned on, and no others', async () => {
    const { usb, hub } = start({ devices: [{ ...phone, powerVerified: true }] });
    hub.turnOff('usb/1-1.2');
    hub.turnOff('usb/1-1.3');

    usb.start();

    await expect.poll(() => hub.off()).toEqual(['usb/1-1.3']);
  });

  it('so are those of devices that become known later', async () => {
    const devices: AttachedDevice[] = [];
    const { usb, hub } = start({ devices });
    hub.turnOff('usb/1-1.2');
    usb.start();

    devices.push(phone);

    await expect.poll(() => hub.off()).toEqual([]);
  });

  it('a hub that cannot be switched is logged once', async () => {
    const { usb, hub, log } = start();
    hub.fault = 'no-hub';

    usb.start();

    await expect.poll(() => log.lines.length).toBe(1);
    expect(log.lines[0]?.message).toBe('USB port is not reported as on');
  });

  it('a hub that is not there yet is waited for', async () => {
    const { usb, hub, log } = start({ retrySeconds: 0.5 });
    hub.turnOff('usb/1-1.2');
    hub.fault = 'no-hub';
    usb.start();
    await expect.poll(() => log.lines.length).toBe(1);

    hub.fault = 'none';

    await expect.poll(() => hub.off()).toEqual([]);
  });

  it('one that somebody has turned off since stays off', async () => {
    const { usb, hub } = start();
    await usb.set(own, false);

    usb.start();
    await usb.read(own);
    await usb.stop();

    expect(hub.off()).toEqual(all);
  });
});
