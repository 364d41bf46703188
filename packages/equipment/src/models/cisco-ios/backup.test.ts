import { AnswerUncertain } from '@skolo/equipment/transports';
import { type CiscoIosOptions, startCiscoIos } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { isSame } from '../configuration/text.ts';
import type { BackupModel } from '../contract/backup.ts';
import { isMasked, restores, typed } from '../testing/configurations.ts';
import {
  account,
  backUp,
  bytesOf,
  type SimulatedAbout,
  simulated,
} from '../testing/simulated-device.ts';
import { backup } from './backup.ts';
import { ciscoIos as dialect } from './dialect.ts';

const small = `version 16.12
hostname rack4-sw1
!
crypto pki certificate chain TP-self-signed-1
 certificate self-signed 01
  30820330 CA9A7E70 A0030201 02020101
  quit
!
interface GigabitEthernet1/0/2
 description { left and "right" [open] $5 \\ }
 power inline never
!
line vty 0 4
 login local
!
ntp server 192.168.1.1
!
end
`;

const secretive = `enable secret 9 $9$canary$enable
enable password level 15 7 canary-enable-7
username admin privilege 15 secret 5 $1$canary$user
username me password 0 canary-user
vtp password canary-vtp
ip ftp password 7 canary-ftp
aaa group server radius x
 server-private 10.0.0.1 key 7 canary-private
tacacs-server key 7 canary-tacacs
radius-server host 10.0.0.5 auth-port 1812 key canary-radius
tacacs server T1
 key 7 canary-block
aaa server radius dynamic-author
 client 10.0.0.5 server-key 7 canary-coa
key chain eigrp
 key 1
  key-string 7 canary-chain
crypto isakmp key canary-isakmp address 10.0.0.8
crypto ikev2 keyring K
 peer P
  pre-shared-key local 6 canary-ike
 profile
  pre-shared-key address 10.0.0.9 key canary-keyring
crypto pki certificate chain X
 certificate self-signed 01
  CANA7E30 canary-blob
  canary-blob-2
  \tquit
interface GigabitEthernet1/0/1
 description the password is on the wall
 ip ospf authentication-key 7 canary-ospf
 ip ospf message-digest-key 1 md5 7 canary-digest
 standby 1 authentication md5 key-string 7 canary-standby
 vrrp 2 authentication text canary-vrrp
 ip nhrp authentication canary-nhrp
 ppp chap password 7 canary-chap
 ppp pap sent-username me password 0 canary-pap
 wpa-psk ascii 7 canary-wpa
router ospf 1
 area 1 virtual-link 10.0.0.1 message-digest-key 1 md5 7 canary-link
router bgp 65001
 neighbor 10.0.0.2 password 7 canary-bgp
 neighbor 10.0.0.2 description gets its password by mail
router isis
 area-password canary-isis
archive
 path scp://me:canary-url@10.0.0.9/archive
snmp-server community canary-community RO
snmp-server host 10.0.0.7 version 2c canary-traps
snmp-server host 10.0.0.8 canary-old-traps
snmp-server user me group v3 auth sha canary-auth priv aes 128 canary-priv
ntp authentication-key 1 md5 canary-ntp 7
line vty 0 4
 password 7 canary-line
`;

/** As read: the empty line before the prompt is not part of it. */
const asRead = (shown: Buffer) =>
  Buffer.from(shown.toString('latin1').replace(/\n+$/, '\n'), 'latin1');

async function sit(options: Partial<CiscoIosOptions> = {}, about: Partial<SimulatedAbout> = {}) {
  const sitting = await simulated(
    (login) => startCiscoIos({ ...login, ports: 4, secondMs: 1, privilege: 15, ...options }),
    { model: 'cisco-ios', ...about },
  );
  return { ...sitting, model: backup() };
}

describe('the configuration of a Cisco switch', () => {
  it('is what it shows, with a name in it, over telnet', async () => {
    const options = { configuration: small, telnetPort: 0 };
    const { device, model, connect } = await sit(options, { transport: 'telnet' });

    const { content, startup, identity } = await backUp(model, connect());

    expect(await isSame(bytesOf(content), asRead(device.running()), model)).toBe(true);
    expect(startup && (await isSame(bytesOf(content), startup, model))).toBe(true);
    expect(identity).toEqual({ serial: 'FDO1234X0AB', hostname: 'rack4-sw1' });
  });

  it('is the same where load and time come in front of each answer', async () => {
    const { device, model, connect } = await sit({
      configuration: small,
      promptTimestamp: true,
      logging: 'behind-prompt',
      privilege: 1,
      enablePassword: account.password,
    });

    const { content, startup, identity } = await backUp(model, connect());

    expect(await isSame(bytesOf(content), asRead(device.running()), model)).toBe(true);
    expect(startup && (await isSame(bytesOf(content), startup, model))).toBe(true);
    expect(identity.serial).toBe('FDO1234X0AB');
  });

  it('is read once where it has the size that it reports, and again where log messages came', async () => {
    const { device, model, connect } = await sit({ configuration: small });
    const reads = () => device.received.filter(({ text }) => text === 'show running-config').length;

    await backUp(model, connect());
    const once = reads();
    device.faults.set('log-inside-line');
    await backUp(model, connect());

    expect(once).toBe(1);
    expect(reads()).toBeGreaterThan(2);
  });

  it('is uncertain where no two readings agree', async () => {
    const { model, connect } = await sit({ configuration: small });
    let count = 0;
    const log = '*Nov 20 10:37:49.492: %LINK-3-UPDOWN: Interface up';
    const mixed: BackupModel = {
      ...model,
      async read(connection) {
        const reading = await model.read(connection);
        count += 1;
        const text = bytesOf(reading.content).toString('latin1');
        const other = text.replace('login local', `login local ${count}\n${log}`);
        return { ...reading, content: { bytes: Buffer.from(other, 'latin1') } };
      },
    };

    await expect(backUp(mixed, connect())).rejects.toBeInstanceOf(AnswerUncertain);
    expect(count).toBe(4);
  });

  it.each([
    [
      'a certificate that is kept elsewhere',
      /( certificate self-signed 01)\n.*\n.*quit\n/,
      '$1 nvram:IOS-Self-Sig#4.cer\n',
    ],
    [
      'the lines in front of a compressed one',
      /^Using .*\n/,
      'Using 737 out of 65536 bytes, uncompressed size = 1474 bytes\nUncompressed configuration from 737 bytes to 1474 bytes\n',
    ],
    ['any other line in front', /^Using /, 'Reading it, please wait...\nUsing '],
  ])('is not unsaved for %s', async (_what, part, instead) => {
    const { device, model, connect } = await sit({ configuration: small });
    const connection = connect();
    const cli = await connection.cli(dialect);
    const other = asRead(device.startup()).toString().replace(part, instead);
    connection.cli = async () => ({
      run: (command) => cli.run(command),
      read: async (command) =>
        command.includes('startup') ? Buffer.from(other) : await cli.read(command),
    });
    const reading = await model.read(connection);

    expect(other).not.toBe(asRead(device.startup()).toString());
    const content = bytesOf(reading.content);
    const startup = reading.startup && model.startupLike?.(content, reading.startup);
    expect(startup && (await isSame(content, startup, model))).toBe(true);
  });

  it('shows no secret once it is masked', () => {
    const kept = [
      ...['password is on the wall', 'gets its password by mail', ' key 1\n', 'key chain eigrp'],
      ...['community <secret', ' RO\n', 'address 10.0.0.8', 'snmp-server host 10.0.0.7 version 2c'],
    ];
    isMasked(secretive, backup(), { secret: /canary/gi, least: 36, kept });
  });

  it('gets back by the steps, exactly', async () => {
    const configuration = 'hostname other\n!\nsnmp-server community x RO\n!\nend\n';
    const other = await sit({ configuration });

    await restores(await sit({ configuration: small }), other, 'other#', (lines) => [
      ...typed(lines, '\r\n'),
      { keys: 'show version\r', until: 'Configuration register' },
    ]);
    const { content, startup } = await backUp(other.model, other.connect());

    expect(other.device.startup().toString()).toContain(
      'description { left and "right" [open] $5 \\ }',
    );
    expect(startup && (await isSame(bytesOf(content), startup, other.model))).toBe(true);
    expect(other.device.board.isOn('Gi1/0/2')).toBe(false);
  });

  it('is not whole wherever it is cut', async () => {
    const { device, model } = await sit();
    const whole = asRead(device.running());

    const passing: number[] = [];
    for (const end of whole.keys()) {
      const missing = await model.incomplete({ bytes: whole.subarray(0, end) });
      if (missing === undefined) passing.push(end);
    }

    // Except for the last line end.
    expect(passing).toEqual([whole.length - 1]);
  });
});
