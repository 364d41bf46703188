/** The session of a device's last failed attempt, so that an operator can find out why it failed. */
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, writeFileAtomic } from '@skolo/durable';
import type { SecretRule } from '@skolo/models/backup';
import type { Mask } from '@skolo/models/configuration';
import { BackupFailed, failureOf } from './failure.ts';
import { maskMessage, maskTranscript, withoutBrokenBlock } from './masking.ts';

/** Of the beginning, and of the end. */
const most = 128 * 1024;

/** One session's transcript, in memory, of limited length. */
export class Transcript {
  private head = '';
  private tail = '';
  private cut = 0;
  private last: 'us' | 'device' | undefined;

  /** For a session's `onTranscript`. */
  add(from: 'us' | 'device', text: string): void {
    if (from === 'us' || this.last !== from) this.append(from === 'us' ? '\n>>> ' : '\n');
    this.last = from;
    this.append(text.replaceAll('\r\n', '\n'));
  }

  text(rules: readonly SecretRule[]): string {
    if (this.cut === 0) return `${this.head}${this.tail}`.trim();
    const cut = `\n\n[… ${this.cut} characters …]\n\n`;
    return `${this.head}${cut}${withoutBrokenBlock(this.tail, rules)}`.trim();
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

/** The directory of transcripts, one file per device. */
export class Transcripts {
  private readonly folder: string;
  private readonly mask: Mask;

  constructor(folder: string, mask: Mask) {
    this.folder = folder;
    this.mask = mask;
  }

  /** Masks and writes it. Never throws. */
  async keep(device: string, transcript: Transcript, rules: readonly SecretRule[]): Promise<void> {
    const masked = maskTranscript(this.mask, transcript.text(rules), rules);
    try {
      await makeFolder(this.folder);
      await writeFileAtomic(this.path(device), `${masked}\n`);
    } catch {
      // The disk rejects it: the failure is reported without a transcript.
    }
  }

  /** Any session error as a failure, without the secrets that its message quotes. */
  failure(
    device: string,
    error: unknown,
    transcript: Transcript,
    rules: readonly SecretRule[],
  ): BackupFailed {
    const { failure, what, suspect, cause } = failureOf(device, error);
    const masked = this.message(what, transcript, rules);
    return new BackupFailed(device, failure, masked, { suspect, cause });
  }

  /** A message about a session, without the secrets that it quotes. */
  message(message: string, transcript: Transcript, rules: readonly SecretRule[]): string {
    return maskMessage(this.mask, message, transcript.text(rules), rules);
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

  private path(device: string): string {
    return join(this.folder, `${device}.txt`);
  }
}
