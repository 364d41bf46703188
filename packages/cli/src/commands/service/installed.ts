/**
 * Finds and changes skolo's units on a computer without Kubernetes, and how long a service may take to stop. The Debian package installs
 * programs in /usr/lib/skolo/VERSION; `skolo service enable` puts that version next to the previous one in /opt/skolo, and points the
 * link /opt/skolo/current to it. So a package upgrade neither changes nor stops a running service.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseJson } from '@skolo/base';
import { type ServiceName, serviceNames } from '@skolo/rack/light';
import { factsIn, type Host, linesOf, openHost } from '@skolo/setup/engine';
import { z } from 'zod';
import { CliError, usageError } from '../../errors.ts';

export const opt = '/opt/skolo';
export const current = `${opt}/current`;

/** Programs of one version, as the Debian package installs them. */
export interface Installed {
  folder: string;
  version: string;
}

/** @throws CliError This program does not come from the Debian package. */
export function installed(): Installed {
  // The bundle of the command is in packages/cli/dist.
  const folder = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
  const file = join(folder, 'VERSION');
  if (existsSync(file)) return { folder, version: readFileSync(file, 'utf8').trim() };
  throw new CliError(
    'skolo service: this skolo is not from the Debian package; install skolo_VERSION_ARCHITECTURE.deb on the computer that runs the service',
  );
}

/** This computer, as root. @throws ComputerError You are not root, and sudo does not work. */
export async function thisComputer(signal: AbortSignal): Promise<Host> {
  return await openHost({
    name: hostname(),
    signal,
    start: async (command) => spawn('sh', ['-c', command], { stdio: 'pipe' }),
  });
}

export function unitOf(service: ServiceName): string {
  return `skolo-${service}.service`;
}

/** What `skolo service enable` writes next to the unit. */
export function dropInOf(service: ServiceName): string {
  return `/etc/systemd/system/${unitOf(service)}.d/service.conf`;
}

/** Variables of a service that `skolo service enable` sets. */
export type Given = Partial<Record<'SKOLO_RACK' | 'SKOLO_MACHINE', string>>;

/** The variables in the drop-in of a service; empty if it is not enabled. */
export async function givenBefore(host: Host, service: ServiceName): Promise<Given> {
  const text = (await host.read(dropInOf(service))) ?? '';
  return Object.fromEntries(
    [...text.matchAll(/^Environment="(SKOLO_RACK|SKOLO_MACHINE)=(.+)"$/gm)].map(
      ([, name, value]) => [name, value],
    ),
  );
}

/** systemd limits it: before an agent stops, its task may run for `taskGraceSeconds`. */
export const stopWithinMs = 24 * 3_600_000;

/** Services that were enabled on this computer. */
export async function enabledServices(host: Host): Promise<ServiceName[]> {
  const files = serviceNames.map(dropInOf).join(' ');
  const found = linesOf(await host.need(`ls -d ${files} 2>/dev/null || true`));
  return serviceNames.filter((service) => found.includes(dropInOf(service)));
}

/** The process of a service that is running. */
interface Running {
  /** The version whose Node runs; undefined: another Node. */
  version: string | undefined;
  /** Path of the program. */
  program: string;
  /** Variables that begin with `SKOLO_`. */
  variables: Readonly<Record<string, string>>;
}

/** Asks the kernel, not the unit. Undefined: it is not running. */
export async function runningProcess(
  host: Host,
  service: ServiceName,
): Promise<Running | undefined> {
  const text = await host.need(`pid=$(systemctl show --property=MainPID --value ${unitOf(service)})
[ "$pid" != 0 ] || exit 0
echo "program=$(readlink /proc/$pid/exe)"
tr '\\0' '\\n' < /proc/$pid/environ | grep '^SKOLO_' || true`);
  const { program, ...variables } = factsIn(text);
  if (program === undefined) return undefined;
  const [, version] = /^\/opt\/skolo\/([^/]+)\/bin\/node$/.exec(program) ?? [];
  return { version, program, variables };
}

interface UnitState {
  /** As `systemctl is-active` prints it. */
  active: string;
  /** Restarts by systemd, if the latest crash was within half a minute; otherwise 0. */
  crashes: number;
}

export async function unitState(host: Host, service: ServiceName): Promise<UnitState> {
  const properties = 'ActiveState,SubState,NRestarts,ActiveEnterTimestampMonotonic';
  const facts = factsIn(
    await host.need(`systemctl show --property=${properties} ${unitOf(service)}
echo "up=$(cut -d ' ' -f 1 /proc/uptime)"`),
  );
  const { ActiveState: active = '', SubState, NRestarts } = facts;
  const upSeconds = Number(facts.up) - Number(facts.ActiveEnterTimestampMonotonic) / 1e6;
  const isDown = SubState === 'auto-restart' || active === 'failed';
  const restarts = Number(NRestarts) + (isDown ? 1 : 0);
  return { active, crashes: isDown || upSeconds < 30 ? restarts : 0 };
}

/** Of a line of the log. */
const Fatal = z.looseObject({
  level: z.literal('fatal'),
  msg: z.string(),
  why: z.string().exactOptional(),
  problems: z.array(z.string()).exactOptional(),
  err: z.looseObject({ message: z.string() }).exactOptional(),
});

/** Why it last exited, according to its log; undefined: the log does not say. */
export async function lastError(host: Host, service: ServiceName): Promise<string | undefined> {
  const log = await host.need(`journalctl -q -o cat -n 100 -u ${unitOf(service)}`);
  const found = linesOf(log).flatMap((line) => Fatal.safeParse(parseJson(line)).data ?? []);
  const last = found.at(-1);
  return last?.why ?? last?.problems?.join('; ') ?? last?.err?.message ?? last?.msg;
}

/** Removes programs in /opt/skolo, except for these versions. */
export async function removeVersions(host: Host, kept: readonly string[] = []): Promise<void> {
  const names = kept.map((version) => `! -name '${version}'`).join(' ');
  await host.need(
    `[ ! -d ${opt} ] || find ${opt} -mindepth 1 -maxdepth 1 -type d ${names} -exec test -e '{}/BUILD' ';' -exec rm -rf '{}' +`,
  );
}

/** The version that `current` links to; undefined if no service has been enabled yet. */
export async function currentVersion(host: Host): Promise<string | undefined> {
  return (await host.need(`readlink ${current} || true`)).trim() || undefined;
}

/** @throws CliError One of them is not a service. */
export function servicesNamed(names: readonly string[]): ServiceName[] {
  return names.map((name) => {
    const service = serviceNames.find((each) => each === name);
    if (service !== undefined) return service;
    throw usageError(`${name}: no such service; the services are ${serviceNames.join(', ')}`);
  });
}
