import { describe, expect, it } from 'vitest';
import { fastpath } from './dialects/fastpath.ts';
import { openCli } from './open.ts';
import { type FakeSwitchOptions, fakeSwitch } from './testing/fake-switch.ts';
import { startSshServer } from './testing/ssh-server.ts';
import { deps, soon, target } from './testing/targets.ts';

async function openSwitch(options: FakeSwitchOptions = {}) {
  const device = fakeSwitch(options);
  const server = await startSshServer({ shell: device.serve });
  const cli = await openCli(target(server.port), 'ssh', fastpath, await deps(), soon());
  return { device, server, cli };
}

describe('a command line', () => {
  it('gives the answer of a command', async () => {
    const { cli, device } = await openSwitch({ answers: { 'show clock': 'line 1\r\nline 2\r\n' } });

    const answer = await cli.run('show clock', { signal: soon() });
    await cli.close();

    expect(answer).toBe('line 1\nline 2');
    expect(device.commands).toEqual(['enable', 'terminal length 0', 'show clock', 'logout']);
  });
});
