/** The steps of each computer of a cluster: those of packages/jumphost, for a server that is no jumphost. */
import {
  accountsStep,
  agentSteps,
  clusterOn,
  type Host,
  imagesStep,
  installBinary,
  installedVersion,
  k3sConfigStep,
  k3sStep,
  type Role,
  type Step,
  systemStep,
  unitFile,
  units,
} from '@skolo/jumphost';
import { swapStep } from '@skolo/pi';
import { ClusterError } from './errors.ts';
import type { ClusterPlan, Member, PlanDeps } from './plan.ts';

const gib = 1024 ** 3;

/** What a computer needs before it has a part in a cluster. The order is that of `skolo pi kubernetes deploy`. */
export function deploySteps(
  { version, airGap }: Pick<ClusterPlan, 'version' | 'airGap'>,
  { download, now }: Pick<PlanDeps, 'download' | 'now'>,
): Step[] {
  const k3s = { version, download };
  return [
    // A Pi of 1 GB has less, by what its kernel and graphics keep.
    systemStep({
      architectures: ['amd64', 'arm64', 'armhf'],
      ...{ freeBytes: 3 * gib, memoryBytes: 0.7 * gib, hasUbuntu: true, now },
    }),
    swapStep(),
    programStep(k3s),
    ...(airGap === undefined ? [] : [imagesStep(k3s, { own: airGap.own, rack: 'own' })]),
  ];
}

/** The program, for its programs and not for its kernel: a kernel of 64 bits may have programs of 32. */
function programStep(k3s: Pick<ClusterPlan, 'version'> & Pick<PlanDeps, 'download'>): Step {
  const { version } = k3s;
  return {
    name: 'program',
    about: `the program of k3s, ${version} where none runs`,
    async check(host) {
      const installed = await installedVersion(host);
      if (installed === undefined) return { differs: ['/usr/local/bin/k3s is missing'] };
      if (installed === version) return { differs: [], note: installed };
      return (await roleOf(host)) === undefined
        ? { differs: [`/usr/local/bin/k3s is ${installed}`] }
        : { differs: [], note: `${installed}, which is part of a cluster and stays` };
    },
    apply: (host) => installBinary(host, k3s),
  };
}

/** What it is in a cluster of k3s; undefined: in none. */
export async function roleOf(host: Host): Promise<Role | undefined> {
  const { stdout } = await host.run(
    `[ ! -e ${unitFile('server')} ] || echo server
[ ! -e ${unitFile('agent')} ] || echo agent`,
  );
  const [role] = stdout.split('\n');
  return role === 'server' || role === 'agent' ? role : undefined;
}

/** Another role is lost with all its data, and so only by `reset`. */
function roleStep(role: Role): Step {
  return {
    name: 'role',
    about: `it has no other part in a cluster than ${role}`,
    async check(host) {
      const now = await roleOf(host);
      if (now === undefined || now === role) return { differs: [] };
      return {
        differs: [
          `it has ${units[now]}, and is to be ${role}; take it out of its cluster first, with skolo pi kubernetes reset`,
        ],
      };
    },
  };
}

/** The server: it makes the cluster. */
export function serverSteps({ server, ...plan }: ClusterPlan, deps: PlanDeps): Step[] {
  return [
    ...deploySteps(plan, deps),
    roleStep('server'),
    k3sConfigStep(server),
    k3sStep({ version: plan.version, download: deps.download }),
    accountsStep(deps.accounts),
  ];
}

/**
 * A computer that joins. Its programs come before the server is there.
 *
 * @param server resolves when the API server answers, with a host for its commands
 */
export function memberSteps(
  { server: { address }, ...plan }: ClusterPlan,
  member: Member,
  server: Promise<Host>,
  deps: PlanDeps,
): Step[] {
  const { download, now, readyMs } = deps;
  const cluster = later(server);
  return [
    ...deploySteps(plan, deps),
    roleStep('agent'),
    {
      name: 'server',
      about: 'the server of the cluster is there',
      async check() {
        await server;
        return { differs: [] };
      },
    },
    ...agentSteps({
      ...{ machine: member, server: address, cluster, download, now, taint: null },
      ...(readyMs !== undefined && { readyMs }),
    }),
  ];
}

function later(server: Promise<Host>): ReturnType<typeof clusterOn> {
  const cluster = server.then(clusterOn);
  cluster.catch(() => undefined);
  return {
    version: async () => (await cluster).version(),
    node: async (name) => (await cluster).node(name),
    hasPassword: async (name) => (await cluster).hasPassword(name),
    newToken: async (ttl, about) => (await cluster).newToken(ttl, about),
    ca: async () => (await cluster).ca(),
    taint: async (name, taint) => (await cluster).taint(name, taint),
    forget: async (name) => (await cluster).forget(name),
  };
}

/** @throws ClusterError A name or an address is there twice. */
export function refuseTwice(members: readonly Member[]): void {
  for (const key of ['name', 'address'] as const) {
    const seen = new Set<string>();
    for (const { [key]: value } of members) {
      if (value === undefined) continue;
      if (seen.has(value)) throw new ClusterError(`${value}: is there twice; name it once`);
      seen.add(value);
    }
  }
}
