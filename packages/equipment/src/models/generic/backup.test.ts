import { AnswerCut, DeviceRejected } from '@skolo/equipment/transports';
import {
  type ConfiguredDevice,
  startEos,
  startJunos,
  startNxos,
  startProcurve,
} from '@skolo/simulators';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { createMask } from '../configuration/mask.ts';
import { isSame } from '../configuration/text.ts';
import { readWhole } from '../configuration/whole-reading.ts';
import { answering } from '../testing/answering.ts';
import {
  type account,
  backUp,
  bytesOf,
  repeating,
  simulated,
} from '../testing/simulated-device.ts';
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

  it.each([
    ['an end', { complete: { end: '(a+)+$' } }],
    ['an error', { rejected: ['(a+)+$'] }],
  ])('is not judged by an expression for %s that takes too long', async (_what, options) => {
    const answer = `${'a'.repeat(60)}!`;
    const sitting = await repeating(
      [
        {
          kind: 'shell',
          said: [
            { received: 'switch-1# ' },
            { sent: 'show', received: `show\r\n${answer}\r\nswitch-1# ` },
          ],
        },
      ],
      {
        model: 'generic',
        options: z.object(facts.options).parse({ commands: ['show'], ...options }),
      },
    );

    const backingUp = backUp(backup(sitting.inventory), sitting.connect());

    await expect(backingUp).rejects.toThrow('the regular expression /(a+)+$/ takes too long');
  });

  it('takes what a rack.yaml with nothing but the least has', () => {
    const options = z.strictObject(facts.options).parse({ prompt: '^odd# $', commands: ['show'] });
    const device = { name: 'odd', model: 'generic', ports: {}, transport: 'ssh', options } as const;

    expect(backup(device).verifiedBy).toBe('twice');
  });

  /** Reads what a device answers, one answer after another, and the last one again and again. */
  async function readFrom(
    options: Record<string, unknown>,
    answers: readonly string[],
    newest?: string,
  ) {
    const described = z
      .strictObject(facts.options)
      .parse({ prompt: '^fw # $', commands: ['show'], ...options });
    const device = { name: 'fw', model: 'generic', ports: {}, transport: 'ssh' } as const;
    const model = backup({ ...device, options: described });
    let reads = 0;
    const connection = answering({ ...device, options: described }, () =>
      Buffer.from(answers[reads++] ?? answers.at(-1) ?? ''),
    );
    const check = async () => undefined;
    const reading = await readWhole(model, connection, check, async (content) => {
      return newest !== undefined && isSame(bytesOf(content), Buffer.from(newest), model);
    });
    return { model, text: bytesOf(reading.content).toString(), reads };
  }

  const encrypted = (password: string, key: string) => `config vpn certificate local
    edit "lab-ca"
        set password ENC ${password}
        set private-key "-----BEGIN ENCRYPTED PRIVATE KEY-----
${key}
-----END ENCRYPTED PRIVATE KEY-----"
    next
end
`;
  const [one, other] = [
    encrypted('RklYRUQxAAAA', 'QUFBQUFBQUFBQUFBQUFBQUFBQUE='),
    encrypted('WllYV1ZVMjIy', 'QkJCQkJCQkJCQkJCQkJCQkJCQkI=\nQkJCQkJCQkI='),
  ];
  const pem = { from: 'BEGIN ENCRYPTED PRIVATE KEY', until: 'END ENCRYPTED PRIVATE KEY' };

  it.each(['twice', { end: '^end$' }])(
    'is the same where it is encrypted differently each time, complete: %j',
    async (complete) => {
      const options = { complete, volatile: [' ENC ', pem] };

      const { model, text } = await readFrom(options, [one, other], one);

      expect(await isSame(Buffer.from(text), Buffer.from(one), model)).toBe(true);
      const changed = text.replace('lab-ca', 'other-ca');
      expect(await isSame(Buffer.from(changed), Buffer.from(one), model)).toBe(false);
    },
  );

  it('names the lines that differ, without their secrets', async () => {
    // Masking has a limit of CPU time, which a busy computer would exceed; the message then lacks the lines.
    vi.spyOn(process, 'threadCpuUsage').mockReturnValue({ user: 0, system: 0 });
    onTestFinished(() => void vi.restoreAllMocks());
    const failed = readFrom({ volatile: ['^#time '] }, [`#time 1\n${one}`, `#time 2\n${other}`]);

    await expect(failed).rejects.toThrow(AnswerCut);
    await expect(failed).rejects.toThrow(
      'in 2 lines: "set password ENC <secret>", "<secret>"; one of them is incomplete',
    );
  });

  it('masks lines between two', async () => {
    const secret = [{ from: '^set blob', until: '^end blob' }];

    const { model } = await readFrom({ secret, complete: { end: 'end' } }, ['x\nend\n']);

    const { text } = createMask(Buffer.alloc(32, 1));
    expect(text('set blob\nA1\nB2\nend blob\nc', model.secrets)).toMatch(
      /^set blob\n<secret \w+>\nend blob\nc$/,
    );
  });

  const whole = 'interface 4\n switchport access vlan 5\ninterface 5\nend\n';
  const broadcast = whole.replace(
    'interface 5',
    '***\n*** --- SHUTDOWN in 0:05:00 ---\n***\ninterface 5',
  );

  it.each<[string, string[], string | undefined, number]>([
    ['the first version', [broadcast, whole], undefined, 3],
    ['a newer version', [broadcast, whole], whole, 2],
    ['an older version', [broadcast, whole], 'interface 4\nend\n', 3],
    ['a change without a broadcast', [whole], 'interface 4\nend\n', 2],
    ['no change', [whole], whole, 1],
  ])('has no message to all users in it: %s', async (_what, answers, newest, expected) => {
    const { text, reads } = await readFrom({ complete: { end: '^end$' } }, answers, newest);

    expect({ text, reads }).toEqual({ text: whole, reads: expected });
  });

  it.each(['\ufeff', '\u00a0\r\n', '\u200b\n', '\0'])('is nothing if it is %j', async (text) => {
    const { model } = await readFrom({}, [whole]);

    expect(await model.incomplete({ bytes: Buffer.from(text) })).toMatch(/is empty$/);
    await expect(readFrom({}, [text])).rejects.toThrow('printed nothing for "show"');
  });

  it.each(['utf8', 'latin1'] as const)('may have letters of %s', async (encoding) => {
    const bytes = Buffer.from('größe 1\nwarnung élevée\nschluß\n', encoding);
    const judge = async (options: Record<string, unknown>) => {
      const { model } = await readFrom(options, [whole]);
      return [await model.incomplete({ bytes }), await model.doubt?.({ bytes })];
    };

    expect(await judge({ has: '^größe \\d$' })).toEqual([undefined, undefined]);
    expect(await judge({ has: { manual: '^.+ élevée$' } })).toEqual([undefined, undefined]);
    expect(await judge({ complete: { end: '^schlu[ß]$' } })).toEqual([undefined, undefined]);
    expect(await judge({ has: '^größen' })).toEqual([expect.any(String), undefined]);
  });

  it('is the same where lines with such letters are volatile, in spite of log messages', async () => {
    const text = (n: number) => `größe 1\nschlüssel ${n}\nend\n`;
    const message = '*Nov 30 10:21:31.403: %SYS-5-CONFIG_I: Configured from console by ann\n';
    const options = { volatile: ['^schl[ü]ssel'] };

    const answers = [`${message}${text(1)}`, `${text(2)}${message}`];
    const { text: read } = await readFrom(options, answers);

    expect(read).toMatch(/^größe 1\nschlüssel \d\nend\n$/);
  });

  it('is in doubt without the line of a manual, also where its end is known', async () => {
    const options = { complete: { end: '^end$' }, has: { manual: '^vlan ' } };

    const { model } = await readFrom(options, [whole]);

    const doubt = async (text: string) => await model.doubt?.({ bytes: Buffer.from(text) });
    expect(await doubt(whole)).toContain('no line matches /^vlan /, which is from a manual');
    expect(await doubt(`vlan 5\n${whole}`)).toBeUndefined();
  });

  it.each([
    ['what any line has', { has: '.' }, 'has `.`, which also matches'],
    ['what words are', { has: '^[a-z ]+$' }, 'has `^[a-z ]+$`, which also matches'],
    [
      'an end that errors have',
      { complete: { end: 'denied$' } },
      'ends with `denied$`, which also',
    ],
    [
      'a sign that takes too long',
      { has: '^(\\S+\\s*)+[{]$' },
      '/^(\\S+\\s*)+[{]$/ takes too long',
    ],
  ])('is in doubt if only %s shows it', async (_what, options, expected) => {
    const { model } = await readFrom({ complete: { end: '^end$' } }, [whole]);
    const described = z.object(facts.options).parse({ commands: ['show'], ...options });
    const device = { name: 'fw', model: 'generic', ports: {}, transport: 'ssh' } as const;
    const { doubt } = backup({ ...device, options: described });
    const content = { bytes: Buffer.from('permission denied\n') };

    expect(await doubt?.(content)).toContain(`nothing shows that it is a configuration: `);
    expect(await doubt?.(content)).toContain(expected);
    expect(await model.doubt?.(content)).toBeUndefined();
  });
});
