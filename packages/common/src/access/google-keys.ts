/** Google's public keys for ID tokens: how long they are cached, and when they are too old to be trusted. */
import { join } from 'node:path';
import { errorText } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable';
import { fetchGoogleKeys } from '@skolo/google';
import { z } from 'zod';
import type { DegradedList } from '../health/degraded.ts';
import type { Clock } from '../process/clock.ts';

const Cached = z.object({
  certsUrl: z.string(),
  fetched: z.iso.datetime(),
  /** PEM public keys by key ID. */
  keys: z.record(z.string(), z.string()),
});

/** No usable key, not even an old one. */
export class NoGoogleKeys extends Error {}

const minFreshMs = 5 * 60_000;
const maxFreshMs = 24 * 3_600_000;
/** Google retires a key after about two weeks. After that without an internet connection, only the token file works. */
const maxStaleMs = 14 * 24 * 3_600_000;
/** Limits requests to Google for unknown key IDs. */
const minBetweenFetchesMs = 60_000;

interface Keys {
  pems: Record<string, string>;
  fetchedAt: number;
  freshUntil: number;
}

/** Public keys by key ID, fetched on demand and cached on disk for when the internet connection is down. */
export class GoogleKeys {
  private readonly certsUrl: string;
  private readonly cacheFile: string;
  private readonly deps: { clock: Clock; degraded: Pick<DegradedList, 'raise' | 'clear'> };
  private keys: Keys | undefined;
  private loaded: Promise<void> | undefined;
  private fetching: Promise<void> | undefined;
  /** In seconds since boot: the wall clock may jump. */
  private fetchedUptime = Number.NEGATIVE_INFINITY;

  constructor(options: {
    certsUrl: string;
    stateDir: string;
    clock: Clock;
    degraded: Pick<DegradedList, 'raise' | 'clear'>;
  }) {
    this.certsUrl = options.certsUrl;
    this.cacheFile = join(options.stateDir, 'google-keys.json');
    this.deps = options;
  }

  /**
   * Undefined if Google has no key with that ID.
   *
   * @throws NoGoogleKeys Google cannot be reached, and the cached keys are too old.
   */
  async find(keyId: string): Promise<string | undefined> {
    this.loaded ??= this.load();
    await this.loaded;
    const known = this.pem(keyId);
    if (known === undefined) {
      await this.refresh();
      if (this.usable() === undefined)
        throw new NoGoogleKeys(`no valid keys from ${this.certsUrl}`);
      return this.pem(keyId);
    }
    // Use an old key now, and refresh for later requests.
    if (this.keys !== undefined && this.deps.clock.now() >= this.keys.freshUntil) {
      void this.refresh();
    }
    return known;
  }

  private pem(keyId: string): string | undefined {
    const keys = this.usable();
    return keys !== undefined && Object.hasOwn(keys.pems, keyId) ? keys.pems[keyId] : undefined;
  }

  /** The keys, unless they are too old. */
  private usable(): Keys | undefined {
    if (this.keys === undefined) return undefined;
    return this.deps.clock.now() - this.keys.fetchedAt > maxStaleMs ? undefined : this.keys;
  }

  private async load() {
    try {
      const text = await readFileIfExists(this.cacheFile);
      if (text === undefined) return;
      const cached = Cached.parse(JSON.parse(text));
      if (cached.certsUrl !== this.certsUrl) return;
      this.keys = { pems: cached.keys, fetchedAt: Date.parse(cached.fetched), freshUntil: 0 };
    } catch {
      // An unusable cache is fetched again.
    }
  }

  /** One at a time. Never rejects: a failure keeps the keys. */
  private async refresh() {
    const elapsedMs = (this.deps.clock.uptime() - this.fetchedUptime) * 1000;
    if (this.fetching === undefined && elapsedMs < minBetweenFetchesMs) return;
    this.fetching ??= this.fetch().finally(() => {
      this.fetching = undefined;
    });
    await this.fetching;
  }

  private async fetch() {
    const { clock, degraded } = this.deps;
    this.fetchedUptime = clock.uptime();
    try {
      const { pems, maxAgeMs } = await fetchGoogleKeys(this.certsUrl);
      const now = clock.now();
      const freshMs = Math.min(maxFreshMs, Math.max(minFreshMs, maxAgeMs));
      this.keys = { pems, fetchedAt: now, freshUntil: now + freshMs };
      degraded.clear('google sign-in');
    } catch (error) {
      degraded.raise(
        'google sign-in',
        `${this.certsUrl} cannot be read (${errorText(error)}); cached keys work for two weeks after they were fetched, and tokens in the token file always work`,
      );
      return;
    }
    await this.save(this.keys);
  }

  private async save({ pems, fetchedAt }: Keys) {
    const fetched = new Date(fetchedAt).toISOString();
    const cached = JSON.stringify({ certsUrl: this.certsUrl, fetched, keys: pems });
    // Without it, the next start requires the internet connection. watchStateDir reports a failing disk.
    await writeFileAtomic(this.cacheFile, cached).catch(() => undefined);
  }
}
