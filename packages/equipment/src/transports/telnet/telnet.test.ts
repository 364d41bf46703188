import { pipeline } from 'node:stream/promises';
import { runs } from '@skolo/base/testing';
import { freeTcpPort } from '@skolo/simulators/free-port';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeviceTimeout, DeviceUnreachable } from '../errors.ts';
import { openCli } from '../session/open.ts';
import { fastpath } from '../testing/dialects.ts';
import { type FakeSwitchOptions, fakeSwitch } from '../testing/fake-switch.ts';
import { failsWith } from '../testing/sessions.ts';
import { password, user } from '../testing/ssh-server.ts';
import { deps, soon, target } from '../testing/targets.ts';
import { startTcpServer } from '../testing/tcp-server.ts';
import { Negotiation } from './negotiation.ts';

const [IAC, DONT, DO, WONT, WILL, SB, SE] = [255, 254, 253, 252, 251, 250, 240];
const [ECHO, STATUS, SGA, TTYPE, NAWS] = [1, 5, 3, 24, 31];
const signal = soon();

function heard(...packets: number[][]) {
  const negotiation = new Negotiation();
  const all = packets.map((bytes) => negotiation.parse(Uint8Array.from(bytes)));
  return {
    text: Buffer.concat(all.map(({ text }) => text)).toString('latin1'),
    reply: [...Buffer.concat(all.map(({ reply }) => reply))],
  };
}

describe('telnet', () => {
  it.each([
    ['lets the device echo', [IAC, WILL, ECHO], [IAC, DO, ECHO]],
    ['lets the device leave out go-aheads', [IAC, WILL, SGA], [IAC, DO, SGA]],
    ['leaves out go-aheads itself', [IAC, DO, SGA], [IAC, WILL, SGA]],
    ['rejects what the device offers else', [IAC, WILL, STATUS], [IAC, DONT, STATUS]],
    ['rejects what else it is asked for', [IAC, DO, ECHO], [IAC, WONT, ECHO]],
    [
      'says how wide the terminal is',
      [IAC, DO, NAWS],
      [IAC, WILL, NAWS, IAC, SB, NAWS, 1, IAC, IAC, 3, 232, IAC, SE],
    ],
    ['would say what the terminal is', [IAC, DO, TTYPE], [IAC, WILL, TTYPE]],
    [
      'says what the terminal is',
      [IAC, SB, TTYPE, 1, IAC, SE],
      [IAC, SB, TTYPE, 0, ...Buffer.from('vt100'), IAC, SE],
    ],
    [
      'agrees that something ends',
      [IAC, WILL, ECHO, IAC, WONT, ECHO],
      [IAC, DO, ECHO, IAC, DONT, ECHO],
    ],
    ['does not confirm what is agreed', [IAC, WILL, ECHO, IAC, WILL, ECHO], [IAC, DO, ECHO]],
    ['does not reject twice', [IAC, DO, ECHO, IAC, DO, ECHO], [IAC, WONT, ECHO]],
    ['does not respond to a no', [IAC, WONT, ECHO, IAC, DONT, NAWS], []],
    ['takes no notice of commands', [IAC, 241, IAC, 249], []],
  ])('%s', (_what, bytes, reply) => {
    expect(heard(bytes)).toEqual({ text: '', reply });
  });

  it('hears the text between, with byte 255 where it is doubled', () => {
    const bytes = [0x61, IAC, WILL, ECHO, 0x62, IAC, IAC, 0x63, IAC, SB, 200, 1, 2, IAC, SE, 0x64];

    expect(heard(bytes).text).toBe('ab\xffcd');
  });

  it('does not care how the bytes are cut', () => {
    const piece = fc.oneof(
      fc.constantFrom([IAC, IAC], [IAC, WILL, ECHO], [IAC, DO, NAWS], [IAC, SB, TTYPE, 1, IAC, SE]),
      fc.array(fc.nat(254), { maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece), fc.infiniteStream(fc.nat(4)), (pieces, sizes) => {
        const bytes = pieces.flat();
        const packets: number[][] = [];
        for (let at = 0; at < bytes.length; ) {
          const size = 1 + (sizes.next().value ?? 0);
          packets.push(bytes.slice(at, at + size));
          at += size;
        }

        expect(heard(...packets)).toEqual(heard(bytes));
      }),
      runs(500),
    );
  });
});

async function openTelnet(options: FakeSwitchOptions = {}, preamble: number[] = []) {
  const device = fakeSwitch({ login: { username: user, password }, ...options });
  const received: Buffer[] = [];
  const server = await startTcpServer((socket) => {
    socket.on('data', (bytes) => received.push(bytes));
    socket.write(Buffer.from(preamble));
    device.serve(socket);
  });
  const cli = await openCli(target(server.port), 'telnet', fastpath, await deps(), signal);
  return { cli, received, server };
}

describe('a command line over telnet', () => {
  it('ends lines as RFC 854 wants it, and says no password twice', async () => {
    const { cli, received } = await openTelnet();

    await cli.close();

    expect(Buffer.concat(received).toString('latin1')).toBe(
      `${user}\r\0${password}\r\0\r\0enable\r\0terminal length 0\r\0logout\r\0`,
    );
  });

  it('is not disturbed by negotiation in the middle of an answer', async () => {
    const { cli } = await openTelnet(
      {
        answers: {
          'show a': ({ stream, write, prompt }) => {
            write('on');
            stream.write(Buffer.from([IAC, DO]));
            stream.write(Buffer.from([STATUS]));
            write('e\r\n');
            prompt();
            return undefined;
          },
        },
      },
      [IAC, WILL, ECHO, IAC, DO, NAWS, IAC, DO, TTYPE],
    );

    expect(await cli.run('show a', { signal })).toBe('one');
    await cli.close();
  });

  it('ends when the device cuts the connection', async () => {
    const { cli } = await openTelnet({
      answers: {
        'show a': ({ stream }) => {
          stream.write('on');
          stream.destroy();
          return undefined;
        },
      },
    });

    await expect(cli.run('show a', { signal })).rejects.toBeInstanceOf(DeviceUnreachable);
  });

  it('ends where the device negotiates without end', async () => {
    // Each pair is answered, and none of it counts as text.
    const pairs = Buffer.from([IAC, WILL, ECHO, IAC, WONT, ECHO]);
    const flood = Buffer.alloc(pairs.length * 10_000, pairs);
    let sent = 0;
    function* endless() {
      for (; sent < 256 * 1024 * 1024; sent += flood.length) yield flood;
    }
    const server = await startTcpServer((socket) => {
      pipeline(endless(), socket.resume()).catch(() => undefined);
    });

    const opened = openCli(target(server.port), 'telnet', fastpath, await deps(), signal);

    await expect(opened).rejects.toThrow('switch-1: sends too much besides its output');
    // The rest is in the kernel's buffers.
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it('is not there where nothing listens', async () => {
    const opened = openCli(target(await freeTcpPort()), 'telnet', fastpath, await deps(), signal);

    await expect(opened).rejects.toThrow('nothing is listening there (connection refused)');
  });

  it('is not there where nobody says a word', async () => {
    const server = await startTcpServer((socket) => socket.resume());
    const impatient = await deps({ signInMs: 200 });

    const opened = openCli(target(server.port), 'telnet', fastpath, impatient, signal);

    await failsWith(
      opened,
      DeviceTimeout,
      'switch-1: no prompt within 0.2 s; nothing was received',
    );
  });

  it('is given up when somebody says so', async () => {
    const server = await startTcpServer((socket) => socket.resume());
    const stop = new AbortController();

    const opened = openCli(target(server.port), 'telnet', fastpath, await deps(), stop.signal);
    stop.abort(new Error('enough'));

    await expect(opened).rejects.toThrow('enough');
  });
});
