import { describe, expect, it, onTestFinished } from 'vitest';
import { peer } from '../../peer.ts';
import { type EdgeSwitchOptions, startEdgeSwitch } from './edge-switch.ts';
import { openSsh } from './testing.ts';

const login = { user: 'ubnt', password: 'sw1tch' };

async function start(options: Partial<EdgeSwitchOptions> = {}) {
  const device = await startEdgeSwitch({
    username: 'ubnt',
    password: 'sw1tch',
    ports: 8,
    ...options,
  });
  onTestFinished(() => device.close());
  return device;
}

describe.skipIf(peer('ssh') === undefined)('EdgeSwitch, as OpenSSH sees it', () => {
  it('turns a port off and on', async () => {
    const device = await start();
    const ssh = await openSsh(device, login);

    await ssh.see('(UBNT EdgeSwitch) >');
    ssh.say('enable');
    await ssh.see('(UBNT EdgeSwitch) #');
    ssh.say('configure');
    await ssh.see('(UBNT EdgeSwitch) (Config)#');
    ssh.say('interface 0/3');
    await ssh.see('(UBNT EdgeSwitch) (Interface 0/3)#');
    ssh.say('poe opmode shutdown');
    console.log(JSON.stringify(await ssh.see('#')));
    ssh.say('show poe status all');
    console.log(await ssh.see(')#'));
    ssh.say('show poe port all');
    console.log(await ssh.see(')#'));
    expect(device.board.isOn('3')).toBe(false);
  });
});
