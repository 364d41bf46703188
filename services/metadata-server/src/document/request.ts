/** Parses what a request asks for, from its URL alone. Pure, so that answers for the same URL can share it. */

export interface MetadataRequest {
  /** The path, slashes collapsed, as it is shown in a redirect. */
  path: string;
  /** Decoded segments, without the empty ones. */
  segments: string[];
  trailingSlash: boolean;
  /** Everything under /computeMetadata/v1 requires the Metadata-Flavor header. */
  underV1: boolean;
  /** What kind of thing the path names: a label of metrics, so there are few. */
  pathClass: PathClass;
  /** The query as sent, with its `?`; empty if there is none. */
  search: string;
  recursive: boolean;
  alt: string | undefined;
  waitForChange: boolean;
  lastEtag: string | undefined;
  /** Undefined: no limit. `invalid`: not a whole number of seconds. */
  timeoutSeconds: number | undefined | 'invalid';
  /** Scopes of a token request, in order and without repetition. */
  scopes: string[];
  audience: string;
  format: string;
  licenses: string;
}

export const pathClasses = [
  'token',
  'identity',
  'service-accounts',
  'attributes',
  'instance',
  'project',
  'universe',
  'root',
  'other',
] as const;
export type PathClass = (typeof pathClasses)[number];

/** URLs whose parsing is cached: bots request the same few. */
const mostUrls = 1000;
const longestKeptUrl = 300;
const urls = new Map<string, MetadataRequest>();

/** {@link parseUrl}, which returns the same object again for URLs that are requested often. */
export function parsedUrl(url: string): MetadataRequest {
  const known = urls.get(url);
  if (known) return known;
  const asked = parseUrl(url);
  if (urls.size >= mostUrls) urls.clear();
  if (url.length <= longestKeptUrl) urls.set(url, asked);
  return asked;
}

export function parseUrl(url: string): MetadataRequest {
  const target = url.replace(/^https?:\/\/[^/?#]*/i, '');
  const question = target.indexOf('?');
  const search = question < 0 ? '' : target.slice(question);
  const path = (question < 0 ? target : target.slice(0, question)).replace(/\/{2,}/g, '/') || '/';
  const segments = path.split('/').filter(Boolean).map(decode);
  const query = new URLSearchParams(search);
  return {
    path,
    segments,
    trailingSlash: path.endsWith('/'),
    underV1: segments[0] === 'computeMetadata' && segments[1] === 'v1',
    pathClass: classOf(segments),
    search,
    recursive: isTrue(query.get('recursive')),
    alt: query.get('alt')?.toLowerCase() || undefined,
    waitForChange: isTrue(query.get('wait_for_change')),
    lastEtag: query.get('last_etag') ?? undefined,
    timeoutSeconds: parseTimeout(query.get('timeout_sec')),
    scopes: [...new Set((query.get('scopes') ?? '').split(/[\s,]+/).filter(Boolean))],
    audience: (query.get('audience') ?? '').trim(),
    format: (query.get('format') ?? '').toLowerCase(),
    licenses: (query.get('licenses') ?? '').toUpperCase(),
  };
}

/** An invalid escape is kept as is: nothing has such a name. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** `true`, `1` and `yes` in any case (Python clients send `True`); anything else is off. */
function isTrue(value: string | null): boolean {
  return value !== null && /^(true|1|yes)$/i.test(value);
}

function parseTimeout(value: string | null): number | undefined | 'invalid' {
  if (value === null || value === '') return undefined;
  return /^\d{1,9}$/.test(value) ? Number(value) : 'invalid';
}

function classOf([base, version, part, section, , leaf]: string[]): PathClass {
  if (base === undefined) return 'root';
  if (base !== 'computeMetadata' || (version !== undefined && version !== 'v1')) return 'other';
  if (part === undefined) return 'root';
  if (section === 'attributes') return 'attributes';
  if (part === 'instance' && section === 'service-accounts') {
    return leaf === 'token' || leaf === 'identity' ? leaf : 'service-accounts';
  }
  return part === 'instance' || part === 'project' || part === 'universe' ? part : 'other';
}
