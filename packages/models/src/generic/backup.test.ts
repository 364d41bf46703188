import { DeviceRejected } from '@skolo/equipment';
import {
  type ConfiguredDevice,
  startEos,
  startJunos,
  startNxos,
  startProcurve,
} from '@skolo/simulators';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { itMasks } from '../testing/configurations.ts';
import { itSurvives } from '../testing/every-fault.ts';
import { type account, backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { generic as facts } from './facts.ts';
import { backup } from './generic.ts';

const enablePassword = 'canary-enable-19c';

const arista = {
  prompt: '^[\\w-]+(?:\\(.*\\))?[>#]$',
  pagingOff: ['terminal length 0'],
  enable: 'enable',
  commands: ['show running-config'],
  complete: { end: '^end$' },
  volatile: ['^! Time:'],
  secret: [
    '^snmp-server host .* (\\S+)$',
    '^snmp-server user .* auth \\S+ (\\S+) priv \\S+ (\\S+)',
    '^ +key \\S+ 7 (\\S+)',
    'authentication text (\\S+)',
  ],
};

type Start = (options: typeof account & { secondMs: number }) => Promise<ConfiguredDevice>;

const startArista: Start = (login) => startEos({ ...login, enablePassword });

async function sit(start: Start, options: Record<string, unknown>) {
  vi.stubEnv('SKOLO_TEST_ENABLE', enablePassword);
  const login = { enablePassword: { env: 'SKOLO_TEST_ENABLE' } };
  const sitting = await simulated((who) => start({ ...who, secondMs: 1 }), {
    model: 'generic',
    options: z.object(facts.options).parse(options),
    login,
  });
  return { ...sitting, model: backup(sitting.inventory) };
}

describe('the configuration of a device that is described in rack.yaml', () => {
  it.each<[string, Start, Record<string, unknown>, RegExp]>([
    ['with an end mark', startArista, arista, /^! Time: .*\n/m],
    [
      'read twice',
      startNxos,
      {
        prompt: '^[\\w-]+# ?$',
        pagingOff: ['terminal length 0'],
        commands: ['show running-config'],
        volatile: ['^!Time:', '^\\s*$'],
      },
      /^!Time: .*\n/m,
    ],
    [
      'whose pager cannot be turned off',
      startProcurve,
      { prompt: '^[\\w-]+[>#]$', commands: ['show running-config'], logout: 'logout' },
      /^nothing/,
    ],
    [
      'with lines before its prompt',
      startJunos,
      { prompt: '^\\w+@[\\w-]+>$', commands: ['show configuration'], complete: { end: '^\\}$' } },
      /^nothing/,
    ],
  ])('is what it answers, %s', async (_what, start, options, changing) => {
    const { device, model, connect } = await sit(start, options);

    const { content, identity } = await backUp(model, connect());

    const plain = (text: Buffer) => text.toString().replace(changing, '').trimEnd();
    expect(
      plain(bytesOf(content))
        .replace(/\n\{master:0\}$/, '')
        .trimEnd(),
    ).toBe(plain(device.running()));
    expect(identity).toEqual({});
  });

  it('is the answers of all commands, one after another', async () => {
    const commands = ['show running-config', 'show inventory'];
    const { model, connect } = await sit(startArista, { ...arista, commands, complete: 'twice' });

    const { content } = await backUp(model, connect());

    expect(bytesOf(content).toString()).toMatch(/\nend\nSystem information\n/);
  });

  it('is rejected where a command is, also by words of its owner', async () => {
    const rejected = ['^System information'];
    const one = await sit(startArista, { ...arista, commands: ['show nonsense'] });
    const other = await sit(startArista, { ...arista, commands: ['show inventory'], rejected });

    await expect(backUp(one.model, one.connect())).rejects.toThrow(DeviceRejected);
    await expect(backUp(other.model, other.connect())).rejects.toThrow(/is not|last line/);
  });

  it('is not whole without its end', async () => {
    const commands = ['show version'];
    const { model, connect } = await sit(startArista, { ...arista, commands });

    await expect(backUp(model, connect())).rejects.toThrow('which does not match /^end$/');
  });

  itMasks(() => sit(startArista, arista), { secret: /s3cret/gi, least: 21, kept: [] });

  it('takes what a rack.yaml with nothing but the least has', () => {
    const options = z.strictObject(facts.options).parse({ prompt: '^odd# $', commands: ['show'] });
    const device = { name: 'odd', model: 'generic', ports: {}, transport: 'ssh', options } as const;

    expect(backup(device).verifiedBy).toBe('twice');
  });

  itSurvives(
    { sit: () => sit(startArista, arista), truth: (device) => device.running() },
    { trickles: 'either', 'odd-logs-behind-prompt': 'whole' },
  );
});
