/** What an outlet supplies: in the metrics, and in the result of a cycle after which nothing draws power. */
import { fakeClock } from '@skolo/common/testing';
import { describe, expect, it } from 'vitest';
import { Boards } from '../testing/board-driver.ts';
import { startDaemon } from '../testing/daemon.ts';
import { plugIn } from '../testing/machine.ts';

const day = 86_400_000;

async function deadMachine(
  power: string[],
  before: (board: ReturnType<Boards['get']>) => void = () => undefined,
) {
  const boards = new Boards();
  before(boards.get('pdu-1'));
  const machine = await plugIn(boards, 'm', power, { host: '127.0.1.1', timeoutSeconds: 1 });
  const clock = fakeClock();
  const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  m: ${machine.entry}
`;
  const daemon = await startDaemon({ boards, clock, yaml });
  const { outlets, told } = boards.get('pdu-1');
  const samples = async () =>
    (await daemon.metrics()).split('\n').filter((line) => /^skolo_power_outlet_watts\{/.test(line));
  await expect.poll(samples).not.toEqual([]);
  await machine.misbehave('never-boots');
  return { ...daemon, yaml, clock, outlets, told, samples };
}

describe('a machine that draws no power after its cycle', () => {
  it('is named with the outlet that supplied some before, and nothing else is done', async () => {
    const { cycle, outlets, told, samples } = await deadMachine(['pdu-1/9']);
    const before = await samples();
    outlets.setWatts('9', 0);

    const [m] = await cycle('m');

    expect(before).toEqual(['skolo_power_outlet_watts{outlet="pdu-1/9"} 5']);
    expect(m).toMatchObject({
      outcome: 'failed',
      failedStep: 'see-back',
      detail: expect.stringMatching(
        /^not back within 1 s: .+; pdu-1\/9 supplies 0 W, and 5 W before, so the target draws no power; check its cable and power supply$/,
      ),
    });
    expect(told).toEqual(['off 9', 'on 9 auto']);
    expect(await samples()).toEqual(['skolo_power_outlet_watts{outlet="pdu-1/9"} 0']);
  });

  it('is named after a restart of the daemon, which has only ever read 0 W', async () => {
    const lab = await deadMachine(['pdu-1/9']);
    lab.outlets.setWatts('9', 0);
    await lab.stop();
    const { cycle } = await startDaemon({ yaml: lab.yaml, clock: lab.clock, previous: lab });

    const [m] = await cycle('m');

    expect(m?.detail).toContain('pdu-1/9 supplies 0 W, and 5 W before');
  });

  it.each<[string, string[], (lab: Awaited<ReturnType<typeof deadMachine>>) => void, number]>([
    ['the outlet never showed more than 1 W, as without a meter', ['pdu-1/9'], () => undefined, 1],
    ['it did so more than a week ago', ['pdu-1/9'], ({ clock }) => clock.pass(7 * day + 1000), 5],
    ['another feed supplies it', ['pdu-1/9', 'pdu-1/10'], () => undefined, 5],
  ])('is not named if %s', async (_why, power, then, watts) => {
    const lab = await deadMachine(power, ({ outlets }) => outlets.setWatts('9', watts));
    lab.outlets.setWatts('9', 0);
    then(lab);

    const [m] = await lab.cycle('m');

    expect(m).toMatchObject({ outcome: 'failed', failedStep: 'see-back' });
    expect(m?.detail).not.toContain('W before');
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e6])(
    'has no sample of %d W',
    async (watts) => {
      const { outlets, client, samples } = await deadMachine(['pdu-1/9', 'pdu-1/10']);
      outlets.setWatts('9', watts);
      const body = { machines: ['m'], reason: 'dead', mode: 'hard' as const };
      await client.requestCycles({ body });

      await expect.poll(samples).toEqual(['skolo_power_outlet_watts{outlet="pdu-1/10"} 5']);
    },
  );
});
