/**
 * The configuration system of Junos: one in force, a candidate that everybody shares, earlier ones to go back to, and
 * commits that undo themselves unless they are confirmed. There is no other one to boot with.
 */
import type { Core } from './core.ts';
import {
  deleteStatement,
  type JunosStatement,
  JunosSyntaxError,
  leafValue,
  parseJunos,
  printJunos,
  setCommands,
  setStatement,
} from './junos-tree.ts';

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

interface Committed {
  text: string;
  at: Date;
  by: string;
}

export class JunosConfiguration {
  private readonly core: Core;
  /** The newest first: what is in force, then what was before. */
  private readonly committed: Committed[];
  private candidate: JunosStatement[];
  private pending: { stop: () => void } | undefined;

  constructor(core: Core, text: string) {
    this.core = core;
    const at = new Date('2026-11-19T09:12:33Z');
    this.committed = [{ text: printJunos(parseJunos(text)), at, by: 'admin' }];
    this.candidate = parseJunos(text);
  }

  /** As in operational mode: lines that a fault adds are a comment, where they are printed as they are. */
  show(added: readonly string[] = []): string {
    const { text, at, by } = this.inForce();
    const comment =
      added.length === 0 ? '' : `/* Maintenance on Sunday:\n${added.join('\n')}\n*/\n`;
    const body = text.replace(/^(?=interfaces \{|system \{)/m, () => comment);
    return `## Last commit: ${stamp(at)} by ${by}\n${body}`;
  }

  showAsCommands(): string {
    return setCommands(parseJunos(this.inForce().text));
  }

  /** Of the candidate. */
  showCandidate(): string {
    const { at } = this.inForce();
    return `## Last changed: ${stamp(at)}\n${printJunos(this.candidate)}`;
  }

  hostName(): string {
    return leafValue(parseJunos(this.inForce().text), 'system host-name') ?? '';
  }

  history(): string {
    return this.committed
      .map(({ at, by }, index) => `${index}   ${stamp(at)} by ${by} via cli\n`)
      .join('');
  }

  isChanged(): boolean {
    return printJunos(this.candidate) !== this.inForce().text;
  }

  /** `load override` of a text. What it says. */
  load(text: string): string {
    try {
      this.candidate = parseJunos(text);
      return 'load complete\n';
    } catch (error) {
      if (!(error instanceof JunosSyntaxError)) throw error;
      return `terminal:${text.split('\n').length}:(0) ${error.message}\nload complete (1 errors)\n`;
    }
  }

  set(path: string): void {
    setStatement(this.candidate, path);
  }

  delete(path: string): string {
    return deleteStatement(this.candidate, path) ? '' : 'warning: statement not found\n';
  }

  /** Whether there is such an earlier one. */
  rollback(number: number): boolean {
    const earlier = this.committed[number];
    if (earlier !== undefined) this.candidate = parseJunos(earlier.text);
    return earlier !== undefined;
  }

  /** @param minutes undone after so many, unless there is another commit */
  commit(by: string, minutes?: number): void {
    this.pending?.stop();
    this.pending = undefined;
    const before = this.inForce();
    const text = printJunos(this.candidate);
    if (text !== before.text) this.committed.unshift({ text, at: new Date(), by });
    if (minutes === undefined) return;
    const stop = this.core.later(minutes * 60, () => {
      this.committed.unshift({ ...before, at: new Date(), by: 'root' });
      this.candidate = parseJunos(before.text);
      this.pending = undefined;
    });
    this.pending = { stop };
  }

  /** As after a power failure: what was not committed is gone, what was not confirmed is undone. */
  boot(): void {
    this.candidate = parseJunos(this.inForce().text);
  }

  private inForce(): Committed {
    const [first] = this.committed;
    if (first === undefined) throw new RangeError('nothing is committed');
    return first;
  }
}

/** `2026-11-19 09:12:33 UTC` */
function stamp(date: Date): string {
  return date.toISOString().replace('T', ' ').replace(/\..*$/, ' UTC');
}
