/**
 * All events of the metadata server, such as a token that cannot be renewed (degraded). Its parts emit them; `react` in service.ts lists
 * what follows from each.
 */
import type { Caller } from './caller/caller-lookup.ts';
import type { PathClass } from './document/request.ts';
import type { TokenEvent } from './tokens/tokens.ts';

export type MetadataEvent =
  /** `identity`: `none` if the caller has none. */
  | { type: 'answered'; pathClass: PathClass; status: number; identity: string }
  | { type: 'request-failed'; error: unknown }
  | { type: 'unknown-caller'; caller: Caller }
  /** `why`: the requested host is not this server. */
  | { type: 'foreign-host'; caller: Caller; why: string }
  /** `seen`: the MAC in the kernel's table, if any. `error`: the table could not be read. */
  | { type: 'mac-mismatch'; caller: Caller; seen: string | undefined; error?: unknown }
  | TokenEvent
  /** Requests now use another version of rack.yaml or of its secrets. */
  | { type: 'state-replaced' }
  | { type: 'reload-failed'; error: unknown }
  /** `why` is absent once the problem is solved. */
  | { type: 'degraded'; what: string; why?: string | undefined };

export type EmitMetadata = (event: MetadataEvent) => void;
