/**
 * Decides which ssh host key of equipment is trusted, if rack.yaml does not pin one: the first key, from then on. The keys are public,
 * but whoever may change this file can impersonate a switch. Also records devices that have accepted digest authentication over HTTP:
 * from then on, they do not get the password in clear text.
 */
import { rename } from 'node:fs/promises';
import { errorText, inOrder } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { z } from 'zod';
import { HostKeyChanged } from './errors.ts';

const File = z.object({
  hostKeys: z.record(
    z.string(),
    z.object({ fingerprint: z.string().startsWith('SHA256:'), firstSeen: z.iso.datetime() }),
  ),
  /** Devices that use digest authentication, and since when that is known. */
  digest: z.record(z.string(), z.iso.datetime()).default({}),
});

interface PinnedHostKey {
  device: string;
  /** `SHA256:…`, in the format of `ssh-keygen -l`. */
  fingerprint: string;
  /** RFC 3339. */
  firstSeen: string;
}

/**
 * The first keys seen, kept in a file. An unreadable or unwritable file does not stop sessions; `problem` has the reason. A file that could
 * not be read is not replaced, because it has keys that must not be trusted anew.
 */
export class HostKeys {
  private readonly path: string;
  private readonly now: () => number;
  private readonly keys = new Map<string, PinnedHostKey>();
  private readonly digest = new Map<string, string>();
  /** An older state never replaces a newer one. */
  private readonly inTurn = inOrder();
  private isRead = true;
  private notRead: string | undefined;
  private notWritten: string | undefined;

  constructor(path: string, now: () => number = Date.now) {
    this.path = path;
    this.now = now;
  }

  /** Reads the file. An invalid one is set aside as `….bad`, and the devices' keys are pinned again. */
  async load(): Promise<void> {
    this.isRead = false;
    try {
      const text = await readFileIfExists(this.path);
      this.isRead = true;
      this.notRead = undefined;
      if (text === undefined) return;
      const { hostKeys, digest } = File.parse(JSON.parse(text));
      for (const [device, pinned] of Object.entries(hostKeys)) {
        this.keys.set(device, { device, ...pinned });
      }
      for (const [device, since] of Object.entries(digest)) this.digest.set(device, since);
    } catch (error) {
      const then = this.isRead ? '; host keys are pinned again' : '';
      this.notRead = `${this.path} cannot be used: ${reasonOf(error)}${then}`;
      if (this.isRead) await rename(this.path, `${this.path}.bad`).catch(() => undefined);
    }
  }

  /** What is wrong with the file; undefined if nothing is. */
  get problem(): string | undefined {
    return this.notWritten ?? this.notRead;
  }

  get(device: string): string | undefined {
    return this.keys.get(device)?.fingerprint;
  }

  /** Resolves when it is on disk, or could not be written. A device that has a key keeps it. */
  async pin(device: string, fingerprint: string): Promise<void> {
    // The keys in the file replace those that were pinned since, so that a device with another one is reported.
    if (!this.isRead) await this.load();
    if (this.keys.has(device)) return;
    const firstSeen = new Date(this.now()).toISOString();
    this.keys.set(device, { device, fingerprint, firstSeen });
    await this.save();
  }

  /** Whether it has accepted digest authentication before. */
  usesDigest(device: string): boolean {
    return this.digest.has(device);
  }

  /** Like {@link pin}, for HTTP authentication. */
  async pinDigest(device: string): Promise<void> {
    if (!this.isRead) await this.load();
    if (this.digest.has(device)) return;
    this.digest.set(device, new Date(this.now()).toISOString());
    await this.save();
  }

  /** After a replacement: trusts the next key, and any authentication. False if none was known. */
  async forget(device: string): Promise<boolean> {
    if (!this.isRead) await this.load();
    const known = [this.keys.delete(device), this.digest.delete(device)];
    if (!known.includes(true)) return false;
    await this.save();
    return true;
  }

  list(): PinnedHostKey[] {
    return [...this.keys.values()].sort((a, b) => (a.device < b.device ? -1 : 1));
  }

  private save(): Promise<void> {
    return this.inTurn(() => this.write());
  }

  private async write() {
    const hostKeys = Object.fromEntries(
      this.list().map(({ device, ...pinned }) => [device, pinned] as const),
    );
    const digest = this.digest.size > 0 && { digest: Object.fromEntries(this.digest) };
    try {
      if (!this.isRead) throw new Error(this.notRead);
      const text = JSON.stringify({ hostKeys, ...digest }, undefined, 2);
      await writeFileAtomic(this.path, `${text}\n`);
      this.notWritten = undefined;
    } catch (error) {
      this.notWritten = `${reasonOf(error)}; newly pinned host keys will be lost at the next restart`;
    }
  }
}

/** @param what was presented: `the host key` */
export function keyChanged(
  { name, hostKey }: { name: string; hostKey?: string | undefined },
  what: string,
  shown: string,
  pinned: string,
): HostKeyChanged {
  const hint =
    hostKey === undefined ? `run: skolo equipment forget ${name}` : 'fix its hostKey in rack.yaml';
  const why = `${what} is ${shown}, not ${pinned}: another host may be intercepting the connection`;
  return new HostKeyChanged(name, `${why}; if it was replaced, ${hint}`);
}

function reasonOf(error: unknown): string {
  if (error instanceof z.ZodError) return z.prettifyError(error).replaceAll('\n', ' ');
  return errorText(error);
}
