import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../peer.ts';
import { type DeviceFault, OutletBoard } from '../device.ts';
import { Core } from './core.ts';
import type { CliModel } from './model.ts';
import { startCliDevice } from './start.ts';
import type { Terminal } from './terminal.ts';
import { openSsh } from './testing.ts';
import { decodeText, encodeText } from './text-bytes.ts';

const login = { user: 'admin', password: 'sw1tch' };
const prompt = 'toy#';
const settings = Array.from({ length: 40 }, (_, i) => `setting ${i}`);

/** The least that a model does for the faults of configurations. */
async function start(fault?: DeviceFault, secondMs = 1) {
  const core = new Core({
    board: new OutletBoard([]),
    secondMs,
    configurationWords: { error: '% Not now.\n' },
  });
  const compose = () => {
    const added = core.addedLines().map((line) => `! ${line}`);
    return [...settings.slice(0, 20), ...added, ...settings.slice(20), 'end', ''].join('\n');
  };
  async function shell(terminal: Terminal): Promise<undefined> {
    await terminal.greet('Welcome\n', prompt);
    for (;;) {
      const line = await terminal.readLine(prompt);
      if (line === 'exit') return;
      if (line === 'show version') await terminal.answer('toy 1.0\nbuilt today\n');
      else if (line === 'show') await terminal.answer(terminal.session.configuration(compose()));
    }
  }
  const model: CliModel = {
    name: 'toy',
    core,
    signIn: ['password'],
    words: {
      before: '',
      user: 'User:',
      password: 'Password:',
      wrong: '',
      hidden: 'none',
      tries: 1,
    },
    screen: () => ({ width: 0, overflow: 'wrap', interactive: true, newline: '\r\n' }),
    shell,
    powerUp: () => {},
  };
  const device = await startCliDevice(model, { username: 'admin', password: 'sw1tch' });
  onTestFinished(() => device.close());
  device.faults.slowMs = 50;
  device.faults.hugeBytes = 200_000;
  if (fault !== undefined) device.faults.set(fault);
  return { device, compose };
}

async function show(fault?: DeviceFault) {
  const { device, compose } = await start(fault);
  const ssh = await openSsh(device, login);
  await ssh.see(prompt);
  ssh.say('show version');
  await ssh.see('built today\r\n');
  await ssh.see(prompt);
  ssh.say('show');
  ssh.say('exit');
  const status = await ssh.ended;
  const answer = ssh.output.slice(ssh.output.indexOf('show\r\n') + 6);
  return { status, answer, shown: compose().replaceAll('\n', '\r\n') };
}

describe.skipIf(lacks('ssh'))('a device that shows its configuration', () => {
  it('shows all of it when nothing is wrong', async () => {
    const { answer, shown } = await show();

    expect(answer).toContain(`${shown}${prompt}`);
  });

  it('has its prompt in it, and pauses there', async () => {
    const { answer, shown } = await show('prompt-in-configuration');

    expect(shown).toContain(`\r\n! ${prompt}\r\nsetting 20`);
    expect(answer).toContain(`${shown}${prompt}`);
  });

  it('asks for the password once more', async () => {
    const { device } = await start('password-twice');
    const ssh = await openSsh(device, login);

    await ssh.see('Password:');
    ssh.say('sw1tch');
    await ssh.see(prompt);

    expect(ssh.output).not.toContain('sw1tch');
  });

  it('greets with 500 lines', async () => {
    const { device } = await start('long-banner');
    const ssh = await openSsh(device, login);

    const banner = await ssh.see(prompt);

    expect(banner.match(/^\* .* \* Authorized/gm)).toHaveLength(500);
  });

  it('says one byte at a time', async () => {
    const { answer, shown } = await show('trickles');

    expect(answer).toContain(`${shown}${prompt}`);
  });

  it('ends its lines oddly', async () => {
    const { answer, shown } = await show('odd-line-ends');

    expect(answer).toContain(
      'setting 0\r\r\nsetting 1\n\rsetting 2\r\nsetting 3\r\0\nsetting 4\r\r\n',
    );
    expect(answer.replaceAll(/[\r\0]/g, '')).toContain(shown.replaceAll('\r', ''));
  });

  it('has bytes that are no UTF-8', async () => {
    const { answer } = await show('odd-bytes');

    expect(answer).toContain('setting 19\r\n! caf\xe9 \xff\x80 4.OG\r\nsetting 20\r\n');
  });

  it('is huge', async () => {
    const { answer, shown } = await show('huge-configuration');

    expect(answer.length).toBeGreaterThan(200_000);
    expect(answer.includes(shown)).toBe(true);
  });

  it('logs in the middle of it', async () => {
    const { answer } = await show('log-lines-between');

    expect(answer).toMatch(/setting \d+\r\n<190> .*Link Up: 0\/5\r\nsetting /);
  });

  it('logs in the middle of a line, each time of another one', async () => {
    const { device } = await start('log-inside-line');
    const ssh = await openSsh(device, login);
    await ssh.see(prompt);
    const answers: string[] = [];
    for (let i = 0; i < 2; i++) {
      ssh.say('show');
      answers.push(await ssh.see(prompt));
    }

    for (const answer of answers) expect(answer).toMatch(/\r\nsetti\r\n<190> .*\r\nng \d+\r\n/);
    expect(answers[0]).not.toBe(answers[1]);
  });

  it('has a line like one of its log, and one with control characters', async () => {
    const [log, control] = [await show('line-like-log'), await show('control-bytes')];

    expect(log.answer).toMatch(/setting 19\r\n! <190> .*\r\nsetting 20/);
    expect(control.answer).toContain('! red \x1b[31mport\x1b[0m, a\rb, c\b\bd, e\0f, \x07\r\n');
  });
});

describe('text of devices', () => {
  it.each([
    ['plain', Buffer.from('plain\n')],
    ['UTF-8', Buffer.from('Grüße 💡\n')],
    ['Latin-1', Buffer.from('Gr\xfc\xdfe\n', 'latin1')],
  ])('keeps the bytes of %s', (_name, bytes) => {
    expect(encodeText(decodeText(bytes))).toEqual(bytes);
  });
});
