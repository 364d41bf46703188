/**
 * The files of an OpenWrt router that belong to its configuration, and `sysupgrade`, which lists and archives them, and
 * keeps what is to be restored.
 *
 * Source: OpenWrt's /sbin/sysupgrade (`-l`, `-b -`, `-r -`) and its documentation ("Backup and restore"). The archive's
 * times are those of the files, so that no two archives need be the same.
 */

import { gzipSync } from 'node:zlib';
import type { Core } from '../../core.ts';
import { HungUp } from '../../terminal.ts';
import { decodeText, encodeText, escapeByte } from '../../text-bytes.ts';
import type { Call, Files, Output, Program } from '../../unix/box.ts';
import { createTar } from './tar.ts';

interface OpenwrtFile {
  mode: number;
  content: Buffer;
}

const config = {
  dhcp: `config dnsmasq
	option domainneeded '1'
	option leasefile '/tmp/dhcp.leases'

config host
	option name 'skia-rpi2-rack4-shelf1-001'
	option mac 'B8:27:EB:00:00:01'
	option ip '192.168.1.101'
`,
  network: `config interface 'lan'
	option device 'br-lan'
	option proto 'static'
	option ipaddr '192.168.1.1'
	option netmask '255.255.255.0'

config interface 'wan'
	option device 'wan'
	option proto 'pppoe'
	option username 'rack4@isp.example.com'
	option password 'S3cret of PPPoE'

config interface 'wg0'
	option proto 'wireguard'
	option private_key 'S3cretWireguardPrivateKeyOfTheRouter0000000='
	list addresses '10.99.0.1/24'

config wireguard_wg0
	option description 'office'
	option public_key 'PublicKeyThatIsNoSecretAtAll0000000000000000='
	option preshared_key 'S3cretWireguardPresharedKeyOfTheOffice00000='
`,
  rpcd: `config login
	option username 'root'
	option password '$1$S3cret$S3cretHashOfRpcd'
	list read '*'
`,
  snmpd: `config com2sec public
	option secname ro
	option source default
	option community S3cretCommunity
`,
  system: `config system
	option hostname 'openwrt-1'
	option timezone 'EST5EDT,M3.2.0,M11.1.0'

config timeserver 'ntp'
	list server '192.168.1.1'
`,
  wireless: `config wifi-device 'radio0'
	option type 'mac80211'
	option channel '36'

config wifi-iface 'default_radio0'
	option device 'radio0'
	option mode 'ap'
	option ssid 'phones'
	option encryption 'psk2'
	option key 'S3cret of the wireless'
	option auth_secret 'S3cretRadius'
	option sae_password 'S3cretSae'
	option r0kh '00:11:22:33:44:55,00-11-22-33-44-55,S3cretRoamingKey'
`,
};

const others: Record<string, OpenwrtFile> = {
  '/etc/crontabs/root': text("0 4 * * * curl -u 'rack4:S3cretOfCron' https://example.com/alive\n"),
  '/etc/dropbear/authorized_keys': text(
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPublicKeyThatIsNoSecretAtAll000000 skolo@rack4\n',
  ),
  '/etc/dropbear/dropbear_ed25519_host_key': {
    mode: 0o600,
    // As ssh writes it: lengths, and bytes that are no text.
    content: Buffer.concat([
      Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0@'),
      Buffer.from(Array.from({ length: 64 }, (_, i) => (i * 37 + 128) % 256)),
    ]),
  },
  '/etc/group': text('root:x:0:\n'),
  '/etc/hosts': text('127.0.0.1 localhost\n'),
  '/etc/passwd': text('root:x:0:0:root:/root:/bin/ash\n'),
  '/etc/shadow': text('root:$6$S3cretSalt$S3cretHashOfRoot:20000:0:99999:7:::\n', 0o600),
  '/etc/uhttpd.key': text(
    '-----BEGIN EC PRIVATE KEY-----\nS3cretOfTheWebServer\n-----END EC PRIVATE KEY-----\n',
    0o600,
  ),
};

export class OpenwrtFiles {
  private readonly core: Core;
  private readonly files: Map<string, OpenwrtFile>;
  /** The archive that `sysupgrade -r` got, as it came. */
  restored: Buffer | undefined;

  constructor(core: Core) {
    this.core = core;
    const packages = Object.entries(config).map(
      ([name, content]) => [`/etc/config/${name}`, text(content, 0o600)] as const,
    );
    this.files = new Map([...packages, ...Object.entries(others)]);
  }

  programs(): Record<string, Program> {
    return {
      sysupgrade: (call) => this.sysupgrade(call),
    };
  }

  /** As the shell sees them. */
  asFiles(): Files {
    return {
      list: () => this.names(),
      read: (path) => {
        const file = this.current().get(path);
        return file && decodeText(file.content);
      },
      write: (path, content) => {
        this.files.set(path, { mode: 0o644, content: encodeText(content) });
        return true;
      },
      remove: (path) => this.files.delete(path),
    };
  }

  /** Every file of the configuration, by its name in an archive. */
  contents(): Map<string, Buffer> {
    return new Map([...this.current()].map(([path, { content }]) => [path.slice(1), content]));
  }

  private names(): string[] {
    return [...this.files.keys()].sort();
  }

  /** With what faults add, in a comment. */
  private current(): Map<string, OpenwrtFile> {
    const added = this.core.addedLines().map((line) => `# ${line}\n`);
    const path = '/etc/config/system';
    const file = this.files.get(path);
    if (added.length === 0 || file === undefined) return this.files;
    const content = Buffer.concat([file.content, encodeText(added.join(''))]);
    return new Map(this.files).set(path, { ...file, content });
  }

  private async sysupgrade(call: Call): Promise<Output> {
    const [option, name = ''] = call.args;
    if (option === '-l') return { stdout: `${this.names().join('\n')}\n` };
    if (option === '-b') return this.backup(call, name);
    if (option === '-r') {
      this.restored = encodeText((await given(call, name)) ?? '');
      return {};
    }
    return { stdout: 'Usage: sysupgrade [<upgrade-option>...] <image file or URL>\n', status: 1 };
  }

  private backup({ terminal, box }: Call, name: string): Output {
    const mtime = Date.now() / 1000 - Math.random() * 1e6;
    const members = [...this.current()].map(([path, file]) => ({
      ...file,
      name: path.slice(1),
      mtime,
    }));
    const archive = gzipSync(createTar(members));
    const bytes = Array.from(archive, escapeByte).join('');
    if (name === '-') return { stdout: terminal.session.configuration(bytes) };
    box.files.write(name, bytes, terminal);
    return { stdout: 'Saving config files...\n' };
  }

  /** As `uci export` has them. */
  packages(): string {
    return [...this.current()]
      .filter(([path]) => path.startsWith('/etc/config/'))
      .map(([path, { content }]) => `package ${path.slice(12)}\n\n${decodeText(content)}\n`)
      .join('');
  }
}

/** The archive that is restored: a file, or what comes in. */
async function given({ stdin, box, terminal }: Call, name: string): Promise<string | undefined> {
  if (name !== '-') return box.files.read(name);
  if (stdin !== undefined) return stdin;
  let bytes = '';
  try {
    for (;;) bytes += escapeByte((await terminal.readBytes(1)).charCodeAt(0));
  } catch (error) {
    if (!(error instanceof HungUp)) throw error;
    return bytes;
  }
}

function text(content: string, mode = 0o644): OpenwrtFile {
  return { mode, content: Buffer.from(content) };
}
