/**
 * Juniper EX switch or SRX router (Junos) over ssh, which replays junos.session: `user@host> `, with a line that says which member of a virtual chassis
 * this is in front of it, a pager that tells how much was shown, and a channel for single commands, which answers a
 * command that it does not know with status 0, too.
 *
 * Sources: Junos CLI User Guide ("CLI Operational Mode"); sessions that gnetcli recorded (blank behind the echo, empty line before the prompt, rejections); RANCID's and
 * netmiko's notes on `{master:0}`. The 40 blanks with which the pager disappears are from users' logs.
 */
import type { ReplayingDevice } from '../core.ts';
import { leave, configuration as shown } from '../switch/commands.ts';
import type { Run, SwitchModel, SwitchOptions } from '../switch/model.ts';
import { replaying } from '../switch/replay.ts';
import { startSwitch } from '../switch/switch.ts';
import { tableCommands } from './host-tables.ts';

export interface JunosOptions extends SwitchOptions {
  /** Prints `{master:0}` before each prompt; true when absent. */
  isMember?: boolean;
  /** False: its tables have the form before ELS; true when absent. */
  hasEls?: boolean;
  /** Of the login's class; those that it needs to read everything when absent. */
  permissions?: readonly string[];
  /** What its class may not see; nothing when absent. */
  denied?: string;
}

const example = `version 21.4R3-S5.4;
system {
    host-name ex-1;
    root-authentication {
        encrypted-password "$6$S3cretSalt$S3cretHashOfRoot"; ## SECRET-DATA
    }
    login {
        message "Authorized use only\\n";
        user skolo {
            uid 2000;
            class super-user;
            authentication {
                encrypted-password "$6$S3cretSalt$S3cretHashOfTheReader"; ## SECRET-DATA
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
        10.0.0.5 secret "$9$S3cretTacacs"; ## SECRET-DATA
    }
    radius-server {
        10.0.0.6 {
            secret "$9$S3cretRadius"; ## SECRET-DATA
            timeout 5;
        }
    }
    archival {
        configuration {
            archive-sites {
                "scp://backup:S3cretOfTheUrl@10.0.0.9/junos";
                "scp://backup@10.0.0.10/junos" password "$9$S3cretArchive"; ## SECRET-DATA
            }
        }
    }
    ntp {
        authentication-key 1 type md5 value "$9$S3cretNtp"; ## SECRET-DATA
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
            pre-shared-key ascii-text "$9$S3cretIke"; ## SECRET-DATA
        }
    }
    macsec {
        connectivity-association uplinks {
            pre-shared-key {
                ckn 37c9c2c45ddd012aa5bc8ef284aa23ff;
                cak "$9$S3cretMacsec"; ## SECRET-DATA
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
                        authentication-key "$9$S3cretVrrp"; ## SECRET-DATA
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
                        authentication-key "$9$S3cretSnmpAuth"; ## SECRET-DATA
                    }
                    privacy-aes128 {
                        privacy-key "$9$S3cretSnmpPriv"; ## SECRET-DATA
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
            authentication-key "$9$S3cretBgp"; ## SECRET-DATA
            neighbor 10.0.0.1 {
                peer-as 65000;
            }
        }
    }
    ospf {
        area 0.0.0.0 {
            interface irb.10 {
                authentication {
                    md5 1 key "$9$S3cretOspf"; ## SECRET-DATA
                }
            }
            interface me0.0 {
                authentication {
                    simple-password "$9$S3cretOspfPlain"; ## SECRET-DATA
                }
            }
        }
    }
    isis {
        level 2 {
            authentication-key "$9$S3cretIsis"; ## SECRET-DATA
        }
        interface irb.10 {
            hello-authentication-key "$9$S3cretIsisHello"; ## SECRET-DATA
        }
    }
}
access {
    profile office {
        client ann {
            chap-secret "$9$S3cretChap"; ## SECRET-DATA
        }
    }
}
vlans {
    phones {
        vlan-id 10;
    }
}
`;

const screenLength: Run = ({ terminal }, [, , , rows]) => {
  if (rows === '0' && !terminal.session.faults.has('pager-stays')) terminal.pager = undefined;
  return `Screen length set to ${rows}\n`;
};

const lastCommit = '## Last commit: 2026-11-19 09:12:33 UTC by admin\n';

/** `show cli authorization`, as in Junos CLI User Guide; the words behind a permission are not complete. */
function authorization({
  permissions = ['secret', 'view', 'view-configuration'],
  denied = 'none',
}: JunosOptions): string {
  const lines = permissions.map((name) => `    ${name.padEnd(12)}-- Can view ${name}\n`);
  return `Current user: '{user}' class 'backup'
Permissions:
${lines.join('')}Individual command authorization:
    Allow regular expression: none
    Deny regular expression: none
    Allow configuration regular expression: none
    Deny configuration regular expression: ${denied}
`;
}

function modelFor(options: JunosOptions): SwitchModel {
  const { isMember = true, hasEls = true } = options;
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
    // Pipes and details, which change nothing here.
    rewrite: (line) => line.replace(/ +(?:\||detail\b).*/, ''),
    greeting: '--- JUNOS 21.4R3-S5.4 Kernel 32-bit  JNPR-12.1-20230922.b1a3f4e_buil',
    firstMode: 'privileged',
    exec: { status: 0, unknown: '' },
    exitStatus: 0,
    hostName: 'ex-1',
    serial: 'JW3619430123',
    rejections: { invalid: '{marker}unknown command.\n' },
    modes: {
      privileged: {
        prompt: `\n${member}${isMember ? '\n' : ''}{user}@{host}> `,
        commands: {
          'exit|quit': leave,
          'show configuration': shown('{running}'),
          'set cli screen-length <rows>': screenLength,
          'set cli screen-width <columns>': 'Screen width set to {3}\n',
          'set cli complete-on-space off': 'Disabling complete-on-space\n',
          'set cli complete-on-space on': 'Enabling complete-on-space\n',
          'set cli terminal <type>': '',
          ...tableCommands('junos'),
          ...(!hasEls && tableCommands('junos-without-els')),
          'show cli authorization': authorization(options),
        },
      },
      config: { prompt: `\n${member}[edit]\n{user}@{host}# `, commands: {} },
    },
    example,
    running: `${lastCommit}{text}`,
    startup: `${lastCommit}{text}`,
    banner: {
      at: /^(?=interfaces \{|system \{)/m,
      text: '/* Maintenance on Sunday:\n{added}\n*/\n',
    },
    logs: {
      logLine:
        'Nov 20 10:37:49  ex-1 mib2d[1999]: SNMP_TRAP_LINK_DOWN: ifIndex 501, ifName ge-0/0/0',
      error: 'error: could not open configuration database (juniper.data+)\n',
    },
    values: { serial17: (device) => device.fill('{serial}').padEnd(17) },
  };
}

export function startJunos(options: JunosOptions): Promise<ReplayingDevice> {
  return startSwitch(replaying(modelFor(options), /^commit(?! check)/), options);
}
