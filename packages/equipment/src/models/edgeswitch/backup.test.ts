import { type EdgeSwitchOptions, startEdgeSwitch } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { isSame } from '../configuration/text.ts';
import { isMasked, restores, typed } from '../testing/configurations.ts';
import { backUp, bytesOf, simulated } from '../testing/simulated-device.ts';
import { backup } from './edgeswitch.ts';

const small = `hostname "switch 1 [rack4]"
network protocol none
vlan database
vlan 10
exit

configure
username "ubnt" password canary-user level 15 encrypted override
line console
exit

line telnet
exit

line ssh
exit

interface 0/3
description 'to skia-rpi2'
poe opmode shutdown
exit

exit
`;

const secretive = `configure
sntp authentication-key 1 md5 canary-sntp
ip ospf authentication encrypt canary-ospf
username "ubnt" password canary-user level 15 encrypted override
users passwd "me" canary-old-user
line console
password canary-line
exit

enable password canary-enable encrypted
radius server key auth "10.0.0.5" encrypted canary-radius
tacacs-server key encrypted "canary tacacs"
tacacs-server host 10.0.0.6
key canary-of-one
snmp-server community "canary-community" ro
snmp-server community ipaddr 10.0.0.0 canary-by-address
snmp-server host 10.0.0.7 traps version 2 "canary-traps"
snmp-server user "me" group auth-md5-key canary0auth priv-des-key canary0priv
no snmp-server community "canary-of-none"
copy backup ftp://me:canary-url@10.0.0.9/here
snmp-server sysname "the password is elsewhere"
interface 0/1
description 'key of the door'
exit

exit
`;

async function sit(options: Partial<EdgeSwitchOptions> = {}) {
  const sitting = await simulated(
    (login) => startEdgeSwitch({ ...login, ports: 8, secondMs: 1, ...options }),
    { model: 'edgeswitch' },
  );
  return { ...sitting, model: backup() };
}

describe('the configuration of an EdgeSwitch', () => {
  it('is what it shows, with a name in it, over ssh', async () => {
    const { device, model, connect } = await sit({ configuration: small });

    const { content, startup, identity } = await backUp(model, connect());

    expect(await isSame(bytesOf(content), device.running(), model)).toBe(true);
    expect(startup && (await isSame(bytesOf(content), startup, model))).toBe(true);
    expect(identity).toEqual({ serial: 'F09FC2DE5678', hostname: 'switch 1 [rack4]' });
  });

  it('shows no secret once it is masked', () => {
    const kept = ['the password is elsewhere', "description 'key of the door'", ' ro\n'];
    isMasked(secretive, backup(), {
      secret: /canary/g,
      least: 15,
      kept: [...kept, 'level 15 encrypted override'],
    });
  });

  it('gets back by the steps, exactly', async () => {
    const configuration = 'hostname "other"\nconfigure\nsntp server "x"\nexit\n';
    const other = await sit({ configuration });

    await restores(await sit({ configuration: small }), other, ' >', (lines) => [
      ...typed(lines, '\r\n'),
      { keys: '\rshow version\r', until: 'Software Version' },
    ]);

    expect(other.device.board.isOn('3')).toBe(false);
  });
});
