/** Prompts with a clock, a counter or the load. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { AnswerCut, DeviceAsks, DeviceRejected } from '../errors.ts';
import { openCli } from '../session/open.ts';
import { fastpath } from '../testing/dialects.ts';
import { type FakeSwitchOptions, fakeSwitch } from '../testing/fake-switch.ts';
import { openFakeSwitch } from '../testing/sessions.ts';
import { startSshServer } from '../testing/ssh-server.ts';
import { deps, password, soon, target } from '../testing/targets.ts';

const signal = soon();
const configuration = 'hostname sw1\r\nbanner sw1\r\nend\r\n';
const answers = { 'show a': 'A\r\n', 'show b': 'B\r\n', 'show running-config': configuration };

/** Each prompt is later than the one before. */
function later(seconds: number) {
  let now = Date.parse('2026-11-26T23:59:57Z');
  return () => {
    now += seconds * 1000;
    return new Date(now).toISOString();
  };
}

const [day, minute, second, load] = [later(43_200), later(20), later(1), later(7)];
let count = 9;
const next = () => {
  count += 1;
  return count;
};
const prompts: [string, FakeSwitchOptions['prompt']][] = [
  ['[23:59:57] (sw1) #', (mode) => `[${second().slice(11, 19)}] (sw1) ${mode}`],
  ['23:59 (sw1) #', (mode) => `${minute().slice(11, 16)} (sw1) ${mode}`],
  ['2026-11-26T23:59:57.001 (sw1) #', (mode) => `${day().slice(0, 23)} (sw1) ${mode}`],
  [
    '9:59 PM: (sw1) #',
    (mode) => `${Number(minute().slice(11, 13)) % 12}:${minute().slice(14, 16)} PM: (sw1) ${mode}`,
  ],
  ['(sw1 23:59:57) #', (mode) => `(sw1 ${second().slice(11, 19)}) ${mode}`],
  ['(sw1.23:59) #', (mode) => `(sw1.${minute().slice(11, 16)}) ${mode}`],
  ['(sw1) 23:59:57 #', (mode) => `(sw1) ${minute().slice(11, 19)} ${mode}`],
  ['(sw1) [23:59] #', (mode) => `(sw1) [${minute().slice(11, 16)}] ${mode}`],
  ['(sw1) 2026-11-26T23:59:57#', (mode) => `(sw1) ${day().slice(0, 19)}${mode}`],
  ['(sw1 9) #', (mode) => `(sw1 ${next()}) ${mode}`],
  ['(sw1 [9] job 3) #', (mode) => `(sw1 [${next()}] job ${count % 4}) ${mode}`],
  ['(sw1 0.57) #', (mode) => `(sw1 0.${load().slice(17, 19)}) ${mode}`],
  ['(sw1) #, constant', (mode) => `(sw1) ${mode}`],
];

describe('a prompt with what changes', () => {
  it.each(prompts)('%s is found after each command', async (_what, prompt) => {
    const { cli, device } = await openFakeSwitch({ answers, ...(prompt && { prompt }) });

    const said = [await cli.run('show a', { signal }), await cli.run('show b', { signal })];
    const read = await cli.read('show running-config', { signal, timeoutMs: 20_000 });

    expect(said).toEqual(['A', 'B']);
    expect(read.toString()).toBe('hostname sw1\nbanner sw1\nend');
    expect(device.commands).toEqual([
      'enable',
      'terminal length 0',
      'show a',
      'show b',
      'show running-config',
    ]);
  });

  it('is learned when a number changes for the first time', async () => {
    let users = 1;
    const { cli } = await openFakeSwitch({ answers, prompt: (mode) => `(sw1 ${users}) ${mode}` });

    users = 2;
    expect(await cli.run('show a', { signal })).toBe('A');
    users = 13;
    expect(await cli.run('show b', { signal, timeoutMs: 1500 })).toBe('B');
  });

  it('is not that of another device in its configuration', async () => {
    const { cli } = await openFakeSwitch({
      answers: { ...answers, 'show running-config': 'a\r\n[23:59:57] (sw2) #\r\nb\r\n' },
      prompt: (mode) => `[${second().slice(11, 19)}] (sw1) ${mode}`,
    });

    const read = await cli.read('show running-config', { signal });

    expect(read.toString()).toBe('a\n[23:59:57] (sw2) #\nb');
  });

  it('is not complete where more follows', async () => {
    const prompt = (mode: string) => `[${second().slice(11, 19)}] (sw1) ${mode}`;
    const { cli } = await openFakeSwitch({
      answers: {
        'show running-config': ({ stream, write }) => {
          stream.removeAllListeners('data').resume();
          write(`a\r\n${prompt('#')}`);
          setTimeout(() => write(`\r\nb\r\n${prompt('#')}`), 600);
          return undefined;
        },
      },
      prompt,
    });

    const read = cli.read('show running-config', { signal });

    await expect(read).rejects.toBeInstanceOf(AnswerCut);
  });
});

describe('a line of a banner that looks like a question', () => {
  it.each(['Never tell your Password:', 'Contact the owner of this Login:'])(
    'is not answered after a sign-in over SSH: %s',
    async (line) => {
      const device = fakeSwitch({ answers });
      const received: string[] = [];
      const server = await startSshServer({
        shell(channel) {
          channel.on('data', (bytes: Buffer) => received.push(bytes.toString('latin1')));
          channel.write(`\r\n${line}`);
          setTimeout(() => {
            channel.write('\r\n');
            device.serve(channel);
          }, 300);
        },
      });

      const cli = await openCli(target(server.port), 'ssh', fastpath, await deps(), signal);
      onTestFinished(() => cli.close());

      expect(await cli.run('show a', { signal })).toBe('A');
      expect(received.join('')).not.toContain(password);
      expect(device.commands).toEqual(['enable', 'terminal length 0', 'show a']);
    },
  );
});

describe('a line of a configuration that looks like a question', () => {
  const lines = [
    'banner motd ^C You may be watched. Continue? [y/N]: ^C',
    ' description ask for the Password:',
    ' description --More--',
    'Are you sure? (yes/no)',
    'Password:',
    'Username:',
    'Enter new password:',
    'Press any key to continue',
  ];

  it.each(lines)('is read, also where it pauses: %s', async (line) => {
    const { cli, device } = await openFakeSwitch({
      answers: {
        'show running-config': ({ write, prompt }) => {
          write(`hostname sw1\r\n${line}`);
          setTimeout(() => {
            write('\r\nend\r\n');
            prompt();
          }, 2500);
          return undefined;
        },
      },
    });

    const read = await cli.read('show running-config', { signal, timeoutMs: 20_000 });

    expect(read.toString()).toBe(`hostname sw1\n${line}\nend`);
    expect(device.commands).toEqual(['enable', 'terminal length 0', 'show running-config']);
  });

  it('is late, but no question, where it is the last that arrived', async () => {
    const { cli } = await openFakeSwitch({
      answers: { 'show running-config': ({ write }) => void write('hostname a\r\nSave? [y/n]') },
    });

    const read = cli.read('show running-config', { signal, timeoutMs: 400 });

    await expect(read).rejects.not.toBeInstanceOf(DeviceRejected);
  });

  it.each(['Password:', 'Username: '])('is one in a short answer: %s', async (question) => {
    const { cli, device } = await openFakeSwitch({
      answers: { 'show inventory': ({ write }) => void write(question) },
    });

    const run = cli.run('show inventory', { signal });

    await expect(run).rejects.toBeInstanceOf(DeviceAsks);
    await expect(run).rejects.toThrow(`asks ${JSON.stringify(question.trim())}`);
    expect(device.commands).toEqual(['enable', 'terminal length 0', 'show inventory']);
  });

  it('is one where nothing precedes it', async () => {
    const { cli } = await openFakeSwitch({
      answers: { 'show running-config': ({ write }) => void write('Show secrets? [y/n]') },
    });

    const read = cli.read('show running-config', { signal, timeoutMs: 400 });

    await expect(read).rejects.toThrow('asks "Show secrets? [y/n]"');
  });
});
