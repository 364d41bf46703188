/**
 * Shelly of the first generation: the password of its web server. It is kept at once.
 *
 * Tried with: its simulator only.
 * Source: shelly-api-docs.shelly.cloud/gen1, "/settings/login".
 */
import { httpTo } from '@skolo/equipment';
import type { Accounts } from '../contract/accounts.ts';

export const accounts: Accounts = {
  parts: ['password'],
  async open(device, access, signal) {
    const send = httpTo(device, access, { signIn: 'basic' });
    await send({ path: '/status' }, signal);
    return {
      async set({ password }) {
        if (password === undefined) return;
        const { username = 'admin' } = await access.credentials();
        const form = new URLSearchParams({ enabled: '1', username, password: password.reveal() });
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        await send({ method: 'POST', path: '/settings/login', headers, body: `${form}` }, signal);
      },
      async save() {},
      async close() {},
    };
  },
};
