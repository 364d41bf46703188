import { isLong } from '@skolo/base/durable/fault-injection';
import { run } from '@skolo/base/testing';
import { whyNoRealNodes } from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Target } from './build.ts';
import { jumphost, machine, type RackOnNodes, startRackOnNodes } from './rack-on-nodes.ts';
import { theEngine } from './testing.ts';

const why = whyNoRealNodes('curl');
const netBindService = 0x400n;
const sysTime = 0x2000000n;
let rack: RackOnNodes;

interface Workload {
  image: Target;
  /** As the kernel has it. */
  user: number;
  capabilities: bigint;
  memoryMib: number;
}

const service = (image: Target, memoryMib: number): Workload => ({
  image,
  user: 10_001,
  capabilities: 0n,
  memoryMib,
});

/** One that needs rights, on each push: images take minutes to be imported. The long run adds the others, which need none, and chrony. */
const privileged: Workload[] = [
  {
    ...service('metadata-server', 256),
    user: 0,
    capabilities: netBindService,
  },
];
const others = [
  service('power-cycle-daemon', 256),
  service('router-backup', 512),
  service('alert-to-pubsub', 256),
  service('machine-state', 384),
  { ...service('chrony', 48), user: 0, capabilities: netBindService | sysTime },
];
const workloads = isLong ? [...privileged, ...others] : privileged;

describe.skipIf(why)('on real nodes', () => {
  beforeAll(async () => {
    const prepared = inject('prepared');
    if (prepared.is !== 'ready') return;
    const names = workloads.map(({ image }) => image);
    rack = await startRackOnNodes(prepared.access, ['swarming-client', 'cli', ...names]);
  });
  afterAll(() => rack?.close());

  describe.each(workloads)('$image', (workload) => {
    const { image, user, capabilities, memoryMib } = workload;

    it('becomes ready, with the rights and limits of its manifest and no others', async ({
      skip,
    }) => {
      theEngine(skip);
      await expect.poll(() => rack.stateOf(image), { interval: 500 }).toBe('ready');

      const { name = '', namespace = '' } = (await rack.podOf(image))?.metadata ?? {};
      const inside = (command: string) =>
        rack.plane.kubectl(['exec', '-n', namespace, name, '-c', image, '--', 'sh', '-c', command]);
      const status = await inside('cat /proc/1/status');
      const field = (title: string) => status.match(new RegExp(`^${title}:\\s*(\\S+)`, 'm'))?.[1];
      expect(Number(field('Uid'))).toBe(user);
      expect(BigInt(`0x${field('CapBnd')}`)).toBe(capabilities);
      expect(field('NoNewPrivs')).toBe('1');
      expect(field('Seccomp')).toBe('2');
      expect(await inside('touch /opt/skolo/file 2>&1 || true')).toContain('Read-only file system');
      const limit = await inside('cat /sys/fs/cgroup/memory/memory.limit_in_bytes');
      expect(Number(limit)).toBe(memoryMib * 1024 * 1024);
    });
  });

  it('metadata-server answers with the identity of the address that asks', async ({ skip }) => {
    theEngine(skip);
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'caller', namespace: 'default' },
      spec: {
        nodeName: jumphost.name,
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'pause', image: 'test.skolo/pause:1' }],
      },
    };
    await rack.plane.kubectl(['create', '-f', '-'], pod);
    await rack.plane.kubectl(['wait', '--for=condition=Ready', 'pod/caller', '--timeout=1h']);
    const path = 'jsonpath={.status.podIP}';
    const address = await rack.plane.kubectl(['get', 'pod', 'caller', '-o', path]);
    await rack.plane.network().addAddresses('192.168.1.102', '192.168.1.99');
    const email = (name: string) => `${name}@my-project.iam.gserviceaccount.com 200`;

    const outside = async (from: string) => {
      const enter = ['--net', '--target', `${rack.plane.network().pid}`];
      return (await run('nsenter', [...enter, 'sh', '-c', ask(from)])).stdout;
    };

    // As a pod of the machine's network does, and one of the jumphost's.
    expect(await rack.nodes.machine.run('sh', '-c', ask(machine.address))).toBe(email('bots'));
    expect(await rack.nodes.jumphost.run('sh', '-c', ask(jumphost.address))).toBe(
      email('jumphost'),
    );
    expect(await rack.nodes.jumphost.run('sh', '-c', askInPod(address))).toBe(email('jumphost'));
    // A machine outside of the cluster, and an address that rack.yaml does not have.
    expect(await outside('192.168.1.102')).toBe(email('bots'));
    expect(await outside('192.168.1.99')).toMatch(/ 403$/);
  });

  it('the agent has processes and devices of its machine, runs the bot with its hooks and a task, and ends', async ({
    skip,
  }) => {
    theEngine(skip);
    const { swarming, plane } = rack;
    await expect.poll(() => rack.stateOf('swarming-client'), { interval: 500 }).toBe('ready');
    const pod = (await rack.podOf('swarming-client'))?.metadata.name ?? '';
    const look = 'cat /proc/1/cmdline; ls -d /dev/bus/usb /dev/kmsg';

    const found = await plane.kubectl(['exec', '-n', 'skolo-node', pod, '--', 'sh', '-c', look]);
    const task = swarming.addTask({ python: 'print("done")' });

    // The first process is that of the node.
    expect(found).toMatch(/node-init.*\/dev\/bus\/usb\n\/dev\/kmsg/s);
    await expect.poll(() => swarming.task(task).state).toBe('completed');
    expect(swarming.task(task).output).toContain('done');
    // Of its hooks: from rack.yaml, by the agent.
    expect(swarming.bot(machine.name).dimensions).toMatchObject({ sk_rack: ['rack4'] });
    // Without a task, it ends at once.
    await plane.kubectl(['delete', 'pod', '-n', 'skolo-node', pod, '--timeout=1h']);
  });

  it('the image of the command runs as its user', async ({ skip }) => {
    theEngine(skip);
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'cli', namespace: 'default' },
      spec: {
        nodeName: jumphost.name,
        restartPolicy: 'Never',
        containers: [
          {
            name: 'cli',
            image: 'test.skolo/cli:1',
            args: ['--version'],
            securityContext: { runAsNonRoot: true, readOnlyRootFilesystem: true },
          },
        ],
      },
    };
    await rack.plane.kubectl(['create', '-f', '-'], pod);
    const ended = ['--for=jsonpath={.status.phase}=Succeeded', '--timeout=1h'];
    await rack.plane.kubectl(['wait', 'pod/cli', ...ended]);
    expect(await rack.plane.kubectl(['logs', 'cli'])).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.for(workloads)(
    '$image ends by itself, within its grace period',
    async ({ image }, { skip }) => {
      theEngine(skip);
      const { name = '', namespace = '' } = (await rack.podOf(image))?.metadata ?? {};
      // kubelet would kill it after 30 s.
      await rack.plane.kubectl(['delete', 'pod', '-n', namespace, name, '--timeout=1h']);
    },
  );
});

/** For a shell: asks the metadata server for an account, from an address; prints it and the status of the answer. */
function ask(from: string): string {
  const url = `http://${jumphost.address}/computeMetadata/v1/instance/service-accounts/default/email`;
  return `curl -s -w ' %{http_code}' --interface ${from} -H 'Metadata-Flavor: Google' ${url}`;
}

/** The same in the network namespace of the pod with the address. */
function askInPod(address: string): string {
  return `for net in /run/netns/*; do
  if nsenter --net=$net ip -4 address | grep -q ' ${address}/'; then exec nsenter --net=$net ${ask(address)}; fi
done`;
}
