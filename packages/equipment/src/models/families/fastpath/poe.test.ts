/** Commands for a Fastpath interface are only sent in its mode: outside it, `poe reset` applies to all ports. */
import { DeviceRejected } from '@skolo/equipment/transports';
import { describe, expect, it } from 'vitest';
import type { Cli } from '../command-line/session.ts';
import { atInterface } from './poe.ts';

/** A session that answers `interface` in this way. */
function session(answer: string): { cli: Cli; commands: string[] } {
  const commands: string[] = [];
  const cli: Cli = {
    device: 'switch-1',
    async run(command) {
      commands.push(command);
      return command.startsWith('interface') ? answer : '';
    },
    close: async () => undefined,
  };
  return { cli, commands };
}

describe('a command at an interface', () => {
  it('is told there', async () => {
    const { cli, commands } = session('');

    await atInterface(cli, '0/14', 'poe reset 5');

    expect(commands).toEqual(['configure', 'interface 0/14', 'poe reset 5', 'exit', 'exit']);
  });

  it.each([
    '\nInterface 0/14 does not exist.\n',
    'Slot 0 port 14: not present',
    '\n                 ^\n% something that no dialect knows',
  ])('is not told where the switch says something instead of going there: %j', async (answer) => {
    const { cli, commands } = session(answer);

    const error = await atInterface(cli, '0/14', 'poe reset 5').catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(DeviceRejected);
    expect(commands).not.toContain('poe reset 5');
    expect(commands.slice(0, 2)).toEqual(['configure', 'interface 0/14']);
  });
});
