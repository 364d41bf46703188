/** What equipment may cost the whole service at sign-in, whatever it prints: one turn of the event loop is short, for the dialect of each model. */
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import { pause } from '@skolo/base';
import { listen, longestTurn, slowness } from '@skolo/base/testing';
import { models } from '@skolo/equipment/models';
import { expect, it } from 'vitest';
import { startLab } from '../testing/lab.ts';

/** Of CPU time, on the reference computer, with the start of all backups. */
const mostMs = 250;
/** A look is taken after 25, 400 and 2000 ms of silence. */
const silenceMs = 2200;
const pieces = [
  '*Mar  1 00:00:00.123: %SYS-5-CONFIG_I: Configured from console by admin\r\n',
  '\r\n',
  'a',
  '10:00:00 10:00:00 10:00:00\r\n',
  'switch-1# x\r\n',
];

/** Prints 4 KiB of each, and leaves. */
async function attack(socket: Socket, delayMs: number): Promise<void> {
  socket.on('error', () => undefined).resume();
  await pause(delayMs);
  for (const piece of pieces) {
    if (socket.destroyed) return;
    socket.write(piece.repeat(Math.ceil(4096 / piece.length)));
    await pause(silenceMs);
  }
  socket.destroy();
}

const commandLines = [...models.values()].filter(
  ({ transports, backup }) => transports.includes('telnet') && !('no' in backup),
);
const own: Readonly<Record<string, string>> = { generic: ', commands: [show]' };

it('has short turns while each dialect signs in to hostile equipment', async () => {
  const entries = await Promise.all(
    [
      ...commandLines.map(({ name }) => `model: ${name}${own[name] ?? ''}`),
      "model: generic, commands: [show], prompt: '^(\\w+\\s?)*[>#]$'",
    ].map(async (keys, at) => {
      // So that their looks are not in the same turn.
      const port = await listen(createServer((socket) => void attack(socket, at * 70)));
      return `  bad-${at}: { ${keys}, transport: telnet, address: 127.0.0.1, ports: { telnet: ${port} }, login: all }`;
    }),
  );
  const yaml = `logins: { all: { username: ann } }\nequipment:\n${entries.join('\n')}\n`;
  const lab = await startLab({ yaml, isFake: false });

  const { ms } = await longestTurn(() => lab.run());

  const { equipment } = await lab.admin.allEquipment({ query: {} });
  const attackers = equipment.filter(({ name }) => name.startsWith('bad-'));
  expect(attackers.length).toBeGreaterThan(12);
  expect(attackers.map(({ lastSuccess }) => lastSuccess)).toEqual(entries.map(() => undefined));
  expect(JSON.stringify(equipment)).toContain('no prompt: the regular expression');
  expect(ms / (await slowness())).toBeLessThan(mostMs);
});
