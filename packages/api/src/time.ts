import { z } from 'zod';

/** The form of times in all APIs: RFC 3339 in UTC, such as `2026-11-20T07:30:00Z`, as returned by `Date.toISOString()`. */
export const Time = z.iso.datetime().max(40).describe('RFC 3339, UTC');
