/** A real ssh server with one account, for what was recorded: a shell, and commands in channels of their own. */
import ssh2, { type ServerChannel } from 'ssh2';
import { Listener } from '../../listener.ts';
import type { Account } from './accounts.ts';
import { hostKey as makeHostKey } from './host-key.ts';

interface Answers {
  shell(channel: ServerChannel): void;
  /** Undefined: the command is rejected. */
  exec(command: string): { output: string | Buffer; status: number } | undefined;
}

export async function startShellServer(
  { username, password }: Account,
  { shell, exec }: Answers,
): Promise<{ host: string; port: number; hostKey: string; close(): Promise<void> }> {
  const { key, fingerprint } = makeHostKey(undefined, 'ed25519');
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
      session.on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        const { output, status } = exec(command) ?? { output: '', status: 127 };
        channel.write(output);
        channel.exit(status);
        channel.end();
      });
    });
  });
  const listener = new Listener('127.0.0.1', 0, (socket) => server.injectSocket(socket));
  await listener.open();
  const { port } = listener;
  return { host: '127.0.0.1', port, hostKey: fingerprint, close: () => listener.close() };
}
