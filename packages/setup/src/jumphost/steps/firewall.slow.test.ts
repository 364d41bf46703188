/**
 * The firewall of a jumphost, tried with packets: the lines of kube/connections.yaml that no NetworkPolicy decides. A Debian with
 * its own kernel's nftables, a cable to the rack, and a bridge with a pod as k3s makes it.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { run } from '@skolo/base/testing';
import { prepare } from '@skolo/setup/engine';
import {
  address,
  type BareJumphost,
  network,
  type OpenHost,
  openTestHost,
  ours,
  startBareJumphost,
  whyNoJumphost,
} from '@skolo/setup/k3s/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { rackYaml, testSteps } from '../testing/test-steps.ts';

const { signal } = new AbortController();

const connections = z
  .array(z.object({ from: z.string(), to: z.string(), port: z.int(), open: z.boolean() }))
  .parse(
    parse(readFileSync(new URL('../../../../../kube/connections.yaml', import.meta.url), 'utf8')),
  );
const ports = [80, 6443, 10_250, 30_010, 30_011];
const ofFirewall = connections.filter(({ port }) => ports.includes(port));

/** Those of the rack of a test, and one that it does not have. */
const addresses: Readonly<Record<string, string>> = {
  machine: `${network}.101`,
  equipment: `${network}.11`,
  neighbour: `${network}.222`,
};

/** As k3s makes them: the bridge, and a pod. Its neighbour over IPv6 is the jumphost, too. */
const pod = `ip netns add pod
ip link add cni0 type veth peer name eth0 netns pod
ip addr add 10.42.0.1/24 dev cni0
ip addr add fe80::1/64 dev cni0 nodad
ip link set cni0 up
ip -n pod addr add 10.42.0.9/24 dev eth0
ip -n pod addr add fe80::2/64 dev eth0 nodad
ip -n pod link set eth0 up
ip -n pod route add default via 10.42.0.1`;

/** At all addresses, until the computer is turned off. */
const listeners = `for (const port of [${ports}]) require('node:net').createServer((s) => s.end()).listen(port, '::')`;
/** Prints whether a connection comes about. If this process was not running meanwhile, what the kernel knows by then counts. */
const attempt = `const [host, port] = process.argv.slice(1);
require('node:net').connect({ host, port, timeout: 5000 })
  .on('connect', () => { console.log('open'); process.exit() })
  .on('timeout', () => setImmediate(() => { console.log('closed'); process.exit() }))
  .on('error', () => console.log('closed'))`;

describe.skipIf(whyNoJumphost())('the firewall', () => {
  let jumphost: BareJumphost;
  let host: OpenHost;
  beforeAll(async () => {
    jumphost = await startBareJumphost();
    host = await openTestHost(jumphost.workstation, signal);
    const [cable = ''] =
      Object.entries(networkInterfaces()).find(([, all]) =>
        all?.some((each) => each.address === ours),
      ) ?? [];
    for (const each of Object.values(addresses)) {
      await run('ip', ['addr', 'add', `${each}/32`, 'dev', cable]);
    }
    await host.need(pod);
    await host.need(`systemd-run --quiet --unit=listeners /opt/test/node -e "${listeners}"
until ss -Hltn sport = :10250 | grep -q .; do sleep 0.1; done`);
    const steps = testSteps(jumphost.workstation, signal).filter(({ name }) =>
      ['system', 'packages', 'firewall'].includes(name),
    );
    const found = await prepare(host, steps, { isCheck: false, signal, report() {} });
    expect(found.filter(({ state }) => state !== 'ok' && state !== 'changed')).toEqual([]);
  });
  afterAll(async () => {
    await host?.close();
    await jumphost?.close();
  });

  it.each(ofFirewall.filter(({ from, to }) => to === 'jumphost' && from in addresses))(
    'is for $from at port $port, open: $open',
    async ({ from, port, open }) => {
      expect(await isOpenFrom(addresses[from] ?? '', port)).toBe(open);
    },
  );

  it.each(ports)(
    'leaves port %s at the address of rack.yaml to the NetworkPolicies of pods',
    async (port) => {
      expect(await fromPod(address, port)).toBe('open');
    },
  );

  it.each(
    ofFirewall
      .filter(({ to }) => to === 'jumphost-other')
      .flatMap(({ port, open }) => ['10.42.0.1', 'fe80::1%eth0'].map((to) => ({ to, port, open }))),
  )('is for pods at $to, port $port, open: $open', async ({ to, port, open }) => {
    expect(await fromPod(to, port)).toBe(open ? 'open' : 'closed');
  });

  it('admits the machines of a new rack.yaml, which skolo-fallback has copied from k3s', async () => {
    const folder = '/etc/skolo/metadata-server';
    const content = rackYaml.replace('.101', '.222');
    await host.need(`mkdir -p ${folder}`);
    await host.write({ path: `${folder}/rack.yaml`, content });
    const module = '/opt/test/repository/services/fallback/src/units/machines.ts';
    const renew = `/opt/test/node -e "import('${module}').then(async (own) => console.log(await own.renewMachines()))"`;

    expect(await host.need(renew)).toBe('true\n');

    expect(await isOpenFrom(addresses.neighbour ?? '', 6443)).toBe(true);
    expect(await isOpenFrom(addresses.machine ?? '', 6443)).toBe(false);
    expect(await host.need(renew)).toBe('false\n');
  });

  async function fromPod(to: string, port: number): Promise<string> {
    const words = `${to} ${port}`;
    return (await host.need(`ip netns exec pod /opt/test/node -e "${attempt}" -- ${words}`)).trim();
  }
});

async function isOpenFrom(localAddress: string, port: number): Promise<boolean> {
  const socket = connect({ host: address, port, localAddress, timeout: 5000 });
  try {
    return await new Promise((done) => {
      socket
        .on('connect', () => done(true))
        // After what the kernel has reported by then.
        .on('timeout', () => setImmediate(() => done(false)))
        .on('error', () => done(false));
    });
  } finally {
    socket.destroy();
  }
}
