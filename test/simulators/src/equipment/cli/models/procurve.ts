/**
 * HP ProCurve and ArubaOS-S over ssh and telnet, which replays procurve.session: a screen that waits for any key before the first prompt, everything
 * painted with VT100 sequences, a pager that only newer firmware turns off, `enable` that asks for a name and a password, and a
 * logout that asks twice.
 *
 * Sources: ArubaOS-Switch Management and Configuration Guide for YA/YB.16 ("Using the Command Line Interface"); Oxidized's, netmiko's and RANCID's notes on what it sends and asks; see
 * procurve-screen.ts for the sequences.
 */
import type { ReplayingDevice } from '../core.ts';
import { configuration, to } from '../switch/commands.ts';
import type { Commands, Run, SwitchModel, SwitchOptions } from '../switch/model.ts';
import { replaying } from '../switch/replay.ts';
import { startSwitch } from '../switch/switch.ts';
import { tableCommands } from './host-tables.ts';
import { ProcurveScreen, procurvePager } from './procurve-screen.ts';

export interface ProcurveOptions extends Omit<SwitchOptions, 'enablePassword'> {
  /** Who signs in is a manager, privileged from the start, or an operator; manager when absent. */
  role?: 'manager' | 'operator';
  /** Of the manager, whom `enable` asks for; without a name it asks for the password only, without both for nothing. */
  manager?: { username?: string; password: string };
  /** How lines are scrolled; `next-line` when absent. */
  scrolls?: 'next-line' | 'delete-and-insert';
  /** Firmware that does not know `no page`. */
  alwaysPages?: boolean;
}

const example = `hostname "procurve-1"
module 1 type j9773a
include-credentials
password manager user-name "admin" sha1 "5ec2e70011223344556677889900aabbccddeeff"
password operator sha1 "5ec2e7ffeeddccbbaa0099887766554433221100"
console idle-timeout 300
fault-finder broadcast-storm sensitivity medium
timesync sntp
sntp unicast
sntp authentication
sntp authentication key-id 1 authentication-mode md5 key-value "S3cretSntp" trusted
sntp server priority 1 192.168.1.1
time daylight-time-rule western-europe
radius-server key "S3cretRadiusOfAll"
radius-server host 10.0.0.6 key "S3cretRadius"
radius-server host 10.0.0.8 encrypted-key "S3cretRadiusEncrypted"
tacacs-server host 10.0.0.5 key "S3cretTacacs"
tacacs-server key "S3cretTacacsOfAll"
key-chain "ospf" key 1 key-string "S3cretKeyString"
ip default-gateway 192.168.1.1
ip ssh filetransfer
interface 1
   name "to skia-rpi2-rack4-shelf1-001"
   exit
interface 2
   name "to skia-rpi2-rack4-shelf1-002"
   power-over-ethernet critical
   exit
interface 28
   name "uplink # not a comment"
   exit
snmp-server community "S3cretCommunity" unrestricted
snmp-server community "S3cretRead" operator restricted
snmp-server contact "ann@example.com" location "rack 4"
snmp-server host 10.0.0.7 community "S3cretTrapCommunity" trap-level not-info
snmpv3 enable
snmpv3 user "skolo" auth sha "S3cretSnmpAuth" priv aes "S3cretSnmpPriv"
aaa authentication ssh login public-key
aaa port-access supplicant 28 identity "switch" secret "S3cretSupplicant"
router ospf
   area backbone
   exit
vlan 1
   name "DEFAULT_VLAN"
   no untagged 1-24
   untagged 25-28
   ip address dhcp-bootp
   exit
vlan 10
   name "phones"
   untagged 1-24
   tagged 28
   no ip address
   ip ospf 10.10.0.5 authentication-key "S3cretOspf"
   exit
no tftp server
no autorun
`;

const header = `; J9773A Configuration Editor; Created on release #YA.16.11.0005
; Ver #14:01.4f.f8.1d.9b.3f.bf.bb.ef.7c.59.fc.6b.fb.9f.fc.ff.ff.37.ef:05

`;

const copyright = `HP J9773A 2530-24G-PoEP Switch
Software revision YA.16.11.0005

(C) Copyright 2021 Hewlett Packard Enterprise Development LP

                   RESTRICTED RIGHTS LEGEND
 Confidential computer software. Valid license from Hewlett Packard Enterprise
 Development LP required for possession, use or copying.
`;

const rejected = 'Unable to verify password\n';

function enableFor({ manager, scrolls = 'next-line' }: ProcurveOptions): Run {
  return async (talk) => {
    const { terminal } = talk;
    if (manager !== undefined) {
      const { username, password } = manager;
      const screen = ProcurveScreen.of(terminal, scrolls);
      const name = username === undefined ? undefined : await screen.ask('Username: ', false);
      const word = await screen.ask('Password: ', true);
      if (name !== username || word !== password) return rejected;
    }
    talk.mode = 'privileged';
    return '';
  };
}

function modelFor(options: ProcurveOptions): SwitchModel {
  const { role = 'manager', scrolls = 'next-line', alwaysPages = false } = options;
  const everywhere: Commands = {
    ...(!alwaysPages && { 'no page': setPaging(false), page: setPaging(true) }),
    ...tableCommands('procurve'),
    logout: logOut,
    'terminal width <columns>': '',
  };
  return {
    name: 'procurve',
    ident: 'Mocana SSH 6.3',
    signIn: ['publickey', 'password', 'keyboard-interactive'],
    words: { user: 'Username: ', wrong: rejected },
    maxSessions: 5,
    pager: procurvePager,
    greeting: '',
    async welcome({ terminal }) {
      await ProcurveScreen.of(terminal, scrolls).welcome(copyright);
      terminal.put(
        `Your previous successful login (as ${role}) was on 2026-11-19 09:12:33\n from 192.168.1.8\n`,
      );
    },
    readLine: ({ terminal }, prompt) => ProcurveScreen.of(terminal, scrolls).readLine(prompt),
    hostName: 'HP-2530-24G-PoEP',
    serial: 'CN69FP30AB',
    firstMode: role === 'manager' ? 'privileged' : 'user',
    modes: {
      user: {
        prompt: '{host}> ',
        commands: { ...everywhere, enable: enableFor(options), exit: logOut },
      },
      privileged: {
        prompt: '{host}# ',
        commands: {
          ...everywhere,
          'show running-config': configuration('{running}'),
          'write terminal': configuration('{running}'),
          'show config': '{startup}',
          'show config status': status,
          exit: to('user'),
        },
      },
    },
    rejections: {
      invalid: 'Invalid input: {word}\n',
      incomplete: 'Incomplete input: {last}\n',
      ambiguous: 'Ambiguous input: {line}\n',
    },
    example,
    running: `\nRunning configuration:\n\n${header}{text}\n`,
    startup: `\nStartup configuration: 1\n\n${header}{text}\n`,
    banner: {
      at: /^(?=interface )/m,
      text: 'banner motd "Authorized use only\n{added}\n"\n',
    },
    logs: {
      logLine: 'I 11/20/26 10:37:49 00076 ports: port 1 is now on-line',
      error: 'Not authorized to run this command.\n',
    },
  };
}

const logOut: Run = async (talk) => {
  const { terminal, device } = talk;
  if ((await terminal.readKey('Do you want to log out (y/n)? ')) !== 'y') return '';
  if (device.isUnsaved) {
    const question = 'Do you want to save current configuration (y/n/^C)? ';
    if ((await terminal.readKey(question)) === 'y') device.save(terminal.session.user);
  }
  talk.isOver = true;
  return '';
};

const status: Run = ({ device }) =>
  device.isUnsaved
    ? '\n Running configuration has been changed and needs to be saved.\n'
    : '\n Running configuration is same as the startup configuration.\n';

function setPaging(isOn: boolean): Run {
  return ({ terminal }) => {
    if (isOn) terminal.pager = procurvePager;
    else if (!terminal.session.faults.has('pager-stays')) terminal.pager = undefined;
    return '';
  };
}

export function startProcurve(options: ProcurveOptions): Promise<ReplayingDevice> {
  return startSwitch(replaying(modelFor(options), /^write memory/), options);
}
