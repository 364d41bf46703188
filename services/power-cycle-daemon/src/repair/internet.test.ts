/** The dead-man switch of the internet connection, in a running daemon: its request, its limits and the journal are the real ones. */
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { Boards } from '../testing/board-driver.ts';
import { boardDrivers } from '../testing/daemon.ts';
import { startRepairLab } from '../testing/repair-lab.ts';

function rackWith(power: string): string {
  return `
equipment:
  router: { model: edgeos, address: 127.0.2.9, ports: { ssh: 1 }, uplink: internet${power && `, power: ${power}`} }
  switch-1: { model: edgeswitch, address: 127.0.2.1, ports: { ssh: 1 } }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  a: { kind: rpi, power: pdu-1/1, offSeconds: 0.5 }
`;
}

const yaml = rackWith('switch-1/5');
const settings = `    seenBackSeconds: 1
    repair: { internet: { enabled: true, silentMinutes: 15, pauseMinutes: 60 } }`;

describe('a silent router', () => {
  it('is cycled natively by its PDU after a quarter of an hour', async () => {
    const { silentFor, after, cycles, boards, said } = await startRepairLab({ yaml, settings });

    await silentFor(14.9);
    const tooEarly = await cycles();
    await after(0.2);

    expect(tooEarly).toEqual([]);
    expect(await cycles()).toMatchObject([
      { target: 'router', origin: 'internet', by: 'internet dead-man', force: true, mode: 'hard' },
    ]);
    await expect.poll(() => boards.get('switch-1').told).toEqual(['cycle 5']);
    expect(said('internet connection down')).toHaveLength(1);
  });

  it('is not cycled because the daemon was paused, in which it may have answered', async () => {
    const { silentFor, clock, after, cycles } = await startRepairLab({ yaml, settings });

    await silentFor(14);
    clock.sleep(3_600_000);
    await after(1);
    const early = await cycles();
    await after(14);

    expect(early).toEqual([]);
    expect(await cycles()).toHaveLength(1);
  });

  it('that answers once is not silent', async () => {
    const { silentFor, router, after, cycles } = await startRepairLab({ yaml, settings });

    await silentFor(14);
    router.isThere = true;
    await after(0.5);
    await silentFor(14);

    expect(await cycles()).toEqual([]);
  });

  it('is cycled once in an hour, however long it is silent', async () => {
    const { silentFor, after, cycles, finished } = await startRepairLab({ yaml, settings });

    await silentFor(16);
    const [first] = await cycles();
    await finished(first?.id ?? '');
    await after(58);
    const within = await cycles();
    await after(3);

    expect(within).toHaveLength(1);
    expect(await cycles()).toHaveLength(2);
  });

  it.each([
    ['', undefined],
    [', although the clock went back to 1970', '1970-01-01T00:00:00Z'],
  ])('is cycled by a daemon that was restarted once the hour is over%s', async (_how, time) => {
    const first = await startRepairLab({ yaml, settings });
    await first.silentFor(16);
    await first.stop();

    const clock = time === undefined ? first.clock : fakeClock(time, 60);
    const second = await startRepairLab({ yaml, settings, previous: first, clock });
    second.router.isThere = false;
    const [left] = await second.cycles();
    await second.finished(left?.id ?? '');
    await second.silentFor(58);
    const within = await second.cycles();
    await second.after(3);

    expect(within).toMatchObject([{ origin: 'internet' }]);
    expect(await second.cycles()).toHaveLength(2);
  });

  it('is left alone by default', async () => {
    const lab = await startRepairLab({ yaml, settings: '    repair: { enabled: true }' });

    lab.router.isThere = false;
    lab.clock.pass(120 * 60_000);
    await lab.missing('a', 120);
    lab.clock.pass(60_000);
    await expect.poll(() => lab.boards.get('pdu-1').told).toEqual(['off 1', 'on 1 auto']);

    expect(lab.boards.get('switch-1').told).toEqual([]);
    expect(await lab.cycles()).toMatchObject([{ target: 'a', origin: 'repair' }]);
  });
});

describe('brakes', () => {
  it('while the rack boots', async () => {
    const clock = fakeClock(undefined, 2 * 60);
    const quick =
      '    repair: { bootGraceMinutes: 15, internet: { enabled: true, silentMinutes: 5 } }';
    const { silentFor, after, cycles, said } = await startRepairLab({
      yaml,
      settings: quick,
      clock,
    });

    await silentFor(12);
    const booting = await cycles();
    await after(2);

    expect(booting).toEqual([]);
    expect(said('internet connection not repaired')).toEqual(['the rack has just booted']);
    expect(await cycles()).toHaveLength(1);
  });

  it.each([
    ['no outlet', '', 'rack.yaml does not specify exactly one outlet for router'],
    [
      'two feeds',
      '[switch-1/5, switch-1/6]',
      'rack.yaml does not specify exactly one outlet for router',
    ],
    ['a PDU that cannot cycle by itself', 'pdu-1/5', 'pdu-1 cannot cycle an outlet itself'],
  ])('with %s', async (_what, power, why) => {
    const { silentFor, after, cycles, said } = await startRepairLab({
      yaml: rackWith(power),
      settings,
    });

    await silentFor(16);
    await after(16);

    expect(await cycles()).toEqual([]);
    expect(said('internet connection not repaired')).toEqual([why]);
  });

  it('with a driver that only the simulator has tested', async () => {
    const boards = new Boards();
    const excluded = boards.kind('edgeswitch', { least: 0.1, most: 60 }, false);
    const drivers = new Map([...boardDrivers(boards), ['edgeswitch', excluded]]);
    const lab = await startRepairLab({ yaml, settings, boards, drivers });

    await lab.silentFor(16);

    expect(await lab.cycles()).toEqual([]);
    expect(lab.said('internet connection not repaired')).toEqual([
      "automatic repair does not use the driver of switch-1, because some of its commands have only been tested with skolo's own simulator",
    ]);
  });

  it('while it is held, and asks no more often than it would cycle', async () => {
    const { silentFor, after, cycles, said, client } = await startRepairLab({ yaml, settings });
    await client.hold({ body: { targets: ['rack1'], reason: 'the provider works on the line' } });

    await silentFor(16);
    await after(30);

    expect(await cycles()).toEqual([]);
    expect(said('internet connection not repaired')).toEqual([
      expect.stringMatching(/^router: rack1 was put on hold .*the provider works on the line$/),
    ]);
  });
});
