/**
 * What a MikroTik exports of its configuration, and takes back: menus, and what is added or set in each.
 *
 * Version 7 leaves out what is sensitive unless it is told to show it, version 6 shows it and knows no such word. Lines are
 * broken before a property, or behind its `=`, with a backslash. There is no mark at the end. Some comments come and go by
 * themselves. Sources: MikroTik's manual ("Configuration Management": export, import, reset), exports that users have shown,
 * Oxidized's and RANCID's notes on what changes.
 */
import { RouterosError } from './routeros-poe.ts';

/** As a terse export would have it: one line for each entry. */
const routerosExample = `/interface bridge
add name=bridge1
/interface ethernet
set [ find default-name=ether1 ] comment=uplink
set [ find default-name=ether2 ] comment="to skia-rpi2-rack4-shelf1-001" poe-out=forced-on
/interface l2tp-client
add add-default-route=yes connect-to=vpn.example.com disabled=no name=l2tp-out1 password=S3cretL2tp user=rack4 use-ipsec=yes ipsec-secret=S3cretL2tpIpsec
/interface pppoe-client
add disabled=no interface=ether1 name=pppoe-out1 password="S3cret with \\"quotes\\" of PPPoE" user=rack4@isp.example.com
/interface wireguard
add listen-port=13231 mtu=1420 name=wg0 private-key="S3cretWireguardPrivateKeyOfTheRouter0000000="
/interface vrrp
add authentication=ah interface=bridge1 name=vrrp1 password=S3cretVrrp version=2
/interface wifi security
add authentication-types=wpa2-psk,wpa3-psk disabled=no name=phones passphrase="S3cret passphrase of the phones, which is so long that no line of an export has room for it all"
/interface wireless security-profiles
set [ find default=yes ] supplicant-identity=MikroTik
add authentication-types=wpa2-psk eap-methods="" mode=dynamic-keys name=old supplicant-identity="" wpa2-pre-shared-key=S3cretWpa2 wpa-pre-shared-key=S3cretWpa
/ip pool
add name=dhcp_pool0 ranges=10.10.0.100-10.10.0.199
/ip ipsec identity
add peer=office secret=S3cretIpsec
/ppp secret
add name=ann password=S3cretPpp profile=default-encryption service=l2tp
/snmp community
set [ find default=yes ] disabled=yes
add addresses=::/0 authentication-password=S3cretSnmpAuth authentication-protocol=SHA1 encryption-password=S3cretSnmpPriv encryption-protocol=AES name=S3cretCommunity security=private
/interface bridge port
add bridge=bridge1 interface=ether2
add bridge=bridge1 interface=ether3
/interface wireguard peers
add allowed-address=10.99.0.2/32 interface=wg0 name=office preshared-key="S3cretWireguardPresharedKeyOfTheOffice00000=" public-key="PublicKeyThatIsNoSecretAtAll0000000000000000="
/ip address
add address=192.168.1.1/24 interface=bridge1 network=192.168.1.0
/ip dhcp-server lease
add address=192.168.1.101 comment=skia-rpi2-rack4-shelf1-001 mac-address=B8:27:EB:00:00:01
/ip hotspot user
add name=guest password=S3cretHotspot
/ip service
set telnet disabled=yes
set ftp disabled=yes
/radius
add address=10.0.0.6 secret=S3cretRadius service=login
/routing bgp connection
add as=65001 local.role=ebgp name=office remote.address=10.0.0.1 tcp-md5-key=S3cretBgp
/routing ospf interface-template
add area=backbone auth=md5 auth-id=1 auth-key=S3cretOspf interfaces=bridge1
/system identity
set name="rack 4 router"
/system ntp client
set enabled=yes
/system script
add dont-require-permissions=no name=notify owner=admin policy=read source="/tool fetch url=\\"https://example.com/hook\\" http-header-field=\\"Authorization: Bearer S3cretOfTheScript\\"\\r\\n"
/tool e-mail
set address=10.0.0.9 from=rack4@example.com password=S3cretMail user=rack4
`;

const sensitive =
  /^(?:password|secret|ipsec-secret|private-key|preshared-key|passphrase|wpa2?-pre-shared-key|authentication-password|encryption-password|auth-key|tcp-md5-key)=/;
const width = 78;

interface RouterosExportOptions {
  /** `7.15.3`, `6.49.17`. */
  version: string;
  serial: string;
  /** A comment that comes by itself. */
  isShortCircuit: boolean;
  /** False: the login's group lacks the policy `sensitive`, so secrets are left out, whatever is asked for. True when absent. */
  maySeeSecrets?: boolean;
  added: readonly string[];
}

interface Entry {
  menu: string;
  line: string;
}

export class RouterosConfiguration {
  private entries: Entry[];

  constructor(text = routerosExample) {
    this.entries = parse(text);
  }

  get identity(): string {
    const entry = this.entries.find(({ menu }) => menu === '/system identity');
    return (
      (/name=(?:"([^"]*)"|(\S+))/.exec(entry?.line ?? '') ?? []).slice(1).join('') || 'MikroTik'
    );
  }

  /**
   * `/export`.
   *
   * @throws RouterosError It does not know that word.
   */
  export(words: readonly string[], options: RouterosExportOptions): string {
    const { version, serial, isShortCircuit, maySeeSecrets = true, added } = options;
    const isSeven = version.startsWith('7');
    const known = isSeven
      ? ['show-sensitive', 'terse', 'compact']
      : ['hide-sensitive', 'terse', 'compact'];
    const unknown = words.find((word) => !known.includes(word));
    if (unknown !== undefined) {
      const column = `/export ${words.join(' ')}`.indexOf(unknown) + 1;
      throw new RouterosError(`expected end of command (line 1 column ${column})`);
    }
    const asks = isSeven ? words.includes('show-sensitive') : !words.includes('hide-sensitive');
    const shows = asks && maySeeSecrets;
    const lines: string[] = [];
    let last = '';
    for (const { menu, line } of this.entries) {
      const shown = shows ? line : withoutSensitive(line);
      if (menu === '/interface ethernet' && isShortCircuit && line.includes('poe-out')) {
        lines.push('# poe-out status: short_circuit');
      }
      if (words.includes('terse')) lines.push(`${menu} ${shown}`);
      else lines.push(...(menu === last ? [] : [menu]), wrapped(shown));
      last = menu;
    }
    const now = new Date();
    const head = [
      `# ${isSeven ? isoTime(now) : oldTime(now)} by RouterOS ${version}`,
      '# software id = PEWV-11HC',
      '#',
      '# model = RB5009UPr+S+',
      `# serial number = ${serial}`,
    ];
    const notes = added.map((line) => `add address=192.0.2.1 comment="${line}" list=notes`);
    const list = notes.length > 0 ? ['/ip firewall address-list', ...notes] : [];
    return [...head, ...lines, ...list, ''].join('\n');
  }

  /** `/import`: what is added is added once more, what is set is set. */
  import(text: string): void {
    for (const entry of parse(text)) {
      const [, what] = /^set (\[[^\]]*\]|\w+(?= ))?/.exec(entry.line) ?? [];
      const isSame = (each: Entry) =>
        each.menu === entry.menu &&
        each.line.startsWith(`set ${what ?? ''}`) &&
        entry.line.startsWith('set ');
      this.entries = this.entries.filter((each) => !isSame(each));
      this.entries.push(entry);
    }
  }

  /** `/system reset-configuration no-defaults=yes run-after-reset=FILE`: nothing but what the file has. */
  reset(text: string): void {
    this.entries = parse(text);
  }

  /** A line that was typed: `/ip address add …`, `/system identity set name=x`. Whether it is one of the configuration. */
  type(line: string): boolean {
    const [, menu, command] = /^(\/[a-z -]+?) ((?:add|set)\b.*)$/.exec(line) ?? [];
    if (menu === undefined || command === undefined) return false;
    if (!this.entries.some((entry) => entry.menu === menu)) return false;
    this.import(`${menu}\n${command}\n`);
    return true;
  }
}

function parse(text: string): Entry[] {
  let menu = '';
  return text
    .replace(/\\\r?\n +/g, '')
    .split(/\r?\n/)
    .flatMap((line) => {
      if (line.startsWith('/')) menu = line.trim();
      if (line === '' || line.startsWith('#') || line.startsWith('/')) return [];
      return [{ menu, line }];
    });
}

/** Properties and words of a line, quoted values in one. */
function tokens(line: string): string[] {
  return line.match(/\[[^\]]*\]|[\w.-]+="(?:\\.|[^"\\])*"|\S+/g) ?? [];
}

function withoutSensitive(line: string): string {
  return tokens(line)
    .filter((token) => !sensitive.test(token))
    .join(' ');
}

function wrapped(line: string): string {
  const rows = [''];
  for (const token of tokens(line)) {
    const row = rows.at(-1) ?? '';
    const [, key = '', value = ''] = /^([\w.-]+=)(.+)$/s.exec(token) ?? [];
    if (row.trim() === '') rows[rows.length - 1] += token;
    else if (row.length + 1 + token.length <= width) rows[rows.length - 1] += ` ${token}`;
    else if (key !== '' && row.length + 1 + key.length <= width) {
      rows[rows.length - 1] += ` ${key}\\`;
      rows.push(...brokenValue(value));
    } else {
      rows[rows.length - 1] += ' \\';
      rows.push(`    ${token}`);
    }
  }
  return rows.join('\n');
}

/** A value that is longer than a line is broken in itself. */
function brokenValue(value: string): string[] {
  const rows: string[] = [];
  for (let rest = value; rest !== ''; rest = rest.slice(width - 5)) {
    rows.push(`    ${rest.slice(0, width - 5)}${rest.length > width - 5 ? '\\' : ''}`);
  }
  return rows;
}

function isoTime(date: Date): string {
  return date.toISOString().replace('T', ' ').replace(/\..*$/, '');
}

/** `nov/20/2026 10:00:00` */
function oldTime(date: Date): string {
  const [, day, month, year, time] =
    /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(date.toUTCString()) ?? [];
  return `${month?.toLowerCase()}/${day}/${year} ${time}`;
}
