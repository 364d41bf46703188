/** What EdgeOS is configured with, and what of it concerns PoE. */
import type { OutletBoard } from '../../../device.ts';
import type { Output } from '../../unix/box.ts';
import { notValid, type VyattaConfiguration, type VyattaHooks } from './vyatta-configuration.ts';
import { type VyattaItem, vyattaValue } from './vyatta-tree.ts';

interface EdgeosPort {
  /** What `poe output` may be beside `off`: `24v`, `24v-4pair`, `48v`, `pthru`, `auto`. None: the port has no PoE. */
  modes: readonly string[];
  /** In config.boot; `off` when absent. */
  saved?: string;
}

export type EdgeosPorts = Readonly<Record<string, EdgeosPort>>;

const vocabulary = ['off', '24v', '24v-4pair', '48v', 'auto', 'pthru'];

/** Behind the configuration in config.boot. */
export const edgeosVersions = `

/* Warning: Do not remove the following line. */
/* === vyatta-config-version: "config-management@1:conntrack@1:cron@1:dhcp-relay@1:dhcp-server@4:firewall@5:ipsec@5:nat@3:qos@1:quagga@2:suspend@1:system@5:ubnt-l2tp@1:ubnt-pptp@1:ubnt-udapi-server@1:ubnt-unms@2:ubnt-util@1:vrrp@1:vyatta-netflow@1:webgui@1:webproxy@1:zone-policy@1" === */
/* Release version: v2.0.9-hotfix.6.5574652.221230.1020 */
`;

/** What it comes with, but for its ports. */
export function edgeosFactory(ports: EdgeosPorts): string {
  const interfaces = Object.entries(ports).map(
    ([port, { saved }]) => `    ethernet ${port} {
        duplex auto
${saved ? `        poe {\n            output ${saved}\n        }\n` : ''}        speed auto
    }
`,
  );
  return `firewall {
    all-ping enable
    broadcast-ping disable
    syn-cookies enable
}
interfaces {
${interfaces.join('')}    loopback lo {
    }
}
service {
    gui {
        http-port 80
        https-port 443
        older-ciphers enable
    }
    ssh {
        port 22
        protocol-version v2
    }
}
system {
    config-management {
        commit-revisions 50
    }
    host-name ubnt
    login {
        user ubnt {
            authentication {
                encrypted-password $1$zKNoUbAo$gomzUbYvgyUMcD436Wo66.
            }
            level admin
        }
    }
    ntp {
        server 0.ubnt.pool.ntp.org {
        }
    }
    syslog {
        global {
            facility all {
                level notice
            }
        }
    }
    time-zone UTC
}
${edgeosVersions}`;
}

/** Ports that give what the configuration says. */
export function edgeosPoe(
  board: OutletBoard,
  ports: EdgeosPorts,
): Pick<VyattaHooks, 'checkSet' | 'checkCommit' | 'changed'> {
  return {
    checkSet: (path) => rejection(ports, path),
    checkCommit(next) {
      for (const [port, { modes }] of Object.entries(ports)) {
        const value = outputOf(next, port) ?? 'off';
        if (value === 'off' || modes.includes(value)) continue;
        return `[ interfaces ethernet ${port} poe output ${value} ]\n${value} is not supported on ${port}`;
      }
      return undefined;
    },
    changed(items) {
      for (const port of Object.keys(ports)) {
        const output = outputOf(items, port) ?? 'off';
        if (output !== 'off') board.setMode(port, output);
        board.set(port, output !== 'off');
      }
    },
  };
}

function rejection(ports: EdgeosPorts, path: readonly string[]): Output | undefined {
  const [, port = '', value = ''] =
    /^interfaces ethernet (\S+) poe output (\S+)$/.exec(path.join(' ')) ?? [];
  if (port === '') return undefined;
  if (!ports[port]?.modes.length) return notValid(path);
  if (vocabulary.includes(value)) return undefined;
  return {
    stdout: `must be ${vocabulary.join(', ')}\n\nValue validation failed\nSet failed\n`,
    status: 1,
  };
}

function outputOf(items: readonly VyattaItem[], port: string): string | undefined {
  return vyattaValue(items, ['interfaces', 'ethernet', port, 'poe', 'output']);
}

/** `show interfaces ethernet poe`. */
export function poeTable(configuration: VyattaConfiguration, ports: EdgeosPorts): string {
  const rows = Object.entries(ports)
    .filter(([, { modes }]) => modes.length > 0)
    .map(([port]) => {
      const output = outputOf(configuration.tree, port) ?? 'off';
      const [volts] = /^\d+v/.exec(output) ?? [output === 'off' ? '-' : '24v'];
      return `${port.padEnd(9)}  ${output.padEnd(9)}  ${volts?.padEnd(7)}  disabled\n`;
    });
  const dashes = `${'-'.repeat(9)}  ${'-'.repeat(9)}  ${'-'.repeat(7)}  ${'-'.repeat(8)}\n`;
  return `Interface  Output     Voltage  Watchdog\n${dashes}${rows.join('')}`;
}
