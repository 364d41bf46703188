/** Limits protect the relay, whoever asks and however: through the API, through the pdudaemon endpoint, by machine or by outlet. */
import { sendRequest } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it } from 'vitest';
import { audited } from '../testing/audited.ts';
import { problem, startDaemon } from '../testing/daemon.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  b: { kind: host, power: pdu-1/1, offSeconds: 0.5 }
  two: { kind: host, power: [pdu-1/2, pdu-1/3], offSeconds: 0.5 }
`;

async function start(cooldownSeconds = 300) {
  const clock = fakeClock();
  const port = await freeTcpPort();
  const settings = `    endpoints: { pdudaemon: { port: ${port}, host: 127.0.0.1, allow: [127.0.0.0/8], aliases: [b, two] } }`;
  const daemon = await startDaemon({
    yaml,
    settings,
    cooldownSeconds,
    maxPerHour: 3,
    clock,
  });
  const changes: { on: boolean }[] = [];
  daemon.boards.get('pdu-1').outlets.on('change', (change) => changes.push(change));
  return {
    ...daemon,
    clock,
    ask: (query: string) => sendRequest(port, `/power/control/${query}`),
    told: daemon.boards.get('pdu-1').told,
    /** How often a relay opened. */
    cuts: () => changes.filter(({ on }) => !on).length,
  };
}

describe('limits of off and on', () => {
  it('reject the second pair of eight through the API, and report when it is possible', async () => {
    const daemon = await start();
    const rejected: unknown[] = [];

    for (let pair = 0; pair < 8; pair += 1) {
      await daemon.turn('off', 'b').catch((error: unknown) => rejected.push(error));
      expect(await daemon.turn('on', 'b')).toMatchObject({ outcome: 'on' });
    }

    expect(daemon.told).toEqual(['off 1', expect.stringMatching(/^on 1/)]);
    expect(rejected).toHaveLength(7);
    expect(await problem(Promise.reject(rejected[0]))).toMatchObject({
      status: 409,
      rejected: [{ target: 'b', code: 'cooling-down', until: '2026-11-20T12:05:00.000Z' }],
    });
  });

  it('reject the second pair of eight through the pdudaemon endpoint, and report when it is possible', async () => {
    const daemon = await start();
    const answers: string[] = [];

    for (let pair = 0; pair < 8; pair += 1) {
      answers.push((await daemon.ask('off?alias=b')).text);
      expect((await daemon.ask('on?alias=b')).status).toBe(200);
    }

    expect(daemon.cuts()).toBe(1);
    expect(new Set(answers.slice(1))).toEqual(
      new Set([
        'b: the last power cut or reboot of this target ended less than 300 s ago; try again in 300 s, or use --ignore-limits as an operator\n',
      ]),
    );
  });

  it('count from the on, so that a long off is no way around', async () => {
    const daemon = await start();
    await daemon.turn('off', 'b');
    daemon.clock.pass(1_000_000);
    await daemon.turn('on', 'b');
    daemon.clock.pass(60_000);

    const rejected = await problem(daemon.turn('off', 'b'));
    daemon.clock.pass(240_000);

    expect(rejected).toMatchObject({ detail: expect.stringContaining('try again in 240 s') });
    expect(await daemon.turn('off', 'b')).toMatchObject({ outcome: 'off' });
  });

  it('count cycles and offs of an hour together, and an off of what is off not at all', async () => {
    const daemon = await start(0);
    await daemon.ask('reboot?alias=b&delay=0.5');
    await daemon.turn('off', 'b');
    await daemon.turn('off', 'b');
    await daemon.turn('on', 'b');
    await daemon.turn('on', 'b');
    await daemon.ask('off?alias=b');
    await daemon.ask('on?alias=b');

    const rejected = await problem(daemon.turn('off', 'b'));

    expect(rejected).toMatchObject({ rejected: [{ code: 'too-often' }] });
    expect(daemon.cuts()).toBe(3);
  });

  it('are those of the outlet: its own name is no way around', async () => {
    const daemon = await start();
    await daemon.ask('reboot?alias=two&delay=0.5');

    const answer = await daemon.ask('off?hostname=pdu-1&port=2');
    const rejected = await problem(daemon.turn('off', 'pdu-1/3', { force: true }));

    expect(answer).toMatchObject({ status: 500, text: expect.stringContaining('pdu-1/2: ') });
    expect(rejected).toMatchObject({ rejected: [{ target: 'pdu-1/3', code: 'cooling-down' }] });
  });
});

describe('an operator who has to cut the power once more', () => {
  it('is reported, and the audit log has it', async () => {
    const daemon = await start();
    await daemon.turn('off', 'b');
    await daemon.turn('on', 'b');

    const forced = await problem(daemon.turn('off', 'b', { force: true }));
    const done = await daemon.turn('off', 'b', { ignoreLimits: true });

    expect(forced).toMatchObject({ rejected: [{ code: 'cooling-down' }] });
    expect(done).toMatchObject({ outcome: 'off' });
    const lines = (await audited(daemon.stateDir)).filter(({ what }) => what === 'switchOutlets');
    expect(lines.at(-2)).toMatchObject({
      who: daemon.who,
      target: 'b',
      input: { state: 'off', ignoreLimits: true },
      why: 'smoke',
      outcome: 'begun',
    });
  });
});
