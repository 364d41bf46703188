/** Brokers for tests: one in this process (aedes), and Debian's mosquitto where it is installed. Both on 127.0.0.1. */
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { freeTcpPort } from '../../free-port.ts';
import { Listener } from '../../listener.ts';
import { peer } from '../../peer.ts';
import { Process } from '../../process.ts';

export interface Broker {
  host: string;
  port: number;
  close(): Promise<void>;
}

export interface BrokerOptions {
  /** Whoever does not sign in as this one is rejected; absent: anybody may connect. */
  account?: { username: string; password: string };
}

export async function startBroker({ account }: BrokerOptions = {}): Promise<Broker> {
  const aedes = await Aedes.createBroker({
    authenticate(_client, username, password, done) {
      const known = username === account?.username && password?.toString() === account?.password;
      if (account === undefined || known) return done(null, true);
      // 5: not authorized (MQTT 3.1.1, 3.2.2.3).
      done(Object.assign(new Error('not authorized'), { returnCode: 5 }), null);
    },
  });
  const listener = new Listener('127.0.0.1', 0, (socket) => void aedes.handle(socket));
  await listener.open();
  return {
    host: listener.host,
    port: listener.port,
    async close() {
      await listener.close();
      await new Promise<void>((resolve) => aedes.close(resolve));
    },
  };
}

/** Gives undefined where it is not installed. */
export async function startMosquitto({ account }: BrokerOptions = {}): Promise<Broker | undefined> {
  const path = peer('mosquitto');
  if (path === undefined) return undefined;
  const dir = await mkdtemp(join(tmpdir(), 'skolo-mosquitto-'));
  const port = await freeTcpPort();
  const passwords = join(dir, 'passwords');
  const access = account
    ? `allow_anonymous false\npassword_file ${passwords}`
    : 'allow_anonymous true';
  const user = `user ${userInfo().username}`;
  const configuration = join(dir, 'mosquitto.conf');
  await writeFile(
    configuration,
    `listener ${port} 127.0.0.1\n${access}\n${user}\nlog_dest stderr\n`,
  );
  if (account) await writeFile(passwords, passwordLine(account), { mode: 0o600 });
  const mosquitto = new Process(path, ['-c', configuration]);
  async function close() {
    await mosquitto.stop();
    await rm(dir, { recursive: true, force: true });
  }
  const isRunning = async () => /mosquitto version \S+ running/.test(mosquitto.output);
  await mosquitto.until('to start', isRunning).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return { host: '127.0.0.1', port, close };
}

/** As mosquitto_passwd(1) writes it: PBKDF2 with SHA-512. */
function passwordLine({ username, password }: { username: string; password: string }): string {
  const [salt, rounds] = [randomBytes(12), 101];
  const hash = pbkdf2Sync(password, salt, rounds, 64, 'sha512');
  return `${username}:$7$${rounds}$${salt.toString('base64')}$${hash.toString('base64')}\n`;
}
