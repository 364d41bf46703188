import { describe, expect, it, onTestFinished } from 'vitest';
import { lacks } from '../../../../peer.ts';
import type { CliDevice } from '../../core.ts';
import { execOn, openSsh } from '../../testing.ts';
import { startUnifiSwitch, type UnifiSwitchOptions } from './unifi-switch.ts';

const login = { user: 'ubnt', password: 'un1fi' };

async function start(options: Partial<UnifiSwitchOptions> = {}): Promise<CliDevice> {
  const device = await startUnifiSwitch({
    username: 'ubnt',
    password: 'un1fi',
    ports: 4,
    ...options,
  });
  onTestFinished(() => device.close());
  return device;
}

const exec = (device: CliDevice, command: string) => execOn(device, login, command);

function portsOn({ board }: CliDevice): string[] {
  return board.names().filter((port) => board.isOn(port));
}

describe.skipIf(lacks('ssh'))('a UniFi switch, to OpenSSH', () => {
  it('shows and switches one port', async () => {
    const device = await start();
    device.board.setWatts('2', 0);

    const set = await exec(device, 'swctrl poe set off id 3');
    const shown = await exec(device, 'swctrl poe show id 1-3');

    expect(set).toEqual({ status: 0, output: '' });
    expect(portsOn(device)).toEqual(['1', '2', '4']);
    expect(shown.output.split('\n').slice(4)).toEqual([
      '----  ------  ------------  --------  -------  ------  -------  --------  ----------  -----------',
      '   1    Auto        Dot3at     32000  Class 2      On     Good      4.50       53.46        84.18',
      '   2    Auto        Dot3at     32000  Unknown     Off      Bad      0.00        0.00         0.00',
      '   3     Off        Dot3at     32000  Unknown     Off      Bad      0.00        0.00         0.00',
      '',
    ]);
  });

  it('switches every port where none is named', async () => {
    const device = await start();

    await exec(device, 'swctrl poe set off');

    expect(portsOn(device)).toEqual([]);
  });

  it.each(['swctrl poe set off id', 'swctrl poe set off id 9', 'swctrl poe set up id 1', 'swctrl'])(
    'rejects %j',
    async (command) => {
      const device = await start();

      const { status } = await exec(device, command);

      expect(status).toBe(1);
      expect(portsOn(device)).toHaveLength(4);
    },
  );

  it.each([
    ['telnet 127.0.0.1', 'enable\nconfigure\ninterface 0/2\npoe opmode shutdown\n'],
    [
      '(echo enable; echo configure; echo "interface 0/2"; echo "poe opmode shutdown") | telnet localhost 23',
      '',
    ],
  ])('takes what is piped into %s', async (command, input) => {
    const device = await start({ fastpath: true });
    const ssh = await openSsh(device, { ...login, options: ['-T'], command });

    ssh.endWith(input);
    await ssh.ended;

    expect(portsOn(device)).toEqual(['1', '3', '4']);
    expect(ssh.output).toContain('(UBNT) (Interface 0/2)#poe opmode shutdown');
  });

  it('comes up with all ports on', async () => {
    const device = await start();
    await exec(device, 'swctrl poe set off id 2');

    await device.reboot();

    expect(portsOn(device)).toHaveLength(4);
  });
});
