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
import type { Gate } from './gate.ts';
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

export interface SshEndpoint {
  core: Core;
  model: CliModel;
  accounts: Accounts;
  gate: Gate;
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
  server.on('connection', (connection: Connection) => serve(connection, arriving, endpoint));
  return (socket) => {
    // The library hands over the connection, not its socket, while this call lasts.
    arriving = socket;
    server.injectSocket(socket);
  };
}

function serve(connection: Connection, socket: Socket, endpoint: SshEndpoint): void {
  const { core, model, methods } = endpoint;
  let user = '';
  let signedOut = () => {};
  const login = { inBand: false, isPassword: false };
  connection.on('authentication', (context) => {
    user = context.username;
    void judge(context);
  });
  async function judge(context: AuthContext): Promise<void> {
    if (core.faults.has('slow')) await sleep(core.faults.slowMs);
    if (core.faults.has('wedged')) return;
    const method = await authenticate(context, endpoint);
    login.inBand = method === 'none';
    login.isPassword = method === 'password';
    if (method === undefined) context.reject(methods.filter((name) => name !== 'none'));
    else context.accept();
  }
  connection.on('ready', () => {
    if (!login.inBand) signedOut = core.signedIn();
  });
  connection.on('close', () => signedOut());
  connection.on('error', () => {});
  connection.on('session', (accept) => {
    const channels = accept();
    let pty: PseudoTtyInfo | undefined;
    channels.on('pty', (acceptPty, _reject, info) => {
      pty = info;
      acceptPty?.();
    });
    channels.on('window-change', (acceptChange) => acceptChange?.());
    channels.on('shell', (acceptShell) => {
      const { terminal, run } = open(acceptShell());
      run(async () => {
        if (login.inBand) {
          if (!(await signIn(terminal, endpoint.accounts, model.words))) return undefined;
          signedOut = core.signedIn();
        } else if (login.isPassword && core.faults.has('password-twice')) {
          await terminal.readLine(model.words.password, model.words.hidden);
        } else if (core.faults.has('new-password-inside')) {
          await askNewPassword(terminal);
          return undefined;
        }
        return model.shell(terminal);
      });
    });
    channels.on('exec', (acceptExec, reject, { command }) => {
      if (!model.exec || login.inBand) {
        reject?.();
        return;
      }
      const { terminal, run } = open(acceptExec());
      run(async () => {
        terminal.session.log(endpoint.model.logged?.(command) ?? command);
        await terminal.think();
        if (core.faults.has('new-password-inside')) {
          // As OpenSSH's server says it where there is no terminal.
          terminal.putError('Password change required but no TTY available.\n');
          return 1;
        }
        return model.exec?.(terminal, command);
      });
    });

    function open(channel: ServerChannel) {
      let dropped = false;
      let unsent: Buffer[] = [];
      /** One packet for what is said in one go, as the echo of a line that was pasted: each costs both ends encryption. */
      function flush(): void {
        if (unsent.length > 0) channel.write(Buffer.concat(unsent));
        unsent = [];
      }
      const line: Line = {
        send(data, stream) {
          if (stream !== undefined) {
            flush();
            channel.stderr.write(data);
          } else if (unsent.push(data) === 1) {
            process.nextTick(flush);
          }
        },
        hangUp(status) {
          flush();
          endpoint.gate.signedOut(socket);
          if (status === undefined) leave();
          else {
            channel.exit(status);
            channel.end();
          }
        },
        drop() {
          flush();
          dropped = true;
          // OpenSSH throws away what it has not printed when a connection is lost.
          setTimeout(() => socket.destroySoon(), DROP_MS);
        },
      };
      /** The channel first: whoever is told that the connection ends may not read the rest of the channel. */
      function leave(): void {
        if (dropped) return;
        flush();
        channel.once('close', () => connection.end());
        channel.end();
      }
      const session = new Session(core);
      session.user = user;
      const terminal = new Terminal(line, session, model.screen(pty));
      channel.on('data', (data: Buffer) => terminal.receive(data));
      channel.on('end', () => terminal.end());
      const gone = () => terminal.close();
      connection.on('close', gone);
      channel.on('close', () => {
        connection.off('close', gone);
        terminal.close();
      });
      function run(talk: () => Promise<number | undefined>): void {
        talk().then(
          (status) => line.hangUp(status),
          (error) => {
            if (!(error instanceof HungUp)) throw error;
            leave();
          },
        );
      }
      return { terminal, run };
    }
  });
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
