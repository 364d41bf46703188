/** Automatic repair in a running daemon: alerts come through the webhook, time is the test's. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Boards } from '../testing/board-driver.ts';
import { boardDrivers } from '../testing/daemon.ts';
import { type RepairLab, startRepairLab } from '../testing/repair-lab.ts';

function rackWith(a = 'power: pdu-1/1'): string {
  return `
equipment:
  router: { model: edgeos, address: 127.0.2.9, ports: { ssh: 1 }, uplink: internet }
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  a: { kind: host, offSeconds: 0.5, ${a} }
  b-[01-20]: { kind: host, power: pdu-1/[3-22], offSeconds: 0.5 }
`;
}

const yaml = rackWith();
// The internet connection is watched so that the lab knows when everything has been looked at.
function settingsWith(repair = 'tries: 2'): string {
  return `    repair: { enabled: true, ${repair}, internet: { enabled: true } }`;
}

const settings = settingsWith();

/** What answers as an ssh server does, at an address of a machine. */
async function startSsh(): Promise<number> {
  const server = createServer((socket) => {
    // Whoever only looks hangs up while the banner is on its way.
    socket.on('error', () => socket.destroy());
    socket.end('SSH-2.0-OpenSSH_9.2\r\n');
  });
  server.listen(0, '127.0.1.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/** The agent of `a`, which responds although Prometheus does not see the machine. */
async function startBusyAgent() {
  const agent = { isBusy: true, url: '' };
  const server = createHttpServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    const task = { running: agent.isBusy };
    response.end(JSON.stringify({ machine: 'a', task, devices: [] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  agent.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  return agent;
}

describe('a missing machine', () => {
  it('is cycled once it has been dead for long enough', async () => {
    const lab = await startRepairLab({ yaml, settings });

    await lab.hear('a', 13);
    const tooEarly = await lab.cycles();
    await lab.after(1);
    await lab.untilCycled(1);

    expect(tooEarly).toEqual([]);
    expect(await lab.cycles()).toMatchObject([
      { target: 'a', by: 'repair', origin: 'repair', mode: 'auto', force: false, outcome: 'on' },
    ]);
    expect(lab.boards.get('pdu-1').told).toEqual(['off 1', 'on 1 auto']);
  });

  it('is cycled so many times, with a pause, and then needs attention', async () => {
    const lab = await startRepairLab({ yaml, settings });

    await lab.hear('a', 20);
    await lab.untilCycled(1);
    await lab.after(50);
    await lab.hear('a', 70);
    const withinPause = await lab.cycles();
    await lab.after(11);
    await lab.hear('a', 81);
    await lab.untilCycled(2);
    await lab.after(61);
    await lab.hear('a', 142);

    expect(withinPause).toHaveLength(1);
    expect(await lab.cycles()).toMatchObject([
      { reason: 'missing; try 2' },
      { reason: 'missing; try 1' },
    ]);
    expect(await lab.needsAttention('a')).toBe('still missing after 2 cycles');
    expect(lab.said('needs attention')).toEqual(['still missing after 2 cycles']);
  });

  it('keeps its tries over a restart, and loses them when it is resolved', async () => {
    const first = await startRepairLab({ yaml, settings });
    await first.hear('a', 20);
    await first.untilCycled(1);
    await first.stop();

    const second = await startRepairLab({ yaml, settings, previous: first, clock: first.clock });
    await second.after(30);
    await second.hear('a', 50);
    const withinPause = await second.cycles();
    await second.after(31);
    await second.hear('a', 81);
    await second.untilCycled(2);
    await second.resolved('a');
    await second.after(61);
    await second.hear('a', 20);
    await second.untilCycled(3);

    expect(withinPause).toHaveLength(1);
    expect(await second.cycles()).toMatchObject([
      { reason: 'missing; try 1' },
      { reason: 'missing; try 2' },
      { reason: 'missing; try 1' },
    ]);
  });

  it('waits until the alert is repeated: a silenced one is not', async () => {
    const lab = await startRepairLab({ yaml, settings });

    await lab.hear('a', 10);
    await lab.after(5);
    const silent = await lab.cycles();
    await lab.hear('a', 16);
    await lab.untilCycled(1);

    expect(silent).toEqual([]);
  });

  it('that answers is left alone, and that is reported', async () => {
    const own = `power: pdu-1/1, address: 127.0.1.1, seenBack: { ssh: ${await startSsh()} }`;
    const lab = await startRepairLab({ yaml: rackWith(own), settings });

    await lab.hear('a', 20);
    await lab.after(1);

    expect(await lab.cycles()).toEqual([]);
    expect(lab.said('not repaired')).toEqual([
      expect.stringMatching(/^SSH is responding at 127\.0\.1\.1/),
    ]);
  });

  it('that somebody else cycles already costs no try', async () => {
    const lab = await startRepairLab({ yaml, settings });
    const body = { machines: ['a'], reason: 'by hand', offSeconds: 15 };
    await lab.client.requestCycles({ body });

    await lab.hear('a', 20);
    await lab.untilCycled(1);
    await lab.after(0);
    await lab.untilCycled(2);

    expect(lab.said('not repaired')).toEqual(['already cycled']);
    expect(await lab.cycles()).toMatchObject([{ reason: 'missing; try 1' }, { reason: 'by hand' }]);
  });

  it('that is in use is not given up: a cycle that ended because of a task is no try', async () => {
    const agent = await startBusyAgent();
    const own = `power: pdu-1/1, address: 127.0.1.1, seenBack: { ssh: 1, timeoutSeconds: 1 }, swarming: { url: '${agent.url}' }`;
    const lab = await startRepairLab({ yaml: rackWith(own), settings: settingsWith('tries: 1') });
    for (const count of [1, 2]) {
      await lab.hear('a', 20);
      await lab.untilCycled(count);
      await lab.after(61);
    }
    const meanwhile = [await lab.needsAttention('a'), [...lab.boards.get('pdu-1').told]];
    agent.isBusy = false;
    await lab.hear('a', 142);
    await lab.untilCycled(3);
    await lab.after(61);
    await lab.hear('a', 203);

    expect(meanwhile).toEqual([undefined, []]);
    expect(await lab.cycles()).toMatchObject([
      { reason: 'missing; try 1', outcome: 'failed' },
      { reason: 'missing; try 1', outcome: 'busy' },
      { reason: 'missing; try 1', outcome: 'busy' },
    ]);
    expect(await lab.needsAttention('a')).toBe('still missing after 1 cycle');
  });

  it.each([
    [
      'held',
      (lab: RepairLab) => lab.client.hold({ body: { targets: ['a'], reason: 'new fan' } }),
      /put on hold/,
    ],
    [
      'switched off',
      (lab: RepairLab) =>
        lab.client.switchOutlets({ body: { targets: ['a'], state: 'off', reason: 'smoke' } }),
      /turned off by ann|under way/,
    ],
  ])('that is %s by a person is theirs', async (_what, act, why) => {
    const lab = await startRepairLab({ yaml, settings });
    await act(lab);

    await lab.hear('a', 20);
    await lab.after(1);

    expect((await lab.cycles()).filter(({ origin }) => origin === 'repair')).toEqual([]);
    expect(lab.said('not repaired')).toContainEqual(expect.stringMatching(why));
  });

  it('that needs attention is forgotten once it answers, also without a resolved alert', async () => {
    const own = 'power: pdu-1/1, address: 127.0.1.1, seenBack: { ssh: 1, timeoutSeconds: 1 }';
    const lab = await startRepairLab({ yaml: rackWith(own), settings: settingsWith('tries: 1') });
    await lab.hear('a', 20);
    await lab.untilCycled(1);
    await lab.after(61);
    await lab.hear('a', 81);

    const before = await lab.needsAttention('a');
    const back = `power: pdu-1/1, address: 127.0.1.1, seenBack: { ssh: ${await startSsh()} }`;
    await lab.edit(rackWith(back));
    lab.clock.pass(16 * 60_000);

    expect(before).toBe('still missing after 1 cycle');
    await expect.poll(() => lab.needsAttention('a')).toBeUndefined();
  });
});

describe('alerts that are received', () => {
  it.each([
    // More labels are in alert.test.ts.
    ['a machine', { machine: 'a' }, 1],
    ['an alert of another name', { machine: 'a', alertname: 'DiskFull' }, 0],
    ['a machine of another rack', { machine: 'z' }, 0],
    ['no machine at all', {}, 0],
  ])('%s', async (_what, labels, heard) => {
    const lab = await startRepairLab({ yaml, settings });
    const alert = { status: 'firing' as const, startsAt: new Date().toISOString() };

    const answer = await lab.client.alerts({
      body: { alerts: [{ ...alert, labels: { alertname: 'MachineMissing', ...labels } }] },
    });

    expect(answer.heard).toBe(heard);
  });

  it('are accepted only with a token', async () => {
    const { url } = await startRepairLab({ yaml, settings });

    const { status } = await fetch(`${url}/v1/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"alerts": []}',
    });

    expect([401, 403]).toContain(status);
  });

  it('is of no consequence where repair is off', async () => {
    const off = '    repair: { enabled: false, internet: { enabled: true } }';
    const lab = await startRepairLab({ yaml, settings: off });

    await lab.hear('a', 60);

    expect(await lab.cycles()).toEqual([]);
  });
});

describe('brakes', () => {
  it('while more machines of a PDU are missing than one would expect', async () => {
    const lab = await startRepairLab({ yaml, settings });
    const several = ['a', 'b-01', 'b-02', 'b-03', 'b-04'];
    for (const name of several) {
      await lab.missing(name, 20);
      await lab.after(0);
    }

    await lab.after(1);
    const braked = await lab.cycles();
    const why = lab.said('not repaired');
    await lab.resolved('b-04');
    await lab.after(0);
    await expect.poll(async () => (await lab.cycles()).length).toBe(4);

    expect(braked).toEqual([]);
    expect(new Set(why)).toEqual(new Set(['5 of the 21 machines connected to pdu-1 are missing']));
  });

  it('while what it needs does not respond', async () => {
    const lab = await startRepairLab({
      yaml: rackWith('power: pdu-1/1, uplink: router/eth1'),
      settings,
    });

    await lab.hear('a', 20);

    expect(await lab.cycles()).toEqual([]);
    expect(lab.said('not repaired')).toEqual(['router, which it depends on, is not responding']);
  });

  it('while its PDU does not respond', async () => {
    const boards = new Boards();
    boards.get('pdu-1').isDown = true;
    const lab = await startRepairLab({ yaml, settings, boards });
    const isDown = async () => (await lab.client.controllers()).controllers[0]?.state;
    await expect.poll(isDown).toBe('down');

    await lab.hear('a', 20);

    expect(await lab.cycles()).toEqual([]);
    expect(lab.said('not repaired')).toEqual(['pdu-1, which it depends on, is not responding']);
  });

  it('with a driver that only the simulator has tested', async () => {
    const boards = new Boards();
    const excluded = boards.kind('apc-rpdu', undefined, false);
    const drivers = new Map([...boardDrivers(boards), ['apc-rpdu', excluded]]);
    const lab = await startRepairLab({ yaml, settings, boards, drivers });

    await lab.hear('a', 20);

    expect(await lab.cycles()).toEqual([]);
    expect(lab.said('not repaired')).toEqual([
      "automatic repair does not use the driver of pdu-1, because some of its commands have only been tested with skolo's own simulator",
    ]);
  });
});
