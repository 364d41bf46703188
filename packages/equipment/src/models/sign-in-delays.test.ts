/**
 * Login servers that are slow or down: a device keeps what was typed ahead, so an empty line would be taken for the password that it asks
 * for next. Simulated time, real sockets.
 */

import { createServer, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { isLong, onlyLong } from '@skolo/base/durable/fault-injection';
import { Secret } from '@skolo/base/secrets';
import { listen, tempDir } from '@skolo/base/testing';
import { type Dialect, HostKeys, openCli } from '@skolo/equipment/transports';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ciscoIos } from './cisco-ios/dialect.ts';
import { eos } from './eos/eos.ts';
import { fastpath } from './families/fastpath/fastpath.ts';
import { linuxShell } from './families/unix/linux-shell.ts';
import { vyatta } from './families/vyatta/dialect.ts';
import { frr } from './frr/dialect.ts';
import { genericDialect } from './generic/generic.ts';
import { nxos } from './nxos/nxos.ts';
import { procurve } from './procurve/procurve.ts';

const generic = genericDialect({
  prompt: String.raw`^[\w-]+[>#]$`,
  pagingOff: [],
  answers: [],
  rejected: [],
  logout: 'exit',
});

/** With the prompt of the privileged mode. */
const devices: [Dialect, string][] = [
  [ciscoIos, 'core1#'],
  [nxos, 'core1#'],
  [eos, 'core1#'],
  [fastpath, '(core1) #'],
  [frr, 'core1#'],
  [linuxShell, 'root@core1:~#'],
  [vyatta, 'admin@core1:~$'],
  [procurve, 'core1#'],
  [generic, 'core1#'],
];

interface Beginning {
  banner: string;
  waitsForKey?: true;
  /** Whether it asks again if the name is empty; otherwise it asks for the password. */
  asksAgain: boolean;
}

const beginnings: Record<string, Beginning> = {
  nothing: { banner: '', asksAgain: false },
  'a banner': { banner: '\r\nUser Access Verification\r\n\r\n', asksAgain: true },
  'numbered rules': { banner: '\r\n1. Wipe.\r\n2. Knock.\r\n3. Leave.\r\n', asksAgain: false },
  'a request for a key': {
    banner: '\r\nPress RETURN to get started.\r\n',
    waitsForKey: true,
    asksAgain: true,
  },
};

/** Seconds before the question for the name, before that for the password, and before the prompt. */
type Delays = readonly [number, number, number];

const someDelays: Delays[] = [
  [0, 2.5, 0],
  [20, 4.5, 4.5],
  [3, 0, 20],
  [2.1, 12, 2.1],
];
const seconds = [0, 0.5, 2.1, 4.5, 9, 20];
const allDelays = seconds.flatMap((a) =>
  seconds.flatMap((b) => seconds.map((c): Delays => [a, b, c])),
);

/** A command line behind a login. What is typed ahead answers the next question. */
function serve(socket: Socket, prompt: string, begin: Beginning, delays: Delays, given: string[]) {
  const early: string[] = [];
  let line = '';
  let waiting: ((line: string) => void) | undefined;
  const after = (index: number, then: () => void) => setTimeout(then, (delays[index] ?? 0) * 1000);
  const ask = (question: string, then: (line: string) => void) => {
    socket.write(question);
    const typed = early.shift();
    if (typed === undefined) waiting = then;
    else then(typed);
  };
  const askName = () =>
    ask('Username: ', (name) => {
      if (name === '' && begin.asksAgain) askName();
      else after(1, askPassword);
    });
  const askPassword = () =>
    ask('\r\nPassword: ', (word) => {
      given.push(word);
      socket.write('\r\n');
      after(2, askCommand);
    });
  const askCommand = () =>
    ask(`${prompt} `, (command) => {
      socket.write(`${command}\r\n`);
      askCommand();
    });
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    const text = bytes.toString('latin1').replace(/\xff\xfa.*?\xff\xf0|\xff[\xfb-\xfe]./gs, '');
    for (const sign of text.replaceAll('\0', '')) {
      if (sign !== '\r') {
        line += sign;
        continue;
      }
      const then = waiting;
      waiting = undefined;
      if (then === undefined) early.push(line);
      else then(line);
      line = '';
    }
  });
  if (begin.waitsForKey) ask(begin.banner, () => after(0, askName));
  else {
    socket.write(begin.banner);
    after(0, askName);
  }
}

async function signIn(
  dialect: Dialect,
  prompt: string,
  begin: Beginning,
  delays: Delays,
  { isRealTime = false } = {},
) {
  const given: string[] = [];
  const server = createServer({ noDelay: true }, (socket) =>
    serve(socket, prompt, begin, delays, given),
  );
  const target = {
    name: 'core1',
    address: '127.0.0.1',
    port: await listen(server),
    credentials: {
      username: 'admin',
      password: new Secret('right'),
      legacySsh: false,
      signInSeconds: 90,
    },
  };
  const hostKeys = new HostKeys(`${await tempDir()}/keys.json`);
  const { signal } = new AbortController();
  if (!isRealTime) vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  let result: string | undefined;
  const opened = openCli(target, 'telnet', dialect, { hostKeys }, signal)
    .then(
      (cli) => cli.close().then(() => 'signed in'),
      (error: unknown) => String(error),
    )
    .then((text) => {
      result = text;
    });
  while (!isRealTime && result === undefined) {
    await vi.advanceTimersByTimeAsync(50);
    await setImmediate();
  }
  await opened;
  vi.useRealTimers();
  return { result, given };
}

afterEach(() => {
  vi.useRealTimers();
});

describe.each(Object.entries(beginnings))('a login that begins with %s', (_name, begin) => {
  it.each(devices)('of $name is given one password', async (dialect, prompt) => {
    for (const delays of isLong ? allDelays : someDelays) {
      const { result, given } = await signIn(dialect, prompt, begin, delays);

      expect({ given, result, delays }).toEqual({ given: ['right'], result: 'signed in', delays });
    }
  });
});

/** What a simulated clock may hide. */
const realPairs: { dialect: Dialect; prompt: string; name: string; delays: Delays }[] = [
  { dialect: ciscoIos, prompt: 'core1#', name: 'a banner', delays: [0, 0, 20] },
  { dialect: fastpath, prompt: '(core1) #', name: 'nothing', delays: [20, 3, 3] },
  { dialect: procurve, prompt: 'core1#', name: 'a request for a key', delays: [0, 20, 0] },
  { dialect: linuxShell, prompt: 'root@core1:~#', name: 'a banner', delays: [2.1, 12, 2.1] },
  { dialect: generic, prompt: 'core1#', name: 'numbered rules', delays: [4.5, 4.5, 12] },
];
describe.skipIf(onlyLong)('in real time', () => {
  it.concurrent.each(realPairs)(
    '$dialect.name is given one password',
    async ({ dialect, prompt, name, delays }) => {
      const begin = beginnings[name] ?? expect.fail(name);

      const { result, given } = await signIn(dialect, prompt, begin, delays, { isRealTime: true });

      expect({ given, result }).toEqual({ given: ['right'], result: 'signed in' });
    },
  );
});
