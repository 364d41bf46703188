/** Steps of `skolo service enable`: each checks this computer, changes what differs, and checks again. */
import { errorText, shellWord } from '@skolo/base';
import { request } from '@skolo/base/request';
import {
  checkByScript,
  fileStep,
  type Host,
  linesOf,
  type Step,
  waitUntil,
  writtenHead,
} from '@skolo/computers';
import { type JumphostService, servicePorts } from '@skolo/rack/light';
import { current, dropInOf, type Installed, opt, runningProcess, unitOf } from './installed.ts';

/** A service as it should run. */
export interface Plan {
  service: JumphostService;
  /** Absolute path of rack.yaml. */
  rack: string;
  installed: Installed;
  signal: AbortSignal;
}

/** Timeout for a service to start, including the recovery of a long journal. */
const startWithinMs = 60_000;

export function userStep({ service }: Plan): Step {
  const user = userOf(service);
  return {
    name: `${service} user`,
    about: `the user ${user} exists and is in the group skolo`,
    check: checkByScript(
      `id -nG ${user} 2>/dev/null | grep -qw skolo || echo 'the user ${user} is missing or not in the group skolo'`,
    ),
    async apply(host) {
      await host.need(
        `systemd-sysusers --inline 'g skolo - -' 'u ${user} - "skolo ${service}"' 'm ${user} skolo'`,
      );
    },
  };
}

/** Only a person can change rack.yaml and secrets. */
export function configurationStep({ service, rack, installed: { folder } }: Plan): Step {
  const user = userOf(service);
  const main = `${folder}/services/${service}/dist/main.js`;
  return {
    name: `${service} configuration`,
    about: `${rack} and its secrets are valid and readable for ${user}`,
    async check(host) {
      // With the user and groups of the unit, because a check as root could read more.
      const { code, stdout, stderr } = await host.run(`cd /
environment=/etc/skolo/${service}/environment
if [ -e $environment ]; then set -- --env-file=$environment; fi
exec setpriv --reuid=${user} --regid=${user} --init-groups ${folder}/bin/node "$@" ${main} --check --rack ${shellWord(rack)}`);
      return { differs: code === 0 ? [] : linesOf(`${stdout}\n${stderr}`) };
    },
  };
}

/** @param unit content of its file in the installed version */
export function unitStep({ service, rack }: Plan, unit: Buffer): Step {
  const name = unitOf(service);
  return fileStep({
    name: `${service} unit`,
    about: `${name} starts with the computer`,
    files: [
      { path: `/etc/systemd/system/${name}`, content: unit },
      { path: dropInOf(service), content: dropIn(service, rack) },
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
        `cmp -s ${folder}/BUILD ${target}/BUILD || echo '${target} is missing or another build'`,
      ),
      async apply(host) {
        // Hard links use no space, and dpkg replaces files instead of overwriting them.
        await host.need(
          `set -e
mkdir -p ${opt}
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
      about: `services start skolo ${version}`,
      check: checkByScript(
        `at="$(readlink ${current})"; [ "$at" = ${version} ] || echo "services start \${at:-no version yet}"`,
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
export function runningStep({ service, rack, installed, signal }: Plan): Step {
  const unit = unitOf(service);
  const look = (host: Host) => whyNotRunning(host, { service, rack, installed, signal });
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
      await host.need(`systemctl reset-failed ${unit} 2>/dev/null; systemctl restart ${unit}`);
      await waitUntil(() => look(host), { withinMs: startWithinMs, pollMs: 500, signal });
    },
  };
}

async function whyNotRunning(
  host: Host,
  { service, rack, installed, signal }: Plan,
): Promise<string | undefined> {
  const running = await runningProcess(host, service);
  if (running === undefined)
    return `${service} is not running; to see why, run journalctl -u ${unitOf(service)}`;
  const { version, program, variables } = running;
  if (version !== installed.version) return `${service} runs ${program}`;
  if (variables.SKOLO_RACK !== rack) return `${service} runs with ${variables.SKOLO_RACK}`;
  const port = variables.SKOLO_METRICS_PORT || servicePorts[service].metricsPort;
  const url = `http://127.0.0.1:${port}/healthz`;
  try {
    const { status } = await request(url, { timeoutMs: 5000, signal });
    return status === 200 ? undefined : `${url} returns ${status}`;
  } catch (error) {
    return `${url}: ${errorText(error)}`;
  }
}

function userOf(service: JumphostService): string {
  return `skolo-${service}`;
}

function dropIn(service: JumphostService, rack: string): string {
  const user = userOf(service);
  // The metadata server's port is 80; the unit for jumphosts runs it as root.
  const port80 = service === 'metadata-server' ? 'AmbientCapabilities=CAP_NET_BIND_SERVICE\n' : '';
  return `${writtenHead}[Service]
User=${user}
Group=${user}
SupplementaryGroups=skolo
${port80}Environment="SKOLO_RACK=${rack}"
`;
}
