/** Facts about a kernel, in a network namespace of its own. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@skolo/base/testing';
import { lacks } from '@skolo/simulators';
import { expect, it } from 'vitest';
import { factsScript } from './facts.ts';

/** Of a jumphost that also has Docker, fail2ban and Tailscale. */
const rules = fileURLToPath(new URL('../../../testdata/k3s.iptables', import.meta.url));

it.skipIf(lacks('root', 'ip', 'nft', 'iptables', 'awk'))(
  'lists rules of others, but not those that programs change by themselves',
  () => {
    const script = `iptables-nft-restore < ${rules}
ip link set lo up
nft add table inet person
nft 'add chain inet person input { type filter hook input priority 10; }'
nft add rule inet person input tcp dport 80 counter drop
iptables-nft -N DOCKER-USER
iptables-nft -A DOCKER-USER -s 192.0.2.9 -j DROP
ip rule add pref 100 lookup 52
ip route add blackhole 198.51.100.0/24
(${factsScript}) 2> /dev/null`;

    const text = execFileSync('unshare', ['--net', 'sh', '-c', script], { encoding: 'utf8' });

    expect(text.split('\n').filter((line) => /^fact\t(nft|ip) /.test(line))).toEqual([
      'fact\tnft ip filter FORWARD: type filter hook forward priority filter; policy drop;',
      'fact\tnft ip filter FORWARD: meta mark & 0x00020000 == 0x00020000 counter accept',
      'fact\tnft ip filter DOCKER-USER: ip saddr 192.0.2.9 counter drop',
      'fact\tnft inet person input: tcp dport 80 counter drop',
      'fact\tip rule 100: from all lookup 52',
      'fact\tip route blackhole 198.51.100.0/24',
    ]);
  },
);

it.skipIf(lacks('root', 'ip', 'nft', 'awk'))(
  'lists passwords, also those that /etc/passwd itself contains',
  async () => {
    const folder = await tempDir();
    const lines = ['a:x:990:990::/:/bin/sh', 'b::991:991::/:/bin/sh', 'c:*:992:992::/:/bin/sh'];
    await writeFile(join(folder, 'passwd'), `${lines.join('\n')}\n`);
    await writeFile(
      join(folder, 'shadow'),
      'a:$y$j9T$x:1::::::\nb:!:1::::::\nc:$y$j9T$x:1::::::\n',
    );
    const script = `for each in passwd shadow; do mount --bind ${folder}/$each /etc/$each; done
(${factsScript}) 2> /dev/null`;

    const text = execFileSync('unshare', ['--mount', '--net', 'sh', '-c', script], {
      encoding: 'utf8',
    });

    expect(text.split('\n').filter((line) => /^fact\t[abc] has /.test(line))).toEqual([
      'fact\ta has a password',
      'fact\ta has the shell /bin/sh',
      'fact\tb has an empty password',
      'fact\tb has the shell /bin/sh',
    ]);
  },
);
