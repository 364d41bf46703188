/** A configuration: the complete, exact bytes, or an error. */

import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { countRounds } from '@skolo/base/durable/fault-injection';
import { testSeed } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AnswerCut, DeviceRejected, DeviceTimeout, DeviceUnreachable } from '../errors.ts';
import type { CliSession } from '../session.ts';
import type { FakeIo, FakeSwitchOptions } from '../testing/fake-switch.ts';
import { failsWith, openFakeSwitch } from '../testing/sessions.ts';
import { soon } from '../testing/targets.ts';

const signal = soon();
const show = 'show running-config';
const prompt = '(UBNT EdgeSwitch) #';
const log = '<190> Jan  1 00:05:33 UBNT-1 TRAPMGR[trapTask]: traputil.c(721) 213 %% Link Up';

type Answer = string | ((io: FakeIo) => undefined);

function openSwitch(answer: Answer, options: FakeSwitchOptions = {}) {
  return openFakeSwitch({ ...options, answers: { [show]: answer, 'show b': 'B\r\n' } });
}

async function read(cli: CliSession, timeoutMs = 30_000): Promise<string> {
  return (await cli.read(show, { signal, timeoutMs })).toString('latin1');
}

const pauseMs = 300;

/**
 * A device that sends these pieces, and pauses wherever its prompt seems to appear. Input is answered at the end, as by a device with a
 * single task for its command line; a terminal may have echoed it before.
 */
function inPieces(pieces: readonly string[], hasEcho = false): Answer {
  return ({ stream, write, prompt: ready }) => {
    const hearing = stream.listeners('data');
    const typed: Buffer[] = [];
    const take = (bytes: Buffer) => {
      typed.push(bytes);
      if (hasEcho) write('\r\n');
    };
    const say = async () => {
      let said = '';
      for (const piece of pieces) {
        if (seemsToEnd(said)) await sleep(pauseMs);
        write(piece);
        said += piece;
      }
      stream.off('data', take);
      ready();
      for (const listener of hearing) stream.on('data', (bytes: Buffer) => listener(bytes));
      for (const bytes of typed) stream.emit('data', bytes);
    };
    stream.removeAllListeners('data');
    stream.on('data', take);
    void say();
    return undefined;
  };
}

function seemsToEnd(said: string): boolean {
  const lines = said.split('\r\n').filter((line) => line.trim() !== '' && line !== log);
  return lines.at(-1)?.trimEnd().endsWith(prompt) ?? false;
}

describe('a configuration', () => {
  it('comes byte for byte, also where it is no text', async () => {
    const odd = Array.from({ length: 128 }, (_, index) => String.fromCharCode(128 + index)).join(
      '',
    );
    const { cli } = await openSwitch(`\r\na\tb\r\n${odd}\r\nZ\xc3\xbcrich, voil\xc3\xa0\r\n\r\n`);

    expect(await read(cli)).toBe(`\na\tb\n${odd}\nZ\xc3\xbcrich, voil\xc3\xa0\n`);
  });

  it.each([
    ['CR LF', 'a\r\nb\r\nc\r\n', 'a\nb\nc'],
    ['CR CR LF', 'a\r\r\nb\r\r\nc\r\r\n', 'a\nb\nc'],
    ['LF', 'a\nb\nc\n', 'a\nb\nc'],
    ['LF CR', 'a\n\rb\n\rc\n\r', 'a\nb\nc'],
    ['CR NUL LF', 'a\r\0\nb\r\0\nc\r\0\n', 'a\nb\nc'],
    ['no line end after the last line', 'a\r\nb\r\nc', 'a\nb\nc'],
    ['what looks like log messages', `a\r\n${log}\r\nb\r\n`, `a\n${log}\nb`],
    ['returns, NULs and backspaces in a line', 'a\rb\0c\b\bd\x07\r\ne\r\n', 'a\rb\0c\b\bd\x07\ne'],
    [
      'escape sequences',
      'a \x1b[31mred\x1b[0m\x1bEb\x1b[2K\r\nc\r\n',
      'a \x1b[31mred\x1b[0m\x1bEb\x1b[2K\nc',
    ],
    ['a return at the end of a line', 'a\r\nb\r\r\nc\r\nd\r\n', 'a\nb\r\nc\nd'],
    [
      'a line that looks like a pager',
      'a\r\n--More-- or (q)uit\r\nb\r\n',
      'a\n--More-- or (q)uit\nb',
    ],
    ['nothing', '', ''],
    ['the prompt in a line', `a\r\n! ${prompt} x\r\nc\r\n`, `a\n! ${prompt} x\nc`],
  ])('may have %s', async (_what, said, wanted) => {
    const { cli } = await openSwitch(said);

    expect(await read(cli)).toBe(wanted);
    expect(await cli.run('show b', { signal })).toBe('B');
  });

  it('may be followed by other commands', async () => {
    const { cli } = await openSwitch('a\r\n');

    const answers = [await read(cli), await cli.run('show b', { signal }), await read(cli)];

    expect(answers).toEqual(['a', 'B', 'a']);
  });

  it('may be followed by log messages, before and after the empty line', async () => {
    const { cli } = await openSwitch(({ write, prompt: ready, stream }) => {
      write('a\r\nb\r\n');
      ready();
      stream.once('data', () => setImmediate(() => write(`\r\n${log}\r\n`)));
      return undefined;
    });

    expect(await read(cli)).toBe('a\nb');
  });

  it.each([
    ['ends a line', ['a\r\n', prompt, '\r\nb\r\n']],
    ['is in a line', ['a\r\n', prompt, ' is what it says\r\nb\r\n']],
    ['is followed by an empty line', ['a\r\n', prompt, '\r\n\r\nb\r\n']],
    ['is followed by itself', [`a\r\n${prompt}`, `\r\n${prompt}`, '\r\nb\r\n']],
    ['is there three times', [prompt, `\r\n${prompt}`, `\r\n${prompt}`, '\r\nb\r\n']],
  ])('is not cut where the prompt %s, and the device pauses there', async (_where, pieces) => {
    const { cli } = await openSwitch(inPieces(pieces));

    const asked = read(cli);

    await failsWith(
      asked,
      AnswerCut,
      'switch-1: more output followed an apparent prompt after "show running-config", so the output is incomplete',
    );
    expect(cli.isOpen()).toBe(false);
  });

  it('is all of it, or none, wherever the device pauses', async () => {
    const piece = fc.constantFrom('a', '\r\n', prompt, `\r\n${log}\r\n`, ' ', 'b\r\n');
    const devices = fc.array(fc.tuple(fc.array(piece, { maxLength: 6 }), fc.boolean()), {
      minLength: 5,
      maxLength: 5,
    });

    await fc.assert(
      fc.asyncProperty(devices, async (all) => {
        const seen = await Promise.all(
          all.map(async ([some, hasEcho]) => {
            const { cli } = await openSwitch(inPieces([...some, 'x\r\nend\r\n'], hasEcho));
            const answer = await read(cli).catch((error: unknown) => error);
            await cli.close();
            return answer;
          }),
        );

        for (const answer of seen) {
          if (answer instanceof Error) expect(answer).toBeInstanceOf(AnswerCut);
          else expect(answer).toMatch(/x\nend$/);
        }
      }),
      { numRuns: countRounds(2, 40), seed: testSeed() },
    );
  });
});

describe('a configuration that does not come', () => {
  it('may be nearly as long as the limit', async () => {
    const line = 'description of an interface that was never used, and never will be';
    const text = Array.from({ length: 49_000 }, (_, index) => `${index} ${line}`).join('\r\n');
    const { cli } = await openSwitch(`${text}\r\n`);

    const seen = await cli.read(show, { signal, timeoutMs: 60_000, idleMs: 5000 });

    expect(seen.equals(Buffer.from(text.replaceAll('\r', '')))).toBe(true);
  });

  it('is missed after a while without a word, and it is said what was waited for', async () => {
    const { cli } = await openSwitch(({ write }) => {
      write('hostname lab\r\nsnmp community lab-42\r\ninterf');
      return undefined;
    });

    const asked = cli.read(show, { signal, timeoutMs: 60_000, idleMs: 300 });

    await failsWith(
      asked,
      DeviceTimeout,
      String.raw`switch-1: no prompt after "show running-config": no data for 0.3 s; last output: "show running-config\nhostname lab\nsnmp community <secret>\ninterf"`,
    );
    expect(cli.isOpen()).toBe(false);
  });

  it('has its time, also where something comes all the time', async () => {
    const { cli } = await openSwitch(({ write, stream }) => {
      const timer = setInterval(() => write('x'), 50);
      stream.on('close', () => clearInterval(timer));
      onTestFinished(() => clearInterval(timer));
      return undefined;
    });

    const asked = cli.read(show, { signal, timeoutMs: 1000, idleMs: 900 });

    await failsWith(asked, DeviceTimeout, 'no prompt after "show running-config" within 1 s');
  });

  it('is missed where the device dies behind what looked like the prompt', async () => {
    const { cli } = await openSwitch(({ write, prompt: ready, stream }) => {
      write('a\r\n');
      ready();
      stream.removeAllListeners('data');
      return undefined;
    });

    const asked = cli.read(show, { signal, timeoutMs: 60_000, idleMs: 100 });

    await failsWith(
      asked,
      DeviceTimeout,
      'switch-1: no response to the empty line sent after "show running-config": no data for 4 s; nothing was received',
    );
  });

  it('is cut where the connection is, at any time', async () => {
    const { cli, server } = await openSwitch(({ write, prompt: ready, stream }) => {
      write('a\r\n');
      ready();
      stream.once('data', () => {
        for (const socket of server.sockets) socket.destroy();
      });
      return undefined;
    });

    await expect(read(cli)).rejects.toBeInstanceOf(DeviceUnreachable);
  });

  it('is not looked for in a flood for ever', async () => {
    let send = (stream: Duplex, text: string) => void stream.write(text, 'latin1');
    const { cli } = await openSwitch('a\r\n', { send: (stream, text) => send(stream, text) });
    send = (stream) => {
      stream.write(`${log}\r\n`.repeat(40_000));
      send = () => undefined;
    };

    const asked = cli.read(show, { signal, timeoutMs: 60_000, idleMs: 500 });

    await expect(asked).rejects.toThrow(
      'switch-1: no echo of "show running-config": no data for 0.5 s; last output: "',
    );
  });

  it('is no error text', async () => {
    const { cli } = await openSwitch('\r\n% Authorization failed.\r\n');

    await expect(read(cli)).rejects.toBeInstanceOf(DeviceRejected);
    expect(await cli.run('show b', { signal })).toBe('B');
  });
});
