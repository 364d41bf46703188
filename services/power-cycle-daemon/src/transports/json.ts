/** Answers of devices, as the drivers expect them or not at all. */
import { DeviceRefused } from '@skolo/equipment';
import type { z } from 'zod';

/** @throws DeviceRefused It is no JSON, or not `what`. */
export function readJson<T>(device: string, body: string, schema: z.ZodType<T>, what: string): T {
  const read = schema.safeParse(jsonOf(body));
  if (read.success) return read.data;
  const isPage = /^\s*</.test(body);
  const hint = isPage ? 'a web page (a login page?)' : 'something else';
  throw new DeviceRefused(device, `it answers with ${hint}, not with ${what}`);
}

/** The value, or undefined where the text is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
