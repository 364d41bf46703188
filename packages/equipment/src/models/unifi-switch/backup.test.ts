import { startUnifiSwitch, typeInto, type UnifiSwitchOptions } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { createMask } from '../configuration/mask.ts';
import { isSame } from '../configuration/text.ts';
import { stepsOf, typed } from '../testing/configurations.ts';
import { account, backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { backup } from './unifi-switch.ts';

async function sit(options: Partial<UnifiSwitchOptions> = {}, transport: 'ssh' | 'telnet' = 'ssh') {
  const start = (login: typeof account) =>
    startUnifiSwitch({ ...login, secondMs: 1, telnetPort: 0, ...options });
  const about = { model: 'unifi-switch', transport };
  return { ...(await simulated(start, about)), model: backup() };
}

describe('the configuration of a UniFi switch', () => {
  it('is its file, byte for byte, also with Fastpath', async () => {
    const { device, model, connect } = await sit({ fastpath: true });

    const { content } = await backUp(model, connect());

    expect(bytesOf(content)).toEqual(device.running());
  });

  it('is no mixture of before and after a change', async () => {
    const { model, connect } = await sit();
    const connection = connect();
    const exec = connection.exec.bind(connection);
    connection.exec = async (command, options) => {
      const answer = await exec(command, options);
      if (command === 'cat /tmp/system.cfg') {
        await exec('echo users.status=enabled > /tmp/system.cfg');
      }
      return answer;
    };

    await expect(backUp(model, connection)).rejects.toThrow('changed while it was being read');
  });

  it('is not one in which a single bit is another', async () => {
    const { model, connect } = await sit();
    const connection = connect();
    const exec = connection.exec.bind(connection);
    connection.exec = async (command, options) => {
      const answer = await exec(command, options);
      if (command === 'cat /tmp/system.cfg') answer.writeUInt8((answer[100] ?? 0) ^ 1, 100);
      return answer;
    };

    await expect(backUp(model, connection)).rejects.toThrow('a different checksum');
  });

  it('needs ssh, as Fastpath behind telnet does not show it', async () => {
    const { model, connect } = await sit({}, 'telnet');

    await expect(backUp(model, connect())).rejects.toThrow('require SSH');
  });

  it('is not changed by a stamp of the controller', async () => {
    const [before, after] = ['3f9a2c1d4e5f6071', '59d7b3e100000000'].map((stamp) =>
      Buffer.from(`users.status=enabled\nmgmt.cfgversion=${stamp}\nswitch.status=enabled\n`),
    );

    expect(before && after && (await isSame(before, after, backup()))).toBe(true);
  });

  it.each([
    'users.1.password=$6$canary$canary',
    'users.2.password=canary',
    'mgmt.authkey=canary',
    'mgmt.cloud_pass=canary',
    'unifi.key=canary',
    'switch.wevent.key=canary',
    'switch.snmp.community=canary',
    'snmp.community=canary',
    'snmp.community.1.name=canary',
    'snmp.user.1.password=canary with blanks',
    'switch.dot1x.radius.auth.1.secret=canary=canary',
    'aaa.1.radius.acct.1.secret=canary',
    'unms.uri=wss://192.168.1.5:443+canary+allowUntrustedCertificate',
    'cron.1.job.1.cmd=wget http://ann:canary@192.168.1.5/x',
  ])('hides the secret of %s', (line) => {
    const masked = createMask(Buffer.alloc(32, 1)).text(`${line}\n`, backup().secrets);

    expect(masked).not.toContain('canary');
    expect(masked).toContain(`${line.split('=')[0]}=`);
    expect(masked).toMatch(/<secret [0-9a-f]{12}>/);
  });

  it.each([
    'sshd.auth.passwd=enabled',
    'sshd.auth.key.1.value=AAAAC3NzaC1lZDI1NTE5AAAAIHRlc3Q',
    'snmp.community.1.status=enabled',
    'switch.port.1.name=key of the password',
    'switch.wevent.key=',
    'mgmt.servers.1.url=http://192.168.1.5:8080/inform',
    'ppp.1.passthrough=enabled',
    'aaa.1.wpa.key.1.mgmt=WPA-PSK',
  ])('shows %s', (line) => {
    expect(createMask(Buffer.alloc(32, 1)).text(line, backup().secrets)).toBe(line);
  });

  it('gets back into a switch by the steps, which warn of the controller', async () => {
    const sitting = await sit();
    const { device } = sitting;
    const version = device.running();
    const other = await sit({ configuration: 'users.status=enabled\nswitch.status=enabled\n' });

    const [copy, put, apply] = stepsOf(sitting, version);
    await other.connect().upload(copy?.lines[1]?.split(':').at(-1) ?? '', version);
    const output = await typeInto(other.device, account, '# ', [
      ...typed([...(put?.lines ?? []), ...(apply?.lines ?? [])], '# '),
      { keys: 'ls /tmp\r', until: 'previous.cfg\r\n' },
    ]);

    expect(output).toContain('Storing Active');
    expect(other.device.running()).toEqual(version);
    expect(other.device.startup()).toEqual(version);
    expect(output.split('ls /tmp\r\n')[1]).toBe('system.cfg\r\nprevious.cfg\r\n');
    expect(copy?.title).toContain('A controller overwrites the whole configuration');
    expect(copy?.lines).toEqual([
      'skolo backup show device-1 --version abc --secrets -o device-1.cfg',
      `scp -O -P ${device.port} device-1.cfg ubnt@127.0.0.1:/tmp/version.cfg`,
    ]);
  });

  it('stays as it is where only a part of the version arrived', async () => {
    const sitting = await sit();
    const { device, connect } = sitting;
    const version = Buffer.from('users.status=enabled\nswitch.status=enabled\n');
    const before = device.running();

    const [, put] = stepsOf(sitting, version);
    await connect().upload('/tmp/version.cfg', version.subarray(0, 30));
    const last = { keys: 'echo done\r', until: '\ndone' };
    await typeInto(device, account, '# ', [...typed(put?.lines ?? [], '# '), last]);

    expect(device.running()).toEqual(before);
    expect(device.startup()).toEqual(before);
  });
});
