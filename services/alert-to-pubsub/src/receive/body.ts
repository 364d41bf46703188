/**
 * Limits the memory of all request bodies that are being read (503). A single one that is too large is rejected in http/request/body.ts
 * (413).
 */
import { Rejection } from './rejection.ts';

/** Memory used by all requests together. */
export class BodiesInFlight {
  private taken = 0;

  /** Keeps what it reserves until it is released. */
  share(most: number) {
    let own = 0;
    return {
      /** @throws Rejection 503: other requests use the memory. */
      take: (bytes: number): void => {
        // A single body is bounded by its own limit.
        if (this.taken > own && this.taken + bytes > most) throw tooMany();
        this.taken += bytes;
        own += bytes;
      },
      release: () => {
        this.taken -= own;
        own = 0;
      },
    };
  }
}

function tooMany(): Rejection {
  return new Rejection(
    'busy',
    'too many large requests are being read at the same time; retry the request in a moment',
    { headers: { 'retry-after': '1' } },
  );
}
