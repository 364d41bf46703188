/** The zip that a server hands to its bots: the files of `bot/`, and its own configuration. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sorted, type ZipMember, zipOf } from './zip.ts';

/** Seconds, made short, so that a test takes no longer than it must. */
export interface BotTimes {
  /** First pause after a call that failed; it grows from there. */
  backoff: number;
  /** The longest pause between two calls that failed. */
  mostBackoff: number;
  /** For how long one call is tried again; 240. */
  retryFor: number;
  /** How long one request may take; 60. */
  httpTimeout: number;
  /** How long a second bot in the same folder waits before it asks for a reboot; 300. */
  lock: number;
  /** Between two attempts to reboot; 300. */
  reboot: number;
  /** After that it stops trying to reboot; 900. */
  rebootGivesUp: number;
  /** Between the farewell and the exec of an update; 2. */
  farewell: number;
  /** What a rewrite of swarming_bot.zip takes: for so long it is half there. */
  rewrite: number;
  /** Between two messages of a running task. */
  taskUpdate: number;
}

const botTimes: Readonly<BotTimes> = {
  backoff: 0.05,
  mostBackoff: 1,
  retryFor: 10,
  httpTimeout: 60,
  lock: 0.5,
  reboot: 1,
  rebootGivesUp: 3,
  farewell: 0.05,
  rewrite: 0,
  taskUpdate: 0.1,
};

export interface BotZipOptions {
  /** The only server that it talks to; without a slash at the end. */
  server: string;
  serverVersion: string;
  /** The server's general hooks, config/bot_config.py. Hooks that it lacks do nothing or as the public ones do. */
  hookScript?: string | undefined;
  times?: Partial<BotTimes> | undefined;
  /** What its `get_state` tells of disks; real ones would make a test depend on where it runs. */
  disks?: Readonly<Record<string, { free_mb: number; size_mb: number }>> | undefined;
  /** More in its temporary folder make it unhealthy: 1024 really, 1,000,000 here, as tests share that folder. */
  mostTemporaryFiles?: number | undefined;
  /** More bytes, which do not compress. */
  padding?: number | undefined;
  /** `dead`: ends with status 1 as soon as it is started; `not-fine`: only when it is asked whether it is fine. */
  spoilt?: 'dead' | 'not-fine' | undefined;
}

export interface BotZip {
  bytes: Buffer;
  /** SHA-256 of what is in it, not of the file. */
  version: string;
}

const folder = join(import.meta.dirname, 'bot');
const plenty = { '/': { free_mb: 20_000, size_mb: 30_000 } };

export function buildBotZip(options: BotZipOptions): BotZip {
  const { server, serverVersion, hookScript, times, disks = plenty, padding, spoilt } = options;
  const { mostTemporaryFiles = 1_000_000 } = options;
  const config = {
    server,
    server_version: serverVersion,
    enable_ts_monitoring: false,
    simulation: { times: { ...botTimes, ...times }, disks, spoilt, mostTemporaryFiles },
  };
  const members = new Map(readFiles().map(({ name, content }) => [name, content]));
  members.set('config/config.json', Buffer.from(JSON.stringify(config)));
  if (hookScript !== undefined) members.set('config/bot_config.py', Buffer.from(hookScript));
  if (padding) members.set('padding', noise(padding));
  const all = [...members].map(([name, content]) => ({ name, content }));
  return { bytes: zipOf(all), version: versionOf(all) };
}

/** Over sorted (length of the name, name, length of the content, content). */
function versionOf(members: readonly ZipMember[]): string {
  const hash = createHash('sha256');
  for (const { name, content } of sorted(members)) {
    hash.update(`${Buffer.byteLength(name)}${name}${content.length}`).update(content);
  }
  return hash.digest('hex');
}

function readFiles(): ZipMember[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.py'))
    .map((name) => ({ name, content: readFileSync(join(folder, name)) }));
}

/** The same each time. */
function noise(length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let made = 0; made < length; made += 32) {
    blocks.push(createHash('sha256').update(`padding ${made}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}
