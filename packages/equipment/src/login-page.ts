/** Web pages that ask for a password where a device ought to have answered. */
import { type DeviceError, DeviceRefused, SignInRefused } from './errors.ts';

const passwordField = /<input\b[^>]*\btype\s*=\s*["']?password\b/i;

export function isLoginPage(body: string): boolean {
  return passwordField.test(body);
}

/** @param wanted what should have come */
export function notAnAnswer(device: string, body: string, wanted: string): DeviceError {
  // Whoever sends it a password with each request has just been rejected, perhaps for the third time.
  if (isLoginPage(body)) {
    return new SignInRefused(device, `it answers with a login page, not ${wanted}`);
  }
  const what = /^\s*</.test(body) ? 'a web page' : 'something else';
  return new DeviceRefused(device, `it answers with ${what}, not ${wanted}`);
}
