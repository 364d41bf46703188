import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../../peer.ts';
import { execOn } from '../../testing.ts';
import { type EdgeosOptions, startEdgeos } from './edgeos.ts';

const login = { user: 'ubnt', password: 'edg3' };
const cfg = '/opt/vyatta/sbin/vyatta-cfg-cmd-wrapper';

async function start(options: Partial<EdgeosOptions> = {}) {
  const device = await startEdgeos({ username: 'ubnt', password: 'edg3', ...options });
  onTestFinished(() => device.close());
  const exec = (command: string) => execOn(device, login, command);
  return { device, exec };
}

function setPoe(port: string, output: string): string {
  const set = `${cfg} set interfaces ethernet ${port} poe output ${output}`;
  return `${cfg} begin; ${set} && ${cfg} commit; status=$?; ${cfg} end; exit $status`;
}

describe.skipIf(lacks('ssh'))('an EdgeRouter, to OpenSSH', () => {
  it('keeps a session to the command that began it', async () => {
    const { device, exec } = await start();

    await exec(`${cfg} begin`);
    const stranger = await exec(`${cfg} set interfaces ethernet eth1 poe output off`);
    await exec(`CMD_WRAPPER_SESSION_ID=7 ${cfg} begin`);
    await exec(`CMD_WRAPPER_SESSION_ID=7 ${cfg} set interfaces ethernet eth1 poe output off`);
    const before = device.board.isOn('eth1');
    await exec(`CMD_WRAPPER_SESSION_ID=7 ${cfg} commit`);

    expect(stranger).toEqual({ status: 1, output: 'not in configuration session\n' });
    expect([before, device.board.isOn('eth1')]).toEqual([true, false]);
  });

  it.each([
    ['eth1', '48v', 1, 'eth1 poe output 48v ]\n48v is not supported on eth1\n\nCommit failed\n'],
    ['eth1', '99v', 1, 'Value validation failed\nSet failed\n'],
    ['eth1', '24v', 1, 'The specified configuration node already exists\n'],
    ['eth0', '24v', 1, 'is not valid\n  Set failed\n'],
    ['eth9', '24v', 1, 'is not valid\n  Set failed\n'],
  ])('rejects %s %s', async (port, output, status, words) => {
    const { device, exec } = await start({
      ports: { eth0: { modes: [] }, eth1: { modes: ['24v'], saved: '24v' } },
    });

    const answer = await exec(setPoe(port, output));

    expect(answer.status).toBe(status);
    expect(answer.output).toContain(words);
    expect(device.board.get('eth1')).toEqual({ on: true, mode: '24v', watts: 4.5 });
  });
});
