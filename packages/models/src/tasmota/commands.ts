/** Commands of Tasmota over HTTP. The password travels in the URL. */
import { DeviceRefused, httpTo, readJson, SignInRefused, withAnyOf } from '@skolo/equipment';
import type { Credentials } from '@skolo/secrets';
import { z } from 'zod';
import type { AccountAccess } from '../contract/accounts.ts';
import type { Device } from '../contract/device.ts';

const Answer = z.record(z.string(), z.unknown());
export type Answer = z.infer<typeof Answer>;

/** @param title of the command in messages; the command when absent */
type RunTasmota = (command: string, signal: AbortSignal, title?: string) => Promise<Answer>;

export function tasmota(device: Device, access: AccountAccess): RunTasmota {
  const { name } = device;
  const send = httpTo(device, access, { signIn: 'by-driver' });
  return async (command, signal, title = command) =>
    await withAnyOf(await access.credentials(), (credentials) =>
      run(credentials, { command, title }, signal),
    );

  async function run(
    { username = 'admin', password }: Credentials,
    { command, title }: { command: string; title: string },
    signal: AbortSignal,
  ): Promise<Answer> {
    const query = new URLSearchParams({ cmnd: command });
    if (password !== undefined) {
      query.set('user', username);
      query.set('password', password.reveal());
    }
    // Its web server reads %20; "+" only since some version.
    const path = `/cm?${query.toString().replaceAll('+', '%20')}`;
    const { body } = await send({ path }, signal);
    const answer = readJson(name, body, Answer, `the result of ${title}`);
    if (/\buser=/.test(String(answer.WARNING ?? ''))) {
      const what = password === undefined ? 'it wants a password' : 'it does not take its password';
      throw new SignInRefused(name, what);
    }
    if ('Command' in answer) throw new DeviceRefused(name, `it does not know ${title}`);
    return answer;
  }
}
