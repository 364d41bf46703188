/** Keeps the session of a device's last failed attempt, so that an operator can find out why it failed. */
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '@skolo/base';
import { makeFolder, writeFileAtomic } from '@skolo/base/durable';
import type { SecretRule } from '@skolo/equipment/models/backup';
import type { MaskKey } from '../texts/mask-key.ts';
import type { Recorded } from '../texts/masking.ts';
import type { Texts } from '../texts.ts';
import { BackupFailed, failureOf } from './failure.ts';

/** Bytes that are kept of the beginning, and of the end. */
const most = 128 * 1024;

/** One session's transcript, in memory, of limited length. */
export class Transcript implements Recorded {
  head = '';
  tail = '';
  cut = 0;
  private last: 'us' | 'device' | undefined;

  /** For a session's `onTranscript`. */
  add(from: 'us' | 'device', text: string): void {
    if (from === 'us' || this.last !== from) this.append(from === 'us' ? '\n>>> ' : '\n');
    this.last = from;
    this.append(text.replaceAll('\r\n', '\n'));
  }

  private append(text: string) {
    const space = most - this.head.length;
    if (space > 0) this.head += text.slice(0, space);
    this.tail += text.slice(Math.max(0, space));
    if (this.tail.length > 2 * most) {
      this.cut += this.tail.length - most;
      this.tail = this.tail.slice(-most);
    }
  }
}

interface TranscriptsDeps {
  texts: Pick<Texts, 'run'>;
  maskKey: MaskKey;
}

/** The directory of transcripts, one file per device. */
export class Transcripts {
  private readonly folder: string;
  private readonly deps: TranscriptsDeps;

  constructor(folder: string, deps: TranscriptsDeps) {
    this.folder = folder;
    this.deps = deps;
  }

  /** Masks and writes it. Never throws. */
  async write(device: string, transcript: Transcript, rules: readonly SecretRule[]): Promise<void> {
    try {
      const masked = await this.masked(device, transcript, rules);
      await makeFolder(this.folder);
      await writeFileAtomic(this.path(device), `${masked}\n`);
    } catch {
      // The disk rejects it, or masking takes too long: the failure is reported without a transcript.
    }
  }

  /** Any session error as a failure, without the secrets that its message quotes. */
  async failure(
    device: string,
    error: unknown,
    transcript: Transcript,
    rules: readonly SecretRule[],
  ): Promise<BackupFailed> {
    const { failure, what, suspect, cause } = failureOf(device, error);
    const masked = await this.message(what, device, transcript, rules);
    return new BackupFailed(device, failure, masked, { suspect, cause });
  }

  /** A message about a session, without the secrets that it quotes. */
  async message(
    message: string,
    device: string,
    transcript: Transcript,
    rules: readonly SecretRule[],
  ): Promise<string> {
    return await this.masked(device, transcript, rules, message).catch(
      (error: unknown) => `the reason cannot be shown with its secrets masked: ${errorText(error)}`,
    );
  }

  async drop(device: string): Promise<void> {
    await rm(this.path(device), { force: true }).catch(() => undefined);
  }

  async has(device: string): Promise<boolean> {
    return stat(this.path(device)).then(
      () => true,
      () => false,
    );
  }

  /** Undefined: there is none. */
  async read(device: string): Promise<{ at: string; transcript: string } | undefined> {
    try {
      const { mtime } = await stat(this.path(device));
      return { at: mtime.toISOString(), transcript: await readFile(this.path(device), 'utf8') };
    } catch {
      return undefined;
    }
  }

  private async masked(
    device: string,
    transcript: Transcript,
    rules: readonly SecretRule[],
    message?: string,
  ): Promise<string> {
    const { texts, maskKey } = this.deps;
    return await texts.run('session', { transcript, key: maskKey(device), rules, message });
  }

  private path(device: string): string {
    return join(this.folder, `${device}.txt`);
  }
}
