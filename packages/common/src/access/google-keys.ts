import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { readFileIfExists, writeFileAtomic } from '@skolo/durable';
import { isSafeForSecrets } from '@skolo/rack';
import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { DegradedList } from '../degraded.ts';
import { errorText } from '../redact.ts';

/** Google's keys for ID tokens. https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken */
export const googleCertsUrl = 'https://www.googleapis.com/oauth2/v3/certs';

const JsonWebKeys = z.object({
  keys: z.array(
    z.looseObject({ kid: z.string(), kty: z.literal('RSA'), n: z.string(), e: z.string() }),
  ),
});
/** The older form, `/oauth2/v1/certs`: key id to PEM certificate. */
const Certificates = z.record(z.string(), z.string().startsWith('-----BEGIN'));

const Cached = z.object({
  certsUrl: z.string(),
  fetched: z.iso.datetime(),
  /** PEM public keys by key id. */
  keys: z.record(z.string(), z.string()),
});

/** No key at all: not even an old one. */
export class NoGoogleKeys extends Error {
  readonly code = 'NO_GOOGLE_KEYS';
}

const minFreshMs = 5 * 60_000;
const maxFreshMs = 24 * 3_600_000;
/** Google retires a key after about two weeks. Without an uplink for longer, people need a token of the token file. */
const maxStaleMs = 14 * 24 * 3_600_000;
/** A token with an invented key id must not make us ask Google each time. */
const minBetweenFetchesMs = 60_000;
const fetchTimeoutMs = 5_000;
const maxBytes = 256 * 1024;

interface Keys {
  pems: Record<string, string>;
  fetchedAt: number;
  freshUntil: number;
}

/** Public keys by key id, fetched when they are needed, and kept on disk for when the uplink is gone. */
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
   * The key of that id; undefined if Google does not have it.
   *
   * @throws NoGoogleKeys Google cannot be reached, and no key is kept that is young enough.
   */
  async find(keyId: string): Promise<string | undefined> {
    this.loaded ??= this.load();
    await this.loaded;
    const known = this.pem(keyId);
    if (known === undefined) {
      await this.refresh();
      if (this.usable() === undefined) throw new NoGoogleKeys(`no keys of ${this.certsUrl}`);
      return this.pem(keyId);
    }
    // A key that is getting old is good enough for this request; the next one may get a newer.
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
      // A cache: what cannot be used is fetched again.
    }
  }

  /** One at a time, however many wait. Never rejects: a failure leaves the keys as they are. */
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
      const { pems, maxAgeMs } = await fetchKeys(this.certsUrl);
      const now = clock.now();
      const freshMs = Math.min(maxFreshMs, Math.max(minFreshMs, maxAgeMs));
      this.keys = { pems, fetchedAt: now, freshUntil: now + freshMs };
      degraded.clear('google sign-in');
    } catch (error) {
      degraded.raise(
        'google sign-in',
        `${this.certsUrl} cannot be read (${errorText(error)}); keys fetched earlier stay in use for two weeks, tokens of the token file work`,
      );
      return;
    }
    await this.save(this.keys);
  }

  private async save({ pems, fetchedAt }: Keys) {
    const fetched = new Date(fetchedAt).toISOString();
    const cached = JSON.stringify({ certsUrl: this.certsUrl, fetched, keys: pems });
    // Without it, the next start needs the uplink. The state directory itself is watched elsewhere.
    await writeFileAtomic(this.cacheFile, cached).catch(() => undefined);
  }
}

async function fetchKeys(url: string): Promise<{ pems: Record<string, string>; maxAgeMs: number }> {
  // Whoever can change the keys on their way here can sign in as anybody.
  if (!isSafeForSecrets(new URL(url))) throw new Error('it has to be https, or on loopback');
  const answer = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(fetchTimeoutMs),
    headers: { accept: 'application/json' },
  });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const maxAge = /max-age=(\d+)/.exec(answer.headers.get('cache-control') ?? '')?.[1] ?? '0';
  return { pems: toPems(JSON.parse(await readLimited(answer))), maxAgeMs: Number(maxAge) * 1000 };
}

async function readLimited(answer: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > maxBytes) throw new Error(`more than ${maxBytes} bytes`);
  }
  return text;
}

function toPems(json: unknown): Record<string, string> {
  const jwks = JsonWebKeys.safeParse(json);
  if (!jwks.success) return Certificates.parse(json);
  return Object.fromEntries(
    jwks.data.keys.map((key) => [
      key.kid,
      createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString(),
    ]),
  );
}
