/**
 * Redfish: the password of the account of its login. It is kept at once.
 *
 * Tried with: its simulator, whose account service redfishtool (1.1.5) has changed as well.
 * Oddities: many controllers take at most 16 or 20 signs, and refuse a weak password with a reason.
 * Source: DSP0266 (AccountService), DSP0268 (ManagerAccount: `Password` is set by PATCH).
 */
import { DeviceRefused, httpTo, readJson } from '@skolo/equipment';
import { z } from 'zod';
import type { Accounts } from '../contract/accounts.ts';
import { redfish as facts } from './facts.ts';
import { Path, reasonOf } from './outlets.ts';

const Link = z.object({ '@odata.id': Path });
const Root = z.object({ AccountService: Link });
const Service = z.object({ Accounts: Link });
const Members = z.object({ Members: z.array(Link) });
const Account = z.object({ UserName: z.string().nullish() });

const mostAccounts = 32;

export const accounts: Accounts = {
  parts: ['password'],
  async open(device, access, signal) {
    const { name } = device;
    const { https } = z.object(facts.options).parse(device.options);
    const send = httpTo(device, access, { https, signIn: 'basic', reason: reasonOf });
    const headers = { accept: 'application/json', 'odata-version': '4.0' };
    const get = async <T>(path: string, schema: z.ZodType<T>): Promise<T> => {
      const { body } = await send({ path, headers }, signal);
      return readJson(name, body, schema, path);
    };
    const { AccountService } = await get('/redfish/v1/', Root);
    // The root is open to everybody; this is not.
    const { Accounts: all } = await get(AccountService['@odata.id'], Service);

    async function own(): Promise<string> {
      const { username } = await access.credentials();
      const { Members: members } = await get(all['@odata.id'], Members);
      for (const { '@odata.id': path } of members.slice(0, mostAccounts)) {
        if ((await get(path, Account)).UserName === username) return path;
      }
      throw new DeviceRefused(name, `its account service has no account ${username}`);
    }

    return {
      async set({ password }) {
        if (password === undefined) return;
        const body = JSON.stringify({ Password: password.reveal() });
        const json = { ...headers, 'content-type': 'application/json' };
        await send({ method: 'PATCH', path: await own(), headers: json, body }, signal);
      },
      async save() {},
      async close() {},
    };
  },
};
