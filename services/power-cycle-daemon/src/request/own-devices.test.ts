import { HttpProblem } from '@skolo/common';
import { fakeClock } from '@skolo/common/testing';
import { parseRack } from '@skolo/rack';
import { describe, expect, it } from 'vitest';
import { rackYaml } from '../testing/daemon.ts';
import { OwnDevices } from './own-devices.ts';
import type { Request } from './requests.ts';

const yaml = `
equipment:
  switch-1: { model: edgeswitch, address: 127.0.2.1 }
machines:
  a:
    kind: rpi
    address: 127.0.1.1
    power: switch-1/1
    devices: [{ name: left, kind: android, power: usb/1-1.3.1 }, { name: right, kind: android, power: usb/1-1.3.2 }]
  b: { kind: rpi, address: 127.0.1.2, power: switch-1/2, device: { kind: android, power: usb/1-1.2 } }
`;

function asked(devicesPerHour = 3) {
  const rack = parseRack(rackYaml(yaml, `    devicesPerHour: ${devicesPerHour}`), {
    file: '/rack.yaml',
  });
  const clock = fakeClock();
  const taken: Request[] = [];
  const own = new OwnDevices({
    rack: () => rack,
    clock,
    async accept(request) {
      taken.push(request);
      return { cycles: [], rejected: [] };
    },
  });
  const ask = (devices: string[], machine = 'a') =>
    own.accept({ devices, reason: 'adb is gone' }, machine).then(
      () => 202,
      (error: unknown) => (error instanceof HttpProblem ? error : Promise.reject(error)),
    );
  return { ask, taken, clock };
}

describe('an agent', () => {
  it('asks for its own phones, by either name, and each once', async () => {
    const { ask, taken } = asked();

    expect(await ask(['left', 'a-left', 'a-right'])).toBe(202);
    expect(taken).toEqual([
      {
        targets: ['a-left', 'a-right'],
        ask: { action: 'cycle', mode: 'hard', force: false },
        reason: 'adb is gone',
        by: 'a',
        origin: 'agent',
        skipRejected: false,
      },
    ]);
  });

  it.each([
    [['b-device'], 'a', 'b-device'],
    [['a'], 'a', 'a'],
    [['left', 'b-device'], 'a', 'b-device'],
    [['left'], 'b', 'left'],
    [['left'], 'gone', 'left'],
  ])('may not ask for %s as %s', async (devices, machine, foreign) => {
    const { ask, taken } = asked();

    expect(await ask(devices, machine)).toMatchObject({
      status: 403,
      message: `${foreign} is not a device of ${machine}, which may request cycles only for its own devices`,
    });
    expect(taken).toEqual([]);
  });

  it('may ask for so many in an hour, each phone counted', async () => {
    const { ask, taken, clock } = asked(3);
    await ask(['left', 'right']);
    clock.pass(600_000);

    const tooMany = await ask(['left', 'right']);
    const one = await ask(['left']);
    const next = await ask(['right']);
    clock.pass(3_000_000);
    const later = await ask(['left', 'right']);

    expect(tooMany).toMatchObject({
      status: 429,
      message:
        'a has requested 2 of the 3 cycles per hour that rack.yaml allows; try again in 3000 s',
      headers: { 'retry-after': '3000' },
    });
    expect([one, later]).toEqual([202, 202]);
    expect(next).toMatchObject({ status: 429, headers: { 'retry-after': '3000' } });
    expect(taken).toHaveLength(3);
  });

  it('is not counted together with another', async () => {
    const { ask } = asked(1);

    expect([await ask(['left']), await ask(['device'], 'b')]).toEqual([202, 202]);
  });

  it('is not fooled by a wall clock that jumps', async () => {
    const { ask, clock } = asked(1);
    await ask(['left']);
    clock.setWall('2036-01-01T00:00:00Z');

    expect(await ask(['left'])).toMatchObject({ status: 429 });
  });

  it('may not where rack.yaml forbids it', async () => {
    const { ask } = asked(0);

    expect(await ask(['left'])).toMatchObject({
      status: 403,
      message: 'rack.yaml allows a to cycle at most 0 of its devices per hour, not 1',
    });
  });
});
