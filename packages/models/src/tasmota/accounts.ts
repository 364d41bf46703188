/**
 * Tasmota: the password of its web server. It is kept in flash within a second.
 *
 * Tried with: its simulator only.
 * Oddities: the password travels in the URL, and a log on the serial port has the command. A value of one sign has a meaning of
 * its own: 0 takes the password away.
 * Source: tasmota.github.io/docs/Commands, "WebPassword"; the firmware's source.
 */
import { DeviceRefused } from '@skolo/equipment';
import type { Accounts } from '../contract/accounts.ts';
import { tasmota } from './commands.ts';

export const accounts: Accounts = {
  parts: ['password'],
  async open(device, access, signal) {
    const run = tasmota(device, access);
    await run('State', signal);
    return {
      async set({ password }) {
        if (password === undefined) return;
        if (!/^\w{8,32}$/.test(password.reveal())) {
          throw new DeviceRefused(device.name, 'it takes passwords of 8 to 32 letters and digits');
        }
        const answer = await run(`WebPassword ${password.reveal()}`, signal, 'WebPassword');
        if (answer.WebPassword !== undefined) return;
        throw new DeviceRefused(device.name, 'its answer does not say that it took the password');
      },
      async save() {},
      async close() {},
    };
  },
};
