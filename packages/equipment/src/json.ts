/** Answers of devices, as the drivers expect them or not at all. */
import type { z } from 'zod';
import { notAnAnswer } from './login-page.ts';

/** @throws DeviceRefused It is no JSON, or not `what`. SignInRefused It is a login page. */
export function readJson<T>(device: string, body: string, schema: z.ZodType<T>, what: string): T {
  const read = schema.safeParse(jsonOf(body));
  if (read.success) return read.data;
  throw notAnAnswer(device, body, `with ${what}`);
}

/** The value, or undefined where the text is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
