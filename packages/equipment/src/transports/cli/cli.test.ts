import type { Duplex } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { DeviceRejected, DeviceTimeout, DeviceUnreachable } from '../errors.ts';
import { openSsh, startSwitch } from '../testing/edge-switch.ts';
import { failsWith, openFakeSwitch } from '../testing/sessions.ts';
import { password } from '../testing/ssh-server.ts';
import { soon } from '../testing/targets.ts';

const signal = soon();

async function openEdgeSwitch(options: { ports?: number } = {}) {
  const device = await startSwitch(options);
  return { device, cli: await openSsh(device.port) };
}

describe('a command line', () => {
  it('gives the answer of a command, and signs out', async () => {
    const { cli, device, server } = await openFakeSwitch({
      answers: { 'show clock': 'line 1\r\nline 2\r\n' },
    });

    const answer = await cli.run('show clock', { signal });
    await cli.close();

    expect(answer).toBe('line 1\nline 2');
    expect(device.commands).toEqual(['enable', 'terminal length 0', 'show clock', 'logout']);
    expect(cli.isOpen()).toBe(false);
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it('goes through the modes of a switch', async () => {
    const { cli, device } = await openEdgeSwitch();

    const answers = [];
    for (const command of [
      'configure',
      'interface 0/3',
      'poe opmode shutdown',
      'exit',
      'exit',
      'show poe status 0/3',
    ]) {
      answers.push(await cli.run(command, { signal }));
    }

    expect(answers.slice(0, -1).map((answer) => answer.trim())).toEqual(['', '', '', '', '']);
    expect(answers.at(-1)).toMatch(/^0\/3 +Disabled +Unknown +0\.00 /m);
    expect(device.board.isOn('3')).toBe(false);
  });

  it('answers one after the other what is asked at once', async () => {
    const { cli } = await openFakeSwitch({
      answers: { 'show a': 'A\r\n', 'show b': 'B\r\n', 'show c': 'C\r\n' },
    });

    const asked = ['show a', 'show b', 'show c'].map((command) => cli.run(command, { signal }));

    expect(await Promise.all(asked)).toEqual(['A', 'B', 'C']);
  });

  it('does not save what is not saved when it signs out', async () => {
    const { cli, device } = await openEdgeSwitch();
    for (const command of ['configure', 'interface 0/3', 'poe opmode shutdown', 'exit', 'exit']) {
      await cli.run(command, { signal });
    }

    await cli.close();
    await device.reboot();

    expect(device.received.at(-1)?.text).toBe('logout');
    expect(device.board.isOn('3')).toBe(true);
  });

  it('turns the pages of a device whose pager stays', async () => {
    const { cli, device } = await openEdgeSwitch({ ports: 48 });
    const whole = await cli.run('show poe status all', { signal });
    await cli.close();
    device.faults.set('pager-stays');
    const paged = await openSsh(device.port);

    const answer = await paged.run('show poe status all', { signal });

    expect(answer).toBe(whole);
    expect(answer.match(/^0\//gm)).toHaveLength(48);
    expect(await paged.run('show poe status 0/48', { signal })).toContain('0/48');
  });

  it('says what the device rejects', async () => {
    const { cli } = await openEdgeSwitch();

    const rejected = cli.run('show nonsense', { signal });

    await failsWith(
      rejected,
      DeviceRejected,
      `switch-1: rejects "show nonsense": % Invalid input detected at '^' marker.`,
    );
    expect(await cli.run('show poe status 0/1', { signal })).toContain('0/1');
  });

  it.each(['show a\rshow b', 'show a\n', 'show \x03a'])(
    'does not send what is more than a line: %j',
    async (command) => {
      const { cli, device } = await openFakeSwitch();

      await expect(cli.run(command, { signal })).rejects.toBeInstanceOf(RangeError);

      expect(device.commands).toEqual(['enable', 'terminal length 0']);
    },
  );

  it('keeps bytes that are no UTF-8', async () => {
    const { cli } = await openFakeSwitch({
      answers: {
        'show a': 'Z\xfcrich\r\n',
        'show b': 'Z\xc3\xbcrich\r\n',
        'show Z\xc3\xbcrich': 'it\r\n',
      },
    });

    expect(await cli.run('show a', { signal })).toBe('Zürich');
    expect(await cli.run('show b', { signal })).toBe('Zürich');
    expect(await cli.run('show Zürich', { signal })).toBe('it');
  });

  it('waits for the prompt behind a pause and a line that ends like one', async () => {
    const { cli } = await openFakeSwitch({
      answers: {
        'show a': ({ write, prompt }) => {
          write('old (UBNT EdgeSwitch) #');
          setTimeout(() => {
            write(' is not the end\r\n');
            prompt();
          }, 100);
          return undefined;
        },
      },
    });

    expect(await cli.run('show a', { signal })).toBe('old (UBNT EdgeSwitch) # is not the end');
  });

  it('believes a prompt behind a line without its end', async () => {
    const { cli } = await openFakeSwitch({ answers: { 'show a': '100 %' } });

    expect(await cli.run('show a', { signal })).toBe('100 %');
  });

  it('is not confused by log messages, in an answer or behind the prompt', async () => {
    const log =
      '<190> Jan  1 00:05:33 UBNT-1 TRAPMGR[trapTask]: traputil.c(721) 213 %% Link Up\r\n';
    const { cli } = await openFakeSwitch({
      answers: {
        'show a': `one\r\n${log}two\r\n`,
        'show b': ({ write, prompt }) => {
          write('three\r\n');
          prompt();
          write(`\r\n${log}`);
          return undefined;
        },
      },
    });

    expect(await cli.run('show a', { signal })).toBe('one\ntwo');
    expect(await cli.run('show b', { signal })).toBe('three');
    expect(await cli.run('show a', { signal })).toBe('one\ntwo');
  });
});

describe('a command line that fails', () => {
  it('says what was waited for and what came last, without secrets, and ends', async () => {
    const { cli, server } = await openFakeSwitch({
      answers: {
        'show a': ({ write }) => {
          write(`user ubnt ${password}\r\nsnmp community lab-42\r\nand then`);
          return undefined;
        },
      },
    });

    const asked = cli.run('show a', { signal, timeoutMs: 300 });

    await failsWith(
      asked,
      DeviceTimeout,
      String.raw`switch-1: no prompt after "show a" within 0.3 s; last output: "show a\nuser ubnt <secret>\nsnmp community <secret>\nand then"`,
    );
    expect(cli.isOpen()).toBe(false);
    await expect(cli.run('show a', { signal })).rejects.toBeInstanceOf(DeviceUnreachable);
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it('says so when the device wedges', async () => {
    const { cli, device } = await openEdgeSwitch();

    device.faults.set('wedged');

    await expect(cli.run('show poe status 0/1', { signal, timeoutMs: 300 })).rejects.toThrow(
      'switch-1: no echo of "show poe status 0/1" within 0.3 s; nothing was received',
    );
  });

  it.each(['drops-mid-way', 'down'] as const)('says so when the device %s', async (fault) => {
    const { cli, device } = await openEdgeSwitch();

    device.faults.set(fault);

    const asked = cli.run('show poe status all', { signal });
    await failsWith(
      asked,
      DeviceUnreachable,
      /closed the connection|was cut|was interrupted|was reset/,
    );
    expect(cli.isOpen()).toBe(false);
  });

  it('does not take garbage for an answer that it is not', async () => {
    const { cli, device } = await openEdgeSwitch();

    device.faults.set('garbled');
    const answer = await cli.run('show poe status 0/1', { signal, timeoutMs: 2000 }).catch(String);

    expect(answer).not.toContain('Good');
  });

  it('stops when it is told to, and is of no more use then', async () => {
    const { cli } = await openFakeSwitch({ answers: { 'show a': () => undefined } });
    const stop = new AbortController();

    const asked = cli.run('show a', { signal: stop.signal });
    stop.abort(new Error('enough'));

    await expect(asked).rejects.toThrow('enough');
    expect(cli.isOpen()).toBe(false);
  });

  it('gives up an answer that has no end', async () => {
    const { cli } = await openFakeSwitch({
      answers: {
        'show a': ({ stream }) => {
          void flood(stream);
          return undefined;
        },
      },
    });

    const asked = cli.run('show a', { signal, timeoutMs: 50_000 });

    await expect(asked).rejects.toThrow('switch-1: the output exceeds 1 MiB');
    expect(cli.isOpen()).toBe(false);
  });

  it('is closed soon, also while the device has yet to answer', async () => {
    const { cli, server } = await openFakeSwitch({ answers: { 'show a': () => undefined } });
    const asked = cli.run('show a', { signal, timeoutMs: 50_000 });
    const ended = expect(asked).rejects.toThrow('switch-1: the session is closed');

    await cli.close();

    await ended;
    await vi.waitFor(() => expect(server.sockets.size).toBe(0));
  });

  it('knows that it ended while nobody asked', async () => {
    const { cli, server } = await openFakeSwitch();

    for (const socket of server.sockets) socket.destroy();

    await vi.waitFor(() => expect(cli.isOpen()).toBe(false));
    await expect(cli.run('show a', { signal })).rejects.toBeInstanceOf(DeviceUnreachable);
    await cli.close();
  });
});

async function flood(stream: Duplex) {
  const line = `${'x'.repeat(1022)}\r\n`.repeat(64);
  while (!stream.destroyed && stream.writable) {
    if (!stream.write(line)) await new Promise<unknown>((resolve) => stream.once('drain', resolve));
  }
}
