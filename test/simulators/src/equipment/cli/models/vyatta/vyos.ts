/**
 * VyOS, a descendant of Vyatta that quotes values, ends its configuration with `//` lines, and whose shell marks pasted text with
 * escape codes around its prompt.
 *
 * `commit-confirm` asks for a line, as vyos-1x has it (python/vyos/config_mgmt.py).
 */
import type { CliOptions } from '../../model.ts';
import { hostTables } from '../host-tables.ts';
import { startVyatta, type VyattaDevice } from './vyatta.ts';

interface VyosOptions extends CliOptions {
  /** What is in config.boot, with or without the versions at its end; a small one when absent. */
  configuration?: string;
  /** `VY4C4C4544` when absent. */
  serial?: string;
}

const versions = `

// Warning: Do not remove the following line.
// vyos-config-version: "bgp@5:broadcast-relay@1:config-management@1:conntrack@5:dhcp-server@8:dns-forwarding@4:firewall@15:interfaces@32:nat@7:ntp@3:ospf@2:quagga@11:ssh@2:system@27:vrrp@4:webproxy@2"
// Release version: 1.4.2
`;

const factory = `interfaces {
    ethernet eth0 {
        address "dhcp"
        duplex "auto"
    }
    loopback lo {
    }
}
service {
    ntp {
        server time1.vyos.net {
        }
    }
    ssh {
        port "22"
    }
}
system {
    config-management {
        commit-revisions "100"
    }
    host-name "vyos"
    login {
        user vyos {
            authentication {
                encrypted-password "$6$QxPS.uk6mfo$9QBSo8u1FkH16gMyAVhus6fU3LOzvLR9Z9.82m3tiHFAxTtIkhaZSWssSgzt4v4dGAL8rhVQxTg0oAG9/q11h/"
                plaintext-password ""
            }
        }
    }
}
${versions}`;

export async function startVyos(options: VyosOptions): Promise<VyattaDevice> {
  const { serial = 'VY4C4C4544' } = options;
  return await startVyatta(options, {
    name: 'vyos',
    ident: 'OpenSSH_9.2p1 Debian-2+deb12u3',
    motd: 'Welcome to VyOS!\n\nCheck out project news at https://blog.vyos.io\n',
    user: 'vyos',
    text: factory,
    versions,
    words: {
      proceed: (minutes) =>
        `\ncommit-confirm will automatically reboot in ${minutes} minutes unless changes\nare confirmed.\n\nProceed ? [Y/n] `,
      takesKey: false,
      scheduled: (minutes) =>
        `Initialized commit-confirm; ${minutes} minutes to confirm before reboot\n`,
      quotes: { shown: 'needed', saved: 'always' },
    },
    beforePrompt: '\x1b[?2004h',
    quote: (value) => `'${value}'`,
    show: (_configuration, plugged) => ({
      ...Object.fromEntries(hostTables('vyos', plugged)),
      'show version': () =>
        [
          'Version:          VyOS 1.4.2',
          'Release train:    sagitta',
          '',
          'Hardware vendor:  QEMU',
          'Hardware model:   Standard PC (Q35 + ICH9, 2009)',
          `Hardware S/N:     ${serial}`,
          'Hardware UUID:    4c4c4544-0042-4d10-8056-b4c04f573832',
          '',
          'Copyright:        VyOS maintainers and contributors',
          '',
        ].join('\n'),
    }),
  });
}
