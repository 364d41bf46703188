/** All that happens in this service. Its parts emit events; metrics, log, degraded, watchers and saved tokens consume them. */
import type { Caller } from './caller/caller-lookup.ts';
import type { PathClass } from './document/request.ts';
import type { TokenEvent } from './tokens/tokens.ts';

export type MetadataEvent =
  /** `identity`: `none` where the caller has none. */
  | { type: 'answered'; pathClass: PathClass; status: number; identity: string }
  | { type: 'request-failed'; error: unknown }
  | { type: 'unknown-caller'; caller: Caller }
  /** `why`: the host that it asked for is not this server. */
  | { type: 'foreign-host'; caller: Caller; why: string }
  /** `seen`: the MAC in the kernel's table, if any. `error`: the table was not readable. */
  | { type: 'mac-mismatch'; caller: Caller; seen: string | undefined; error?: unknown }
  | TokenEvent
  /** Requests see another version of rack.yaml or of its secrets. */
  | { type: 'state-replaced' }
  | { type: 'reload-failed'; error: unknown }
  /** `why` is absent once the trouble is over. */
  | { type: 'degraded'; what: string; why?: string | undefined };

export type EmitMetadata = (event: MetadataEvent) => void;
