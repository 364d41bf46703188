/** The ssh side of a device: who may sign in and how, and which kinds of channel there are. */

import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2, {
  type Algorithms,
  type AuthContext,
  type Connection,
  type PseudoTtyInfo,
  type ServerChannel,
} from 'ssh2';
import type { Accounts } from './accounts.ts';
import { type Core, Session } from './core.ts';
import type { CliModel, SignInMethod } from './model.ts';
import { askNewPassword, signIn } from './sign-in.ts';
import { HungUp, type Line, Terminal } from './terminal.ts';

/** What is left to choose from on devices of that age; clients have to be told to accept it, and prefer the longer group. */
export const legacyAlgorithms: Algorithms = {
  kex: ['diffie-hellman-group14-sha1', 'diffie-hellman-group1-sha1'],
  serverHostKey: ['ssh-rsa'],
  cipher: ['aes128-cbc'],
  hmac: ['hmac-sha1'],
};

/** From the last bytes of a connection to its loss. */
const DROP_MS = 20;

interface SshEndpoint {
  core: Core;
  model: CliModel;
  accounts: Accounts;
  methods: readonly SignInMethod[];
  banner: string;
  hostKey: string;
  algorithms: Algorithms | undefined;
}

/** The answer takes connections. */
export function createSsh(endpoint: SshEndpoint): (socket: Socket) => void {
  const { hostKey, banner, algorithms, model } = endpoint;
  const server = new ssh2.Server({
    hostKeys: [hostKey],
    ...(model.ident !== undefined && { ident: model.ident }),
    ...(banner !== '' && { banner }),
    ...(algorithms && { algorithms }),
  });
  let arriving: Socket;
  server.on('connection', (connection: Connection) =>
    new SshClient(connection, arriving, endpoint).serve(),
  );
  return (socket) => {
    // The library hands over the connection, not its socket, while this call lasts.
    arriving = socket;
    server.injectSocket(socket);
  };
}

/** One client, from its sign-in on. */
class SshClient {
  private readonly connection: Connection;
  private readonly socket: Socket;
  private readonly endpoint: SshEndpoint;
  private user = '';
  private signedInBy: SignInMethod | undefined;
  private signedOut = () => {};

  constructor(connection: Connection, socket: Socket, endpoint: SshEndpoint) {
    this.connection = connection;
    this.socket = socket;
    this.endpoint = endpoint;
  }

  serve(): void {
    const { connection } = this;
    const { core, model } = this.endpoint;
    connection.on('authentication', (context) => void this.judge(context));
    connection.on('ready', () => {
      if (this.signedInBy !== 'none') this.signedOut = core.signedIn();
    });
    connection.on('close', () => this.signedOut());
    connection.on('error', () => {});
    connection.on('session', (accept) => {
      const channels = accept();
      let pty: PseudoTtyInfo | undefined;
      channels.on('pty', (acceptPty, _reject, info) => {
        pty = info;
        acceptPty?.();
      });
      channels.on('window-change', (acceptChange) => acceptChange?.());
      channels.on('shell', (acceptShell) =>
        this.open(acceptShell(), pty, (terminal) => this.shell(terminal)),
      );
      channels.on('exec', (acceptExec, reject, { command }) => {
        if (!model.exec || this.signedInBy === 'none') reject?.();
        else this.open(acceptExec(), pty, (terminal) => this.exec(terminal, command));
      });
    });
  }

  private async judge(context: AuthContext): Promise<void> {
    const { core, methods } = this.endpoint;
    this.user = context.username;
    if (core.faults.has('slow')) await sleep(core.faults.slowMs);
    if (core.faults.has('wedged')) return;
    this.signedInBy = await authenticate(context, this.endpoint);
    if (this.signedInBy === undefined) context.reject(methods.filter((name) => name !== 'none'));
    else context.accept();
  }

  private async shell(terminal: Terminal): Promise<number | undefined> {
    const { core, model, accounts } = this.endpoint;
    if (this.signedInBy === 'none') {
      if (!(await signIn(terminal, accounts, model.words))) return undefined;
      this.signedOut = core.signedIn();
    } else if (this.signedInBy === 'password' && core.faults.has('password-twice')) {
      await terminal.readLine(model.words.password, model.words.hidden);
    } else if (core.faults.has('new-password-inside')) {
      await askNewPassword(terminal);
      return undefined;
    }
    return model.shell(terminal);
  }

  private async exec(terminal: Terminal, command: string): Promise<number | undefined> {
    const { core, model } = this.endpoint;
    terminal.session.log(model.logged?.(command) ?? command);
    await terminal.think();
    if (core.faults.has('new-password-inside')) {
      // As OpenSSH's server says it where there is no terminal.
      terminal.putError('Password change required but no TTY available.\n');
      return 1;
    }
    return model.exec?.(terminal, command);
  }

  /** Talks at a channel until the talk, the channel or the connection ends. */
  private open(
    channel: ServerChannel,
    pty: PseudoTtyInfo | undefined,
    talk: (terminal: Terminal) => Promise<number | undefined>,
  ): void {
    const { connection, socket, endpoint } = this;
    const line = new ChannelLine(channel, connection, socket);
    const session = new Session(endpoint.core);
    session.user = this.user;
    const terminal = new Terminal(line, session, endpoint.model.screen(pty));
    channel.on('data', (data: Buffer) => terminal.receive(data));
    channel.on('end', () => terminal.end());
    const gone = () => terminal.close();
    connection.on('close', gone);
    channel.on('close', () => {
      connection.off('close', gone);
      terminal.close();
    });
    talk(terminal).then(
      (status) => line.hangUp(status),
      (error) => {
        if (!(error instanceof HungUp)) throw error;
        line.leave();
      },
    );
  }
}

class ChannelLine implements Line {
  private readonly channel: ServerChannel;
  private readonly connection: Connection;
  private readonly socket: Socket;
  private dropped = false;
  private unsent: Buffer[] = [];

  constructor(channel: ServerChannel, connection: Connection, socket: Socket) {
    this.channel = channel;
    this.connection = connection;
    this.socket = socket;
  }

  send(data: Buffer, stream?: 'stderr'): void {
    if (stream !== undefined) {
      this.flush();
      this.channel.stderr.write(data);
    } else if (this.unsent.push(data) === 1) {
      process.nextTick(() => this.flush());
    }
  }

  hangUp(status?: number): void {
    this.flush();
    if (status === undefined) this.leave();
    else {
      this.channel.exit(status);
      this.channel.end();
    }
  }

  drop(): void {
    this.flush();
    this.dropped = true;
    // OpenSSH throws away what it has not printed when a connection is lost.
    setTimeout(() => this.socket.destroySoon(), DROP_MS);
  }

  /** The channel first: whoever is told that the connection ends may not read the rest of the channel. */
  leave(): void {
    if (this.dropped) return;
    this.flush();
    this.channel.once('close', () => this.connection.end());
    this.channel.end();
  }

  /** One packet for what is said in one go, as the echo of a line that was pasted: each costs both ends encryption. */
  private flush(): void {
    if (this.unsent.length > 0) this.channel.write(Buffer.concat(this.unsent));
    this.unsent = [];
  }
}

/** The method by which the client is in, or undefined. */
async function authenticate(
  context: AuthContext,
  { accounts, methods, core }: SshEndpoint,
): Promise<SignInMethod | undefined> {
  const { method, username } = context;
  if (method === 'hostbased' || !methods.includes(method)) return undefined;
  switch (method) {
    case 'none':
      return 'none';
    case 'password':
      if (!accounts.passwordIsRight(username, context.password)) return undefined;
      if (!core.faults.has('password-expired')) return method;
      return await new Promise((resolve) => {
        context.requestChange('Your password has expired. New password: ', (password) => {
          core.log(`new password: ${password.length} characters`);
          resolve(undefined);
        });
      });
    case 'publickey': {
      const { signature, blob, hashAlgo, key } = context;
      if (!signature || !blob) return accounts.keyIsKnown(username, key.data) ? method : undefined;
      const proof = { blob: key.data, data: blob, signature, ...(hashAlgo && { hash: hashAlgo }) };
      return accounts.signatureIsRight(username, proof) ? method : undefined;
    }
    case 'keyboard-interactive': {
      const ask = (questions = ['Password: ']) =>
        new Promise<string[]>((resolve) => {
          const prompts = questions.map((prompt) => ({ prompt, echo: false }));
          context.prompt(prompts, resolve);
        });
      if (core.faults.has('password-twice')) await ask();
      const [answer] = await ask();
      if (!accounts.passwordIsRight(username, answer ?? '')) return undefined;
      if (!core.faults.has('password-expired')) return method;
      const answers = await ask(['Current password: ', 'New password: ', 'Retype new password: ']);
      core.log(`new password: ${answers.join('').length} characters`);
      return undefined;
    }
  }
}
