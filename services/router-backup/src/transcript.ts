/** What was said with a device, kept of the last attempt that failed: for whoever has to find out why. */
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { commonSecrets, type Mask, type SecretRule } from '@skolo/backup';
import { writeFileAtomic } from '@skolo/durable';

/** The beginning and the end tell most. */
const most = 128 * 1024;

/** Takes what is said, and bounds it. */
export class Talk {
  private head = '';
  private tail = '';
  private cut = 0;
  private last: 'us' | 'device' | undefined;

  /** For `onTalk` of a session. */
  note(from: 'us' | 'device', text: string): void {
    if (from === 'us' || this.last !== from) this.add(from === 'us' ? '\n>>> ' : '\n');
    this.last = from;
    this.add(text.replaceAll('\r\n', '\n'));
  }

  text(): string {
    const cut = this.cut === 0 ? '' : `\n\n[… ${this.cut} characters …]\n\n`;
    return `${this.head}${cut}${this.tail}`.trim();
  }

  private add(text: string) {
    const room = most - this.head.length;
    if (room > 0) this.head += text.slice(0, room);
    this.tail += text.slice(Math.max(0, room));
    if (this.tail.length > 2 * most) {
      this.cut += this.tail.length - most;
      this.tail = this.tail.slice(-most);
    }
  }
}

/** The folder of transcripts, one file for each device. */
export class Transcripts {
  private readonly folder: string;
  private readonly mask: Mask;

  constructor(folder: string, mask: Mask) {
    this.folder = folder;
    this.mask = mask;
  }

  /** Masked before it is written. Never throws: it is no reason for another failure. */
  async keep(device: string, text: string, rules: readonly SecretRule[]): Promise<boolean> {
    try {
      const masked = this.mask.text(text, [...rules, ...commonSecrets]);
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await writeFileAtomic(this.path(device), `${masked}\n`);
      return true;
    } catch {
      return false;
    }
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
