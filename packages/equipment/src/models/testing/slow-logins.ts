/** Logins that take their time: a device keeps what was typed ahead, which answers its next question. */

import { createServer, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { Secret } from '@skolo/base/secrets';
import { listen, tempDir } from '@skolo/base/testing';
import { type Dialect, HostKeys, openCli } from '@skolo/equipment/transports';
import { vi } from 'vitest';
import { ciscoIos } from '../cisco-ios/dialect.ts';
import { eos } from '../eos/eos.ts';
import { fastpath } from '../families/fastpath/fastpath.ts';
import { linuxShell } from '../families/unix/linux-shell.ts';
import { vyatta } from '../families/vyatta/dialect.ts';
import { frr } from '../frr/dialect.ts';
import { genericDialect } from '../generic/generic.ts';
import { nxos } from '../nxos/nxos.ts';
import { procurve } from '../procurve/procurve.ts';

export const generic = genericDialect({
  prompt: String.raw`^[\w-]+[>#]$`,
  pagingOff: [],
  answers: [],
  rejected: [],
  logout: 'exit',
});

/** With the prompt of the privileged mode. */
export const devices: [Dialect, string][] = [
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

export const beginnings: Record<string, Beginning> = {
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
export type Delays = readonly [number, number, number];

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

/** Signs in, in simulated time unless it is real, over real sockets. Returns the passwords that the device received. */
export async function signIn(
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
