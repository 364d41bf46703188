/** A small ssh server whose terminal and commands are defined by a test. */
import { createHash } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import ssh2, {
  type Algorithms,
  type AuthContext,
  type ServerChannel,
  type ServerConnectionListener,
} from 'ssh2';
import { onTestFinished } from 'vitest';

interface SshServerOptions {
  /** Decides whether this may sign in. */
  auth?: (context: AuthContext) => void;
  shell?: (channel: ServerChannel) => void;
  exec?: (command: string, channel: ServerChannel) => void;
  algorithms?: Algorithms;
  hostKey?: string;
  port?: number;
  connection?: ServerConnectionListener;
}

export const user = 'ubnt';
export const password = 'right';

let rsaKey: string | undefined;
/** One for all tests of a file, because generating keys takes a while. */
export function testHostKey(): string {
  rsaKey ??= ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 }).private;
  return rsaKey;
}

/** ssh2 1.17 generates 1 of 256 keys in an unreadable format. */
export function newKeyPair(): { private: string; public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

export function newHostKey(): string {
  return newKeyPair().private;
}

export function fingerprintOf(hostKey: string): string {
  const parsed = ssh2.utils.parseKey(hostKey);
  if (parsed instanceof Error) throw parsed;
  return `SHA256:${createHash('sha256').update(parsed.getPublicSSH()).digest('base64').replace(/=+$/, '')}`;
}

interface SshServer {
  port: number;
  hostKey: string;
  /** Sign-ins that succeeded. */
  signIns: number;
  /** Currently open sockets. */
  sockets: Set<Socket>;
  close(): Promise<void>;
}

/** Closed at the end of the test. */
export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const { auth = byPassword, shell, exec, algorithms, port = 0, connection } = options;
  const hostKey = options.hostKey ?? testHostKey();
  const sockets = new Set<Socket>();
  const server = new ssh2.Server({ hostKeys: [hostKey], ...(algorithms && { algorithms }) });
  const state: SshServer = { port: 0, hostKey, signIns: 0, sockets, close };

  server.on('connection', (client, info) => {
    connection?.(client, info);
    client.on('error', () => undefined);
    client.on('authentication', auth);
    client.on('ready', () => {
      state.signIns += 1;
    });
    client.on('session', (accept) => {
      const session = accept();
      session.on('error', () => undefined);
      session.on('pty', (acceptPty) => acceptPty?.());
      if (shell) session.on('shell', (acceptShell) => shell(acceptShell()));
      if (exec) {
        session.on('exec', (acceptExec, _reject, info) => exec(info.command, acceptExec()));
      }
    });
  });
  // ssh2's server does not expose its sockets.
  const net = (server as unknown as { _srv: import('node:net').Server })._srv;
  net.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });

  async function close() {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  onTestFinished(close);
  state.port = (server.address() as AddressInfo).port;
  return state;
}

function byPassword(context: AuthContext) {
  if (context.method === 'password' && context.username === user && context.password === password) {
    context.accept();
  } else {
    context.reject(['password']);
  }
}
