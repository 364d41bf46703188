/** A real ssh server that repeats what a device once printed, byte by byte. It knows nothing about devices. */
import ssh2, { type ServerChannel } from 'ssh2';
import { Listener } from '../../listener.ts';
import type { Account } from './accounts.ts';
import { hostKey as makeHostKey } from './host-key.ts';

interface Recording {
  /** Printed at the start of a session, and before which no command is accepted; ends with the prompt. */
  greeting: string;
  /** What the device printed in response to a command, including its echo and the next prompt; undefined: it is not recorded. */
  answer(command: string): string | undefined;
  /** Printed in response to all other commands, after the echo; then the prompt. */
  rejection: string;
}

interface RecordedDevice {
  host: string;
  port: number;
  hostKey: string;
  /** The commands, in order. */
  received: string[];
  close(): Promise<void>;
}

/** Each command may also be run in a channel of its own, where there is neither echo nor prompt. */
export async function startRecording(
  { greeting, answer, rejection }: Recording,
  { username, password }: Account,
): Promise<RecordedDevice> {
  const { key, fingerprint } = makeHostKey(undefined, 'ed25519');
  const prompt = greeting.slice(greeting.lastIndexOf('\n') + 1);
  const received: string[] = [];
  const raw = (text: string) => text.replace(/\r?\n/g, '\r\n');
  const answerTo = (command: string) => {
    received.push(command);
    return answer(command) ?? `${command}\n${rejection}\n${prompt}`;
  };

  function shell(channel: ServerChannel): void {
    let typed = '';
    channel.write(raw(greeting));
    channel.on('data', (bytes: Buffer) => {
      typed += bytes.toString('latin1');
      for (;;) {
        const [line, command = ''] = /^(.*?)(?:\r\n?|\n)/.exec(typed) ?? [];
        if (line === undefined) return;
        typed = typed.slice(line.length);
        if (/^(?:exit|quit|logout)$/.test(command)) channel.end();
        else channel.write(command === '' ? raw(`\n${prompt}`) : raw(answerTo(command)));
      }
    });
  }

  function exec(channel: ServerChannel, command: string): void {
    const lines = answerTo(command).split('\n');
    channel.write(`${lines.slice(1, -1).join('\n')}\n`);
    channel.exit(0);
    channel.end();
  }

  const server = new ssh2.Server({ hostKeys: [key] }, (connection) => {
    connection.on('error', () => {});
    connection.on('authentication', (context) => {
      const isRight = context.method === 'password' && context.password === password;
      if (context.username === username && isRight) context.accept();
      else context.reject(['password']);
    });
    connection.on('session', (accept) => {
      const session = accept();
      session.on('pty', (acceptPty) => acceptPty?.());
      session.on('shell', (acceptShell) => shell(acceptShell()));
      session.on('exec', (acceptExec, _reject, { command }) => exec(acceptExec(), command));
    });
  });
  const listener = new Listener('127.0.0.1', 0, (socket) => server.injectSocket(socket));
  await listener.open();
  const { port } = listener;
  return { host: '127.0.0.1', port, hostKey: fingerprint, received, close: () => listener.close() };
}
