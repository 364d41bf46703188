/**
 * Shelly of the second generation: the password of its user admin. It is kept at once, and never travels: the device gets the
 * digest that it compares with.
 *
 * Tried with: its simulator only.
 * Source: shelly-api-docs.shelly.cloud/gen2, "Authentication", "Shelly.SetAuth", "Shelly.GetDeviceInfo".
 */
import { createHash } from 'node:crypto';
import { DeviceRefused, httpTo, readJson } from '@skolo/equipment';
import { z } from 'zod';
import type { Accounts } from '../contract/accounts.ts';
import { asAdmin } from './outlets.ts';

const Info = z.object({ id: z.string().min(1), auth_en: z.boolean() });
const Frame = z.object({ error: z.object({ message: z.string().default('') }).optional() });

export const accounts: Accounts = {
  parts: ['password'],
  async open(device, access, signal) {
    const { name } = device;
    const send = httpTo(device, asAdmin(access), { signIn: 'digest' });
    await send({ path: '/rpc/Shelly.GetStatus' }, signal);
    return {
      async set({ password }) {
        if (password === undefined) return;
        const { body } = await send({ path: '/rpc/Shelly.GetDeviceInfo' }, signal);
        const info = readJson(name, body, Info, 'its description');
        if (!info.auth_en) throw new DeviceRefused(name, 'it asks for no password');
        const ha1 = createHash('sha256')
          .update(`admin:${info.id}:${password.reveal()}`)
          .digest('hex');
        const request = {
          id: 1,
          method: 'Shelly.SetAuth',
          params: { user: 'admin', realm: info.id, ha1 },
        };
        const headers = { 'content-type': 'application/json' };
        const answer = await send(
          { method: 'POST', path: '/rpc', headers, body: JSON.stringify(request) },
          signal,
        );
        const { error } = readJson(name, answer.body, Frame, 'the result of Shelly.SetAuth');
        if (error)
          throw new DeviceRefused(
            name,
            `it does not take the password: ${error.message.slice(0, 200)}`,
          );
      },
      async save() {},
      async close() {},
    };
  },
};
