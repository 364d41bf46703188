/** What a reader of docs/adopt/alone.md has before the page: a network, Debian's programs, and the program that skolo replaces. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Computer } from '@skolo/simulators';
import { expect, onTestFinished } from 'vitest';

/** At the other end of the computer's cable. */
export const ours = '198.51.100.1';
/** FRR, under two names. */
const [core, router] = ['192.0.2.21', '192.0.2.22'];
export const password = 'of-a-test';

async function need(computer: Computer, script: string): Promise<void> {
  const { exitCode, text } = await computer.run('sh', '-euc', script);
  expect(exitCode, text).toBe(0);
}

/** Boots it, with programs of Debian and the addresses that it has in the pages, also as a test machine. */
export async function furnish(computer: Computer): Promise<void> {
  await computer.write(
    '/etc/network/interfaces',
    `auto lo host0
iface lo inet loopback
  up ip address add 192.0.2.1/32 dev lo
  up ip address add 192.0.2.12/32 dev lo
  up ip address add ${core}/32 dev lo
  up ip address add ${router}/32 dev lo
iface host0 inet static
  address 198.51.100.2/24
`,
  );
  await computer.write(
    '/etc/hosts',
    `127.0.0.1 localhost\n${router} router.example.com\n${ours} strip\n`,
  );
  // Root answers yes.
  await computer.write(
    '/etc/apt/apt.conf.d/yes',
    'APT::Get::Assume-Yes "true"; APT::Get::allow-downgrades "true"; DPkg::Options { "--force-confold"; };\n',
  );
  // No private address, from which it would take one for its cluster.
  await computer.write(
    '/etc/default/prometheus-alertmanager',
    'ARGS="--cluster.listen-address="\n',
  );
  await computer.boot();
  await need(
    computer,
    `export DEBIAN_FRONTEND=noninteractive
echo rancid rancid/go_on boolean true | debconf-set-selections
apt-get update
apt-get install --no-install-recommends curl frr git pdudaemon prometheus-alertmanager rancid
systemctl disable --now pdudaemon
ssh-keygen -A
systemctl restart ssh
useradd --groups frrvty --shell /usr/bin/vtysh reader
echo reader:${password} | chpasswd`,
  );
}

/** RANCID has read the router, which it knows by its name. */
export async function rancid(computer: Computer): Promise<void> {
  const home = '/var/lib/rancid';
  const own = `LIST_OF_GROUPS="lab"; export LIST_OF_GROUPS
RCSSYS=git; export RCSSYS
SENDMAIL=/bin/true; export SENDMAIL
`;
  await computer.write('/etc/rancid/own.conf', own);
  const login = `add user * reader\nadd password * ${password} {}\nadd method * ssh\nadd noenable * 1\nadd autoenable * 1\n`;
  await computer.write(`${home}/.cloginrc`, login, 0o600);
  await computer.write(`${home}/.gitconfig`, '[user]\nname = rancid\nemail = rancid@localhost\n');
  await need(
    computer,
    `cat /etc/rancid/own.conf >> /etc/rancid/rancid.conf
chown -R rancid: ${home}
as_rancid() { setpriv --reuid rancid --regid rancid --init-groups env HOME=${home} "$@"; }
cd ${home}
as_rancid /usr/lib/rancid/bin/rancid-cvs
echo 'router.example.com;frr;up' | as_rancid tee lab/router.db
# As often as cron would: on a busy computer, a login may take too long for it.
for each in 1 2 3 4 5; do
  as_rancid /usr/lib/rancid/bin/rancid-run || true
  if grep hostname lab/configs/router.example.com; then exit; fi
done
cat /var/log/rancid/* ${home}/logs/*
exit 1`,
  );
}

/** Debian does not package Oxidized: its files as it writes them. */
export async function oxidized(computer: Computer): Promise<void> {
  const home = '/home/oxidized/.config/oxidized';
  await computer.write(`${home}/router.db`, `core:${core}:frr:reader:${password}\n`);
  const map = '{ name: 0, ip: 1, model: 2, username: 3, password: 4 }';
  await computer.write(`${home}/config`, `source: { csv: { delimiter: ":", map: ${map} } }\n`);
  await need(
    computer,
    `git init --quiet --bare ${home}/oxidized.git
git clone --quiet ${home}/oxidized.git /tmp/work
cd /tmp/work
echo 'hostname core' > core
git add .
git -c user.name=oxidized -c user.email=o@example.com commit --quiet --message='update core'
git push --quiet
rm -r /tmp/work`,
  );
}

export const pdudaemonConf = JSON.stringify({
  daemon: { hostname: '0.0.0.0', port: 16421, listener: 'http' },
  pdus: {
    strip: {
      driver: 'snmpv1',
      community: password,
      mib: 'PowerNet-MIB',
      controlpoint: 'rPDUOutletControlOutletCommand',
      onsetting: 1,
      offsetting: 2,
    },
    relay: { driver: 'localcmdline' },
  },
  aliases: { 'board-1': { hostname: 'strip', port: 2 } },
});

/** The computer's loopback gets this port of ours. */
export async function lend(computer: Computer, port: number): Promise<void> {
  const server = createServer((socket) => {
    const to = connect(port, '127.0.0.1');
    socket.pipe(to).pipe(socket);
    for (const each of [socket, to])
      each.on('error', () => [socket, to].map((end) => end.destroy()));
  });
  await once(server.listen(port, ours), 'listening');
  onTestFinished(() => void server.close());
  const unit = `/etc/systemd/system/lent-${port}`;
  await computer.write(`${unit}.socket`, `[Socket]\nListenStream=127.0.0.1:${port}\n`);
  const proxy = `/lib/systemd/systemd-socket-proxyd ${ours}:${port}`;
  await computer.write(`${unit}.service`, `[Service]\nExecStart=${proxy}\n`);
  await need(computer, `systemctl start lent-${port}.socket`);
}
