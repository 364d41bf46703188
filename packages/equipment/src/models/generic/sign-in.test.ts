/** What a device that rack.yaml describes may cost us, whatever it prints: one turn of the event loop is short. */
import { Secret } from '@skolo/base/secrets';
import { longestTurn, slowness, tempDir } from '@skolo/base/testing';
import { DeviceRejected, HostKeys, openCli } from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import { fakeSwitch } from '../../transports/testing/fake-switch.ts';
import { startTcpServer } from '../../transports/testing/tcp-server.ts';
import { generic as facts } from './facts.ts';
import { genericDialect } from './generic.ts';

const usualPrompt = facts.options.prompt.parse(undefined);
const described: Parameters<typeof genericDialect>[0] = {
  prompt: usualPrompt,
  pagingOff: [],
  answers: [],
  rejected: [],
  logout: 'exit',
};
/** Of CPU time, on the reference computer: twice the limit, which a last attempt may exceed. */
const mostMs = 200;

type Serve = Parameters<typeof startTcpServer>[0];

async function signedIn(serve: Serve, own: Partial<typeof described> = {}) {
  const { port } = await startTcpServer(serve);
  const credentials = { username: 'admin', password: new Secret('right'), legacySsh: false };
  const target = { name: 'switch-1', address: '127.0.0.1', port, credentials };
  const hostKeys = new HostKeys(`${await tempDir()}/keys.json`);
  const { signal } = new AbortController();
  const dialect = genericDialect({ ...described, ...own });
  return await openCli(target, 'telnet', dialect, { hostKeys }, signal);
}

async function inShortTurns<T>(work: () => Promise<T>): Promise<T> {
  const result = Promise.withResolvers<T>();
  const { ms } = await longestTurn(() => work().then(result.resolve, result.reject));
  expect(ms / (await slowness())).toBeLessThan(mostMs);
  return await result.promise;
}

const line = '*Mar  1 00:00:00.123: %SYS-5-CONFIG_I: Configured from console by admin\r\n';

describe('the sign-in of described equipment', () => {
  it.each([
    ['log messages', line],
    ['empty lines', '\r\n'],
    ['frames', '#####\r\n'],
    ['words', 'a b c d e f\r\n'],
    ['times', '10:00:00 10:00:00 10:00:00\r\n'],
  ])('finds the prompt before and behind 4 KiB of %s in short turns', async (_what, text) => {
    const much = text.repeat(Math.ceil(4096 / text.length));
    const device = fakeSwitch({ name: 'sw1', banner: much });

    const cli = await inShortTurns(() => signedIn((socket) => device.serve(socket)));

    await cli.close();
  });

  it('finds a prompt before log messages that do not end', async () => {
    const device = fakeSwitch({ prompt: (mode) => `sw1${mode}\r\n${line.repeat(55)}` });

    const cli = await inShortTurns(() => signedIn((socket) => device.serve(socket)));

    await cli.close();
  });

  it.each([
    [String.raw`^(\w+\s?)*[>#]$`, `${'a'.repeat(60)}!\r\n`],
    [String.raw`^(?:[\w-]+ ?)+(?:\(.*\))* ?#$`, `${'sw-1 '.repeat(20)}\r\n%A-1-B: x\r\n`],
    ['(x+x+)+y', `${'x'.repeat(100)}\r\n`],
  ])('ends soon with an error that names the prompt %s', async (prompt, text) => {
    const serve: Serve = (socket) => socket.write(text.repeat(Math.ceil(4096 / text.length)));

    const error = await inShortTurns(() => signedIn(serve, { prompt }).catch((e: unknown) => e));

    expect(error).toBeInstanceOf(DeviceRejected);
    expect(String(error)).toContain('no prompt: the regular expression /');
    expect(String(error)).toContain(new RegExp(prompt).source);
  });

  it('ends soon if the answers to questions take long', async () => {
    const answers = Array.from({ length: 30 }, (_, n) => ({
      question: `^(${'\\w+\\s?'.repeat(2)})*${n}$`,
      answer: 'y',
    }));
    const serve: Serve = (socket) => socket.write('a'.repeat(200));

    const error = await inShortTurns(() => signedIn(serve, { answers }).catch((e: unknown) => e));

    expect(error).toBeInstanceOf(DeviceRejected);
    expect(String(error)).toContain('takes too long');
  });

  it('ends a command soon if error messages take long', async () => {
    const rejected = Array.from({ length: 20 }, (_, n) => `^(a+)+${n}$`);
    const answer = `${'a'.repeat(100)}\r\n`.repeat(9);
    const device = fakeSwitch({ name: 'sw1', answers: { show: answer } });
    const cli = await signedIn((socket) => device.serve(socket), { rejected });

    const { signal } = new AbortController();
    const error = await inShortTurns(() => cli.run('show', { signal }).catch((e: unknown) => e));

    expect(error).toBeInstanceOf(DeviceRejected);
    expect(String(error)).toContain('no answer to "show": the regular expression /^(a+)+');
    await cli.close();
  });
});
