/** What is told at a Fastpath interface is told there, and nowhere else: without an interface, `poe reset` is for all ports. */
import { type CliSession, DeviceRefused } from '@skolo/equipment';
import { describe, expect, it } from 'vitest';
import { patient } from '../testing/cli.ts';
import { atInterface } from './fastpath-poe.ts';

/** A session that answers `interface` in this way. */
function session(answer: string): { cli: CliSession; told: string[] } {
  const told: string[] = [];
  const cli: CliSession = {
    async run(command) {
      told.push(command);
      return command.startsWith('interface') ? answer : '';
    },
    runBytes: () => Promise.reject(new Error('nothing to read')),
    read: () => Promise.reject(new Error('nothing to read')),
    isOpen: () => true,
    close: async () => undefined,
  };
  return { cli, told };
}

describe('a command at an interface', () => {
  it('is told there', async () => {
    const { cli, told } = session('');

    await atInterface('switch-1', cli, '0/14', 'poe reset 5', patient());

    expect(told).toEqual(['configure', 'interface 0/14', 'poe reset 5', 'exit', 'exit']);
  });

  it.each([
    '\nInterface 0/14 does not exist.\n',
    'Slot 0 port 14: not present',
    '\n                 ^\n% something that no dialect knows',
  ])('is not told where the switch says something instead of going there: %j', async (answer) => {
    const { cli, told } = session(answer);

    const error = await atInterface('switch-1', cli, '0/14', 'poe reset 5', patient()).catch(
      (thrown: unknown) => thrown,
    );

    expect(error).toBeInstanceOf(DeviceRefused);
    expect(told).not.toContain('poe reset 5');
    expect(told.slice(0, 2)).toEqual(['configure', 'interface 0/14']);
  });
});
