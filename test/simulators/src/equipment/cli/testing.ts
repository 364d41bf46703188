/** Independent clients for the tests of simulated equipment: OpenSSH, and curl for telnet. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { peer } from '../../peer.ts';
import type { SimulatedDevice } from '../device.ts';

const PATIENCE_MS = 120_000;

/** A program at the other end of a session, typed to and read from as a person would. */
export class Client {
  /** All that it has printed. */
  output = '';
  /** Its exit status, once it has ended. */
  readonly ended: Promise<number | null>;
  private readonly child: ChildProcess;
  private readonly watchers = new Set<() => void>();
  private seen = 0;
  private over = false;

  constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data: Buffer) => {
        this.output += data.toString('latin1');
        this.look();
      });
    }
    child.stdin?.on('error', () => {});
    this.ended = once(child, 'close').then(([status]) => {
      this.over = true;
      this.look();
      return status;
    });
    onTestFinished(async () => {
      child.kill();
      await this.ended;
    });
  }

  /** Types a line. */
  say(line: string): void {
    this.type(`${line}\r`);
  }

  type(keys: string): void {
    this.child.stdin?.write(keys);
  }

  /** Types all there is to type; what is to come is in `output` after `ended`. */
  endWith(text: string | Buffer): void {
    this.child.stdin?.end(text);
  }

  /** What has been printed since it was last asked, up to and with `text`. */
  async see(text: string): Promise<string> {
    const find = () => this.output.indexOf(text, this.seen);
    await new Promise<void>((resolve, reject) => {
      const check = () => {
        if (find() === -1 && !this.over) return;
        clearTimeout(timer);
        this.watchers.delete(check);
        if (find() === -1) reject(this.missing(text));
        else resolve();
      };
      const timer = setTimeout(() => {
        this.watchers.delete(check);
        reject(this.missing(text));
      }, PATIENCE_MS);
      this.watchers.add(check);
      check();
    });
    const from = this.seen;
    this.seen = find() + text.length;
    return this.output.slice(from, this.seen);
  }

  private look(): void {
    for (const check of [...this.watchers]) check();
  }

  private missing(text: string): Error {
    return new Error(`not seen: ${JSON.stringify(text)} in ${JSON.stringify(this.output)}`);
  }
}

interface SshLogin {
  user: string;
  password?: string;
  /** Private key. */
  key?: string;
  /** Further options of ssh, say `['-T', '-oCiphers=+aes128-cbc']`; `-tt` when absent. */
  options?: string[];
  command?: string;
}

/** What a client must be told before it speaks to devices with `legacyOnly`. */
export const legacySshOptions = [
  '-oKexAlgorithms=+diffie-hellman-group1-sha1',
  '-oHostKeyAlgorithms=+ssh-rsa',
  '-oCiphers=+aes128-cbc',
  '-oMACs=+hmac-sha1',
];

/** Starts OpenSSH's client, which knows nothing of its user's configuration. Undefined: it is not installed. */
export async function openSsh(
  device: Pick<SimulatedDevice, 'host' | 'port'>,
  { user, password, key, options = ['-tt'], command }: SshLogin,
): Promise<Client> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-ssh-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const askpass = join(dir, 'askpass');
  await writeFile(askpass, '#!/bin/sh\nprintf "%s\\n" "$SKOLO_TEST_PASSWORD"\n', { mode: 0o700 });
  const identity = join(dir, 'id');
  if (key !== undefined) await writeFile(identity, key, { mode: 0o600 });
  const args = [
    ...['-F', 'none', '-p', String(device.port), '-oIdentitiesOnly=yes'],
    ...[`-oUserKnownHostsFile=${join(dir, 'known_hosts')}`, '-oStrictHostKeyChecking=accept-new'],
    ...[
      '-oNumberOfPasswordPrompts=1',
      '-oIdentityAgent=none',
      `-oIdentityFile=${key === undefined ? 'none' : identity}`,
    ],
    ...options,
    `${user}@${device.host}`,
    ...(command === undefined ? [] : [command]),
  ];
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: dir,
    SSH_ASKPASS: askpass,
    SSH_ASKPASS_REQUIRE: 'force',
    SKOLO_TEST_PASSWORD: password ?? '',
  };
  return new Client(spawn(peer('ssh') ?? 'ssh', args, { env, stdio: 'pipe' }));
}

/** Runs a command in a channel of its own, to its end. */
export async function execOn(
  device: Pick<SimulatedDevice, 'host' | 'port'>,
  { options = [], ...login }: SshLogin,
  command: string,
): Promise<{ status: number | null; output: string }> {
  const ssh = await openSsh(device, { ...login, options: ['-T', '-q', ...options], command });
  return { status: await ssh.ended, output: ssh.output };
}

/** Starts curl as a telnet client. */
export function openTelnet(host: string, port: number | undefined): Client {
  const args = ['--silent', '--no-buffer', '--upload-file', '.', `telnet://${host}:${port}`];
  return new Client(spawn(peer('curl') ?? 'curl', args, { stdio: 'pipe' }));
}
