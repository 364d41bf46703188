import { type ApcCardOptions, startApcCard } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { isSame } from '../configuration/text.ts';
import { itMasks, stepsOf } from '../testing/configurations.ts';
import { itSurvives } from '../testing/every-fault.ts';
import { type account, backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { backup } from './apc-card-backup.ts';

async function sit(generation: NonNullable<ApcCardOptions['generation']> = 'rpdu2') {
  const start = (login: typeof account) =>
    // A broken session is released late, which is not tested here.
    startApcCard({ ...login, secondMs: 1, generation, maxSessions: 4 });
  const model = backup();
  return { ...(await simulated(start, { model: `apc-${generation}`, transport: 'snmp' })), model };
}

describe('the configuration of an APC rack PDU', () => {
  it.each(['rpdu', 'rpdu2'] as const)('is its file, byte for byte (%s)', async (generation) => {
    const { device, model, connect } = await sit(generation);

    const { content, identity } = await backUp(model, connect());

    expect(await isSame(bytesOf(content), device.running(), model)).toBe(true);
    expect(bytesOf(content).length).toBe(device.running().length);
    expect(identity).toEqual({ hostname: 'pdu-1' });
  });

  it('is unchanged when only the time is another', async () => {
    const { device, model } = await sit();
    const text = device.running().toString();
    const later = text.replace(/generated on \S+ at \S+/, 'generated on 2027-01-01 at 00:00:00');

    expect(later).not.toBe(text);
    expect(await isSame(Buffer.from(text), Buffer.from(later), model)).toBe(true);
  });

  itMasks(() => sit(), {
    secret: /s3cret/gi,
    least: 5,
    kept: ['UserProfile1AuthProtocol=SHA'],
  });

  it('is what the steps put on the card', async () => {
    const sitting = await sit();
    const { device, connect } = sitting;
    const version = device.running();

    const [copy] = stepsOf(sitting, version);
    const [, target = ''] = /:(\S+)$/.exec(copy?.lines[1] ?? '') ?? [];
    await connect().upload(target, version);

    expect(device.running()).toEqual(version);
    expect(copy?.lines[1]).toBe(`scp -O -P ${device.port} config.ini apc@127.0.0.1:config.ini`);
  });

  it.each([
    ['nothing', '', 'NetworkTCP/IP'],
    ['an error', 'E101: Command Not Found\n', 'NetworkTCP/IP'],
    [
      'the beginning of one',
      '[NetworkTCP/IP]\nSystemIP=0.0.0.0\n',
      'so the configuration is truncated',
    ],
    ['one that ends in a line', '[NetworkTCP/IP]\n[SystemDate]\n; Da', 'is incomplete'],
  ])('is not %s', async (_what, text, why) => {
    expect(await backup().incomplete({ bytes: Buffer.from(text) })).toContain(why);
  });

  itSurvives(
    { sit: () => sit(), truth: (device) => device.running() },
    // No terminal, so no prompt, pager, log or second password.
    { 'prompt-in-configuration': 'whole', 'password-twice': 'whole' },
  );
});
