import { z } from 'zod';

/** A moment: RFC 3339 in UTC, such as `2026-11-20T07:30:00Z`; what `Date.toISOString()` gives. */
export const Time = z.iso.datetime().max(40).describe('RFC 3339, UTC');
