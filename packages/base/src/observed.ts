/**
 * A fact that somebody has to look at: what was seen, and when; or why nothing was seen, and since when. Unlike `undefined`, `[]` or `false`,
 * the second cannot be mistaken for an answer: see `docs/decisions/2026-11-29-absence.md`. Times are milliseconds since 1970.
 */
export type Observed<T> = { seen: T; at: number } | { unseen: string; since: number };
