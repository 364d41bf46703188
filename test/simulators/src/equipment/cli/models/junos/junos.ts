/**
 * Juniper EX switch or SRX router (Junos) over ssh: `user@host> `, with a line that says which member of a virtual chassis
 * this is in front of it, a pager that tells how much was shown, and a channel for single commands, which answers a
 * command that it does not know with status 0, too.
 *
 * Sources: Junos CLI User Guide ("CLI Operational Mode", "Loading Configuration Files", "Commit Operation" with `commit
 * confirmed`); sessions that gnetcli recorded (blank behind the echo, empty line before the prompt, rejections); RANCID's and
 * netmiko's notes on `{master:0}`. The 40 blanks with which the pager disappears are from users' logs.
 */
import type { ConfiguredDevice } from '../../core.ts';
import { leave, configuration as shown, to } from '../../switch/commands.ts';
import type { Commands, Run, SwitchModel, SwitchOptions } from '../../switch/model.ts';
import { startSwitch } from '../../switch/switch.ts';
import { runIn } from '../../switch/talk.ts';
import { junosArp, junosLinks, junosMacTable, junosOldMacTable, prints } from '../host-tables.ts';
import { JunosConfiguration } from './junos-configuration.ts';

export interface JunosOptions extends SwitchOptions {
  /** Prints `{master:0}` before each prompt; true when absent. */
  isMember?: boolean;
  /** False: its tables have the form before ELS; true when absent. */
  hasEls?: boolean;
}

export const junosExample = `version 21.4R3-S5.4;
system {
    host-name ex-1;
    root-authentication {
        encrypted-password "$6$S3cretSalt$S3cretHashOfRoot";
    }
    login {
        message "Authorized use only\\n";
        user skolo {
            uid 2000;
            class super-user;
            authentication {
                encrypted-password "$6$S3cretSalt$S3cretHashOfTheReader";
                ssh-ed25519 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPublicKeyThatIsNoSecretAtAll000000 skolo@rack4";
            }
        }
    }
    services {
        ssh;
        netconf {
            ssh;
        }
    }
    time-zone America/New_York;
    tacplus-server {
        10.0.0.5 secret "$9$S3cretTacacs";
    }
    radius-server {
        10.0.0.6 {
            secret "$9$S3cretRadius";
            timeout 5;
        }
    }
    archival {
        configuration {
            archive-sites {
                "scp://backup:S3cretOfTheUrl@10.0.0.9/junos";
                "scp://backup@10.0.0.10/junos" password "$9$S3cretArchive";
            }
        }
    }
    ntp {
        authentication-key 1 type md5 value "$9$S3cretNtp";
        server 192.168.1.1 key 1;
    }
}
chassis {
    aggregated-devices {
        ethernet {
            device-count 2;
        }
    }
}
security {
    ike {
        policy to-office {
            proposal-set standard;
            pre-shared-key ascii-text "$9$S3cretIke";
        }
    }
    macsec {
        connectivity-association uplinks {
            pre-shared-key {
                ckn 37c9c2c45ddd012aa5bc8ef284aa23ff;
                cak "$9$S3cretMacsec";
            }
        }
    }
}
/* not
   { to be touched } */
interfaces {
    ge-0/0/0 {
        description "to skia-rpi2-rack4-shelf1-001 { not a brace }";
        unit 0 {
            family ethernet-switching {
                vlan {
                    members phones;
                }
            }
        }
    }
    ge-0/0/1 {
        description "to skia-rpi2-rack4-shelf1-002";
        unit 0 {
            family ethernet-switching {
                vlan {
                    members phones;
                }
            }
        }
    }
    irb {
        unit 10 {
            family inet {
                address 10.10.0.4/24 {
                    vrrp-group 10 {
                        virtual-address 10.10.0.1;
                        authentication-type md5;
                        authentication-key "$9$S3cretVrrp";
                    }
                }
            }
        }
    }
    me0 {
        unit 0 {
            family inet {
                address 192.168.1.23/24;
            }
        }
    }
}
snmp {
    location "rack 4";
    v3 {
        usm {
            local-engine {
                user skolo {
                    authentication-sha {
                        authentication-key "$9$S3cretSnmpAuth";
                    }
                    privacy-aes128 {
                        privacy-key "$9$S3cretSnmpPriv";
                    }
                }
            }
        }
    }
    community S3cretCommunity {
        authorization read-only;
    }
    trap-group S3cretTrapCommunity {
        targets {
            10.0.0.7;
        }
    }
}
routing-options {
    static {
        route 0.0.0.0/0 next-hop 192.168.1.1;
    }
}
protocols {
    bgp {
        group office {
            authentication-key "$9$S3cretBgp";
            neighbor 10.0.0.1 {
                peer-as 65000;
            }
        }
    }
    ospf {
        area 0.0.0.0 {
            interface irb.10 {
                authentication {
                    md5 1 key "$9$S3cretOspf";
                }
            }
            interface me0.0 {
                authentication {
                    simple-password "$9$S3cretOspfPlain";
                }
            }
        }
    }
    isis {
        level 2 {
            authentication-key "$9$S3cretIsis";
        }
        interface irb.10 {
            hello-authentication-key "$9$S3cretIsisHello";
        }
    }
}
access {
    profile office {
        client ann {
            chap-secret "$9$S3cretChap";
        }
    }
}
vlans {
    phones {
        vlan-id 10;
    }
}
`;

const version = `Hostname: {host}
Model: ex2300-24p
Junos: 21.4R3-S5.4
JUNOS OS Kernel 32-bit  [20230922.b1a3f4e_builder_stable_12_214]
JUNOS Base OS boot [21.4R3-S5.4]
`;

const hardware = `Hardware inventory:
Item             Version  Part number  Serial number     Description
Chassis                                {serial17} EX2300-24P
Pseudo CB 0
Routing Engine 0          BUILTIN      BUILTIN           RE-EX2300-24P
FPC 0            REV 18   650-059881   {serial17} EX2300-24P
  CPU                     BUILTIN      BUILTIN           FPC CPU
  PIC 0          REV 18   BUILTIN      BUILTIN           24x10/100/1000 Base-T
Power Supply 0                         BUILTIN           JPSU-EX2300-AC
`;

const CTRL_D = '\x04';

const screenLength: Run = ({ terminal }, [, , , rows]) => {
  if (rows === '0' && !terminal.session.faults.has('pager-stays')) terminal.pager = undefined;
  return `Screen length set to ${rows}\n`;
};

const run: Run = async (talk, [, command = '']) =>
  (await runIn(talk, 'privileged', command)) ?? 'unknown command.\n';

/** What changes its configuration. */
function statements(configuration: JunosConfiguration): Readonly<Record<string, string | Run>> {
  function commit(answer: string): Run {
    return ({ terminal: { session }, device }, [, confirmed, minutes = '10']) => {
      const time = confirmed === 'confirmed' ? Number(minutes) : undefined;
      session.act(() => configuration.commit(session, time));
      return device.fill(answer, { minutes });
    };
  }
  const committed = commit('configuration check succeeds\ncommit complete\n');
  const confirmed = commit(
    'configuration check succeeds\ncommit confirmed will be automatically rolled back in {minutes} minutes unless confirmed\ncommit complete\n',
  );
  const leaveConfiguration: Run = async (talk) => {
    if (configuration.isChanged) {
      talk.terminal.put('The configuration has been changed but not committed\n');
      const question = 'Exit with uncommitted changes? [yes,no] (yes) ';
      if ((await talk.terminal.readLine(question)).startsWith('n')) return '';
    }
    talk.mode = 'privileged';
    return 'Exiting configuration mode\n';
  };
  return {
    async 'set <path…>'({ terminal }, [, path = '']) {
      const user = /^system login user (\S+) authentication plain-text-password$/.exec(path)?.[1];
      if (user !== undefined) {
        const first = await terminal.readPassword('New password:', 'none');
        const again = await terminal.readPassword('Retype new password:', 'none');
        if (first !== again) return 'error: Passwords are not equal; aborting\n';
        terminal.session.act(() => configuration.setPassword(user, first));
        return '';
      }
      terminal.session.act(() => configuration.set(path));
      return '';
    },
    'delete <path…>': (_talk, [, path = '']) => configuration.delete(path),
    show: () => configuration.showCandidate(),
    'run <command…>': run,
    async 'load override terminal'({ terminal }) {
      terminal.put('[Type ^D at a new line to end input]\n');
      let text = '';
      for (;;) {
        const line = await terminal.readLine('');
        if (line === CTRL_D) return configuration.load(text);
        text += `${line}\n`;
      }
    },
    rollback: () => configuration.rollback(0),
    'rollback <number>': (_talk, [, number]) => configuration.rollback(Number(number)),
    'commit check': 'configuration check succeeds\n',
    commit: committed,
    'commit and-quit': committed,
    'commit confirmed': confirmed,
    'commit confirmed <minutes>': confirmed,
    'exit|quit': leaveConfiguration,
    'exit|quit configuration-mode': leaveConfiguration,
  };
}

/** Commands outside of configuration mode. */
function operational(configuration: JunosConfiguration, hasEls: boolean): Commands {
  return {
    'exit|quit': leave,
    configure: to('config', 'Entering configuration mode\n'),
    'configure exclusive': to(
      'config',
      'warning: uncommitted changes will be discarded on exit\nEntering configuration mode\n',
    ),
    'show configuration': shown('{running}'),
    'show configuration <as-commands…>': ({ terminal: { session } }) =>
      session.configuration(configuration.showAsCommands()),
    'set cli screen-length <rows>': screenLength,
    'set cli screen-width <columns>': 'Screen width set to {3}\n',
    'set cli complete-on-space off': 'Disabling complete-on-space\n',
    'set cli complete-on-space on': 'Enabling complete-on-space\n',
    'set cli terminal <type>': '',
    'show system commit': () => configuration.history(),
    'show version': version,
    'show version detail': version,
    'show chassis hardware': hardware,
    'show chassis hardware detail': hardware,
    'show chassis alarms': 'No alarms currently active\n',
    'show system license': 'License usage: none\n',
    'show ethernet-switching table': prints(hasEls ? junosMacTable : junosOldMacTable),
    'show interfaces terse': prints(junosLinks),
    'show arp no-resolve': prints(junosArp),
  };
}

function modelFor({
  configuration: text = junosExample,
  isMember = true,
  hasEls = true,
}: JunosOptions): SwitchModel {
  const configuration = new JunosConfiguration(text);
  const member = isMember ? '{master:0}' : '';
  return {
    name: 'junos',
    ident: 'OpenSSH_7.5',
    signIn: ['publickey', 'password', 'keyboard-interactive'],
    words: { password: 'Password:', wrong: 'Login incorrect\n' },
    screen: (pty) => ({
      interactive: pty !== undefined,
      newline: pty ? '\r\n' : '\n',
      repaint: () => ' ',
    }),
    pager: {
      text: (share) => (share < 0.1 ? '---(more)---' : `---(more ${Math.round(share * 100)}%)---`),
      erase: `\r${' '.repeat(40)}\r`,
      rows: 23,
    },
    // Pipes that change nothing here.
    rewrite: (line) => line.replace(/ *\|(?! *display set\b)[^|]*/g, ''),
    greeting: '--- JUNOS 21.4R3-S5.4 Kernel 32-bit  JNPR-12.1-20230922.b1a3f4e_buil',
    firstMode: 'privileged',
    exec: { status: 0, unknown: '' },
    exitStatus: 0,
    hostName: '',
    serial: 'JW3619430123',
    rejections: { invalid: '{marker}unknown command.\n' },
    ownAccounts: ({ password }) => configuration.accounts(password),
    modes: {
      privileged: {
        prompt: `\n${member}${isMember ? '\n' : ''}{user}@{host}> `,
        commands: operational(configuration, hasEls),
      },
      config: { prompt: `\n${member}[edit]\n{user}@{host}# `, commands: statements(configuration) },
    },
    running: '{configuration}',
    startup: '{configuration}',
    logs: {
      logLine:
        'Nov 20 10:37:49  ex-1 mib2d[1999]: SNMP_TRAP_LINK_DOWN: ifIndex 501, ifName ge-0/0/0',
      error: 'error: could not open configuration database (juniper.data+)\n',
    },
    values: {
      host: () => configuration.hostName,
      serial17: (device) => device.fill('{serial}').padEnd(17),
      configuration: ({ core }) => configuration.show(core.addedLines()),
    },
    boot: () => configuration.boot(),
  };
}

export function startJunos(options: JunosOptions): Promise<ConfiguredDevice> {
  return startSwitch(modelFor(options), options);
}
