/** Validates HTTP responses of devices: JSON of the expected form, or an error that names what was received instead. */
import { parseJson } from '@skolo/base';
import type { z } from 'zod';
import { type DeviceError, DeviceRejected, SignInRejected } from '../errors.ts';

/** @throws DeviceRejected It is not JSON, or not `what`. SignInRejected It is a login page. */
export function readJson<T>(device: string, body: string, schema: z.ZodType<T>, what: string): T {
  const read = schema.safeParse(parseJson(body));
  if (read.success) return read.data;
  throw notAnAnswer(device, body, what);
}

const passwordField = /<input\b[^<>]*\btype\s*=\s*["']?password\b/i;

export function isLoginPage(body: string): boolean {
  return passwordField.test(body);
}

/** @param wanted the expected content */
export function notAnAnswer(device: string, body: string, wanted: string): DeviceError {
  // The password of the request was rejected, perhaps for the third time.
  if (isLoginPage(body)) {
    return new SignInRejected(device, `returned a login page instead of ${wanted}`);
  }
  const what = /^\s*</.test(body) ? 'a web page' : 'other content';
  return new DeviceRejected(device, `returned ${what} instead of ${wanted}`);
}
