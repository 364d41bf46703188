/**
 * Decides how long tests wait: a vitest setup file with which `vi.waitFor`, for which vitest has no setting, waits as long as `expect.poll`.
 */
import { vi } from 'vitest';

const { waitFor } = vi;
vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === 'number' ? options : { timeout: 900_000, ...options });
