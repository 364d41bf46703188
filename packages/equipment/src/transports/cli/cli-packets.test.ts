import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { countRounds, isLong } from '@skolo/base/durable/fault-injection';
import { processorTime, testSeed } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCli } from '../session/open.ts';
import { fastpath } from '../testing/dialects.ts';
import { fakeSwitch } from '../testing/fake-switch.ts';
import { openFakeSwitch } from '../testing/sessions.ts';
import { password } from '../testing/ssh-server.ts';
import { deps, soon, target } from '../testing/targets.ts';
import { startTcpServer } from '../testing/tcp-server.ts';

const signal = soon();

describe('however the bytes are cut', () => {
  const lines = Array.from(
    { length: 12 },
    (_, index) => `${' '.repeat(index % 3)}line ${index} # >`,
  );

  it('the answers are the same', async () => {
    let cuts: number[] = [];
    const { cli } = await openFakeSwitch({
      pagerStays: true,
      pageLength: 5,
      answers: { 'show a': `\r\n${lines.join('\r\n')}\r\n`, 'show b': `\x1b[1mB\x1b[0m\r\n` },
      send: inPieces(() => cuts),
    });

    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(30), { minLength: 1, maxLength: 8 }), async (pieces) => {
        cuts = pieces.map((piece) => piece + 1);

        expect(await cli.run('show a', { signal })).toBe(`\n${lines.join('\n')}`);
        expect(await cli.run('show b', { signal })).toBe('B');
      }),
      { numRuns: countRounds(15, 300), seed: testSeed() },
    );
  });

  it('one byte at a time is no worse', async () => {
    const { cli } = await openFakeSwitch({
      pageLength: 5,
      pagerStays: true,
      banner: '\r\nWelcome to (UBNT EdgeSwitch) #\r\n\r\n',
      answers: { 'show a': `${lines.join('\r\n')}\r\n` },
      enablePassword: password,
      send: inPieces(() => [1]),
    });

    expect(await cli.run('show a', { signal })).toBe(lines.join('\n'));
  });

  it('a long answer, one byte at a time, is still read', async () => {
    const rows = Array.from(
      { length: isLong ? 19_000 : 200 },
      (_, index) => `10 b827.eb00.${String(index).padStart(4, '0')} 0/1`,
    );
    const { cli } = await openFakeSwitch({
      answers: { 'show a': `${rows.join('\r\n')}\r\n` },
      send: inPieces(() => [1]),
    });

    const seen = await cli.run('show a', { signal, timeoutMs: 900_000 });

    expect(seen.split('\n')).toEqual(rows);
  });

  it('escape sequences one byte at a time take little CPU time', async () => {
    const answer = '\x1b[0mx'.repeat(12_000);
    const server = await startTcpServer((socket) => {
      const send = inPieces(() => [1]);
      fakeSwitch({ answers: { 'show a': `${answer}\r\n` }, send }).serve(socket);
    });
    const cli = await openCli(target(server.port), 'telnet', fastpath, await deps(), signal);

    const { ms, result } = await processorTime(5000, () =>
      cli.run('show a', { signal, timeoutMs: 900_000 }),
    );

    expect(result).toBe('x'.repeat(12_000));
    // The line would otherwise be played again for each byte, which takes 12 s.
    expect(ms).toBeLessThan(5000);
  });

  it('a pause in the middle of a prompt is no end', async () => {
    const { cli } = await openFakeSwitch({
      answers: { 'show a': 'A\r\n' },
      send: (stream, text) => {
        const at = text.indexOf(') #');
        if (at < 0) {
          stream.write(text, 'latin1');
          return;
        }
        stream.write(text.slice(0, at), 'latin1');
        void sleep(60).then(() => stream.write(text.slice(at), 'latin1'));
      },
    });

    expect(await cli.run('show a', { signal })).toBe('A');
  });
});

/** Writes pieces of these lengths in turn, in separate packets. */
function inPieces(lengths: () => number[]): (stream: Duplex, text: string) => void {
  let last: Promise<unknown> = Promise.resolve();
  return (stream, text) => {
    const sizes = lengths();
    last = last.then(async () => {
      for (let at = 0, turn = 0; at < text.length; turn += 1) {
        const size = sizes[turn % sizes.length] ?? 1;
        stream.write(text.slice(at, at + size), 'latin1');
        at += size;
        await new Promise(setImmediate);
      }
    });
  };
}
