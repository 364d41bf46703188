/** Steps of `skolo service enable`: each checks this computer, changes what differs, and checks again. */
import { Readiness } from '@skolo/api/probes';
import { errorText, parseJson, pause, shellWord } from '@skolo/base';
import { request } from '@skolo/base/request';
import { type ServiceName, servicePorts } from '@skolo/rack/light';
import {
  checkByScript,
  fileStep,
  type Host,
  linesOf,
  type Step,
  waitUntil,
  writtenHead,
} from '@skolo/setup/engine';
import {
  current,
  dropInOf,
  type Given,
  type Installed,
  lastError,
  opt,
  runningProcess,
  stopWithinMs,
  unitOf,
  unitState,
} from './installed.ts';

/** A service as it should run. */
export interface Plan {
  service: ServiceName;
  given: Given;
  installed: Installed;
  signal: AbortSignal;
}

/** Timeout for a service to start, including the recovery of a long journal. */
const startWithinMs = 60_000;
/** After its start, until a service has tried its parts. */
const settleMs = 5000;

/**
 * With its state directory, which systemd would create only after the configuration that refers to it has been validated. None for the
 * agent.
 */
export function userSteps({ service }: Plan): Step[] {
  const user = ownUserOf(service);
  if (user === undefined) return [];
  const state = `/var/lib/skolo/${service}`;
  return [
    {
      name: `${service} user`,
      about: `the user ${user} exists, is in the group skolo, and has the directory ${state}`,
      check: checkByScript(
        `id -nG ${user} 2>/dev/null | grep -qw skolo || echo 'the user ${user} is missing or not in the group skolo'
[ -d ${state} ] || echo '${state} is missing'`,
      ),
      async apply(host) {
        await host.need(
          `set -e
systemd-sysusers --inline 'g skolo - -' 'u ${user} - "skolo ${service}"' 'm ${user} skolo'
[ -d ${state} ] || { install -d /var/lib/skolo; install -d -o ${user} -g ${user} -m 0700 ${state}; }`,
        );
      },
    },
  ];
}

/** Only a person can change rack.yaml and secrets. */
export function configurationStep({ service, given, installed: { folder } }: Plan): Step {
  const user = ownUserOf(service) ?? 'root';
  const main = `${folder}/services/${service}/dist/main.js`;
  return {
    name: `${service} configuration`,
    about: `${given.SKOLO_RACK ?? 'its part of rack.yaml'} and its secrets are valid and readable by ${user}`,
    async check(host) {
      // With the user and groups of the unit, because a check as root could read more.
      const variables = Object.entries(given).map((each) => shellWord(each.join('=')));
      const { code, stdout, stderr } = await host.run(`cd /
environment=/etc/skolo/${service}/environment
if [ -e $environment ]; then set -- --env-file=$environment; fi
exec env ${variables.join(' ')} setpriv --reuid=${user} --regid=${user} --init-groups ${folder}/bin/node "$@" ${main} --check`);
      return { differs: code === 0 ? [] : linesOf(`${stdout}\n${stderr}`) };
    },
  };
}

/** @param unit content of its file in the installed version */
export function unitStep({ service, given }: Plan, unit: Buffer): Step {
  const name = unitOf(service);
  return fileStep({
    name: `${service} unit`,
    about: `${name} starts at boot`,
    files: [
      { path: `/etc/systemd/system/${name}`, content: unit },
      { path: dropInOf(service), content: dropIn(service, given) },
    ],
    activate: `systemctl daemon-reload\nsystemctl enable --quiet ${name}`,
    verify: `systemctl is-enabled --quiet ${name} || echo '${name} is not enabled'`,
  });
}

/** The version that all services run. */
export function versionSteps({ folder, version }: Installed): Step[] {
  const target = `${opt}/${version}`;
  return [
    {
      name: 'programs',
      about: `skolo ${version} is in ${target}`,
      check: checkByScript(
        `cmp -s ${folder}/BUILD ${target}/BUILD || echo '${target} is missing or contains another build'`,
      ),
      async apply(host) {
        // Hard links use no space, and dpkg replaces files instead of overwriting them.
        await host.need(
          `set -e
install -d ${opt}
rm -rf ${target}.new
cp -al ${folder} ${target}.new 2>/dev/null || { rm -rf ${target}.new; cp -a ${folder} ${target}.new; }
rm -rf ${target}
mv ${target}.new ${target}
sync -f ${opt}`,
          { deadlineMs: 300_000 },
        );
      },
    },
    {
      name: 'version',
      about: `skolo ${version} is the version that services start`,
      check: checkByScript(
        `at="$(readlink ${current})"; [ "$at" = ${version} ] || echo "the version that services start is \${at:-not set yet}"`,
      ),
      apply: (host) => moveTo(host, version),
    },
  ];
}

/** Lets all services start this version. */
export async function moveTo(host: Host, version: string): Promise<void> {
  // A rename replaces the link atomically, and is on disk before a service starts.
  await host.need(
    `set -e; ln -sfn ${version} ${current}.new; mv -T ${current}.new ${current}; sync -f ${opt}`,
  );
}

/** Asks the running process, not the unit: its program, its rack.yaml, and whether it responds. */
export function runningStep(plan: Plan): Step {
  const { service, installed, signal } = plan;
  const unit = unitOf(service);
  const look = (host: Host) => whyNotRunning(host, plan);
  return {
    name: service,
    // Not the other services: if one does not start, the others do.
    needs: ['version'],
    about: `${service} ${installed.version} is running`,
    async check(host) {
      const why = await look(host);
      return { differs: why === undefined ? [] : [why] };
    },
    async apply(host) {
      const restart = `systemctl reset-failed ${unit} 2>/dev/null; systemctl restart ${unit}`;
      await host.need(restart, { deadlineMs: stopWithinMs });
      // After a crash, the next check tells why.
      const untilCrash = async () =>
        (await unitState(host, service)).crashes > 0 ? undefined : await look(host);
      await waitUntil(untilCrash, { withinMs: startWithinMs, pollMs: 500, signal });
    },
  };
}

async function whyNotRunning(
  host: Host,
  { service, given, installed, signal }: Plan,
): Promise<string | undefined> {
  const log = `journalctl -u ${unitOf(service)}`;
  if ((await unitState(host, service)).crashes > 0)
    return `${service} exits after it starts: ${(await lastError(host, service)) ?? `to see why, run ${log}`}`;
  const running = await runningProcess(host, service);
  if (running === undefined) return `${service} is not running; to see why, run ${log}`;
  const { version, program, variables } = running;
  if (version !== installed.version) return `${service} runs ${program}`;
  for (const [name, value] of Object.entries(given)) {
    if (variables[name] !== value) return `${service} runs with ${name}=${variables[name] ?? ''}`;
  }
  const url = `${probesOf(service, variables)}/healthz`;
  try {
    const { status } = await request(url, { timeoutMs: 5000, signal });
    return status === 200 ? undefined : `${url} returns ${status}`;
  } catch (error) {
    return `${url}: ${errorText(error)}`;
  }
}

type Variables = Readonly<Record<string, string>>;

function probesOf(service: ServiceName, { SKOLO_METRICS_PORT: port }: Variables): string {
  return `http://127.0.0.1:${port || servicePorts[service].metricsPort}`;
}

/** Parts of a running service that do not work, according to the service itself. */
export async function brokenParts(host: Host, { service, signal }: Plan): Promise<string[]> {
  const running = await runningProcess(host, service);
  const url = `${probesOf(service, running?.variables ?? {})}/readyz`;
  await pause(settleMs, signal);
  try {
    const { text } = await request(url, { timeoutMs: 5000, signal });
    const { ready, degraded } = Readiness.parse(parseJson(text));
    const parts = degraded.map(({ what, why }) => `${what}: ${why}`);
    return ready ? parts : ['it does not accept requests', ...parts];
  } catch (error) {
    return [`${url}: ${errorText(error)}`];
  }
}

/** Undefined: it runs as root, because its tasks do. */
function ownUserOf(service: ServiceName): string | undefined {
  return service === 'swarming-client' ? undefined : `skolo-${service}`;
}

function dropIn(service: ServiceName, given: Given): string {
  const variables = Object.entries(given).map(
    ([name, value]) => `Environment="${name}=${value}"\n`,
  );
  const user = ownUserOf(service);
  const userLines =
    user === undefined ? '' : `User=${user}\nGroup=${user}\nSupplementaryGroups=skolo\n`;
  // The metadata server's port is 80; the unit for jumphosts runs it as root.
  const port80 = service === 'metadata-server' ? 'AmbientCapabilities=CAP_NET_BIND_SERVICE\n' : '';
  return `${writtenHead}[Service]\n${userLines}${port80}${variables.join('')}`;
}
