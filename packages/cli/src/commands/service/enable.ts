import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { count, shellWord } from '@skolo/base';
import type { ServiceName } from '@skolo/rack/light';
import { type Host, isPrepared } from '@skolo/setup/engine';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes, usageError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { plain } from '../../output/text.ts';
import { stepRunner } from '../jumphost/steps/run-steps.ts';
import { printSteps } from '../jumphost/steps/steps-text.ts';
import {
  currentVersion,
  enabledServices,
  type Given,
  givenBefore,
  installed,
  removeVersions,
  servicesNamed,
  stopWithinMs,
  thisComputer,
  unitOf,
} from './installed.ts';
import {
  brokenParts,
  configurationStep,
  moveTo,
  type Plan,
  runningStep,
  unitStep,
  userSteps,
  versionSteps,
} from './steps.ts';

/** `skolo service enable`: runs a service on this computer, without Kubernetes. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Runs services on this computer under systemd, without Kubernetes. Each service runs as a user of its own, which the command creates. It then checks rack.yaml and the service's secrets as this user before it changes anything else. The agent (swarming-client) runs as root, and restarts only after its current task. If this computer has no rack.yaml, the agent gets its entry from the metadata server. After you upgrade the skolo package, run this command without names to restart the enabled services with the new version. If a service does not start, all of them return to the previous version. Exit codes: 0 the services are running; 1 something failed; 3 the services are running, but parts of them do not work.",
    )
    .summary('run services on this computer, or upgrade them')
    .argument('[services...]', 'for example router-backup (default: all enabled services)')
    .option(
      '--machine <name>',
      'name of this computer in rack.yaml, for swarming-client (default: its host name)',
    )
    .uses('rack')
    .example('skolo service enable router-backup --rack /etc/skolo/rack.yaml')
    .example('skolo service enable swarming-client --machine rpi-001');

  command.interruptible(async (signal, names: string[], { machine }: { machine?: string }) => {
    const { io } = command;
    const given = servicesNamed(names);
    if (machine !== undefined && !given.includes('swarming-client'))
      throw usageError('--machine applies only to swarming-client; specify this service as well');
    const program = installed();
    const host = await thisComputer(signal);
    const enabled = await enabledServices(host);
    if (given.length === 0 && enabled.length === 0)
      throw usageError('no services are enabled yet; specify one, such as router-backup');
    const wanted = given.length > 0 ? given : enabled;
    const others = enabled.filter((service) => !wanted.includes(service));
    const plans = await Promise.all(
      [...wanted, ...others].map(async (service): Promise<Plan> => {
        const variables = await variablesOf(command, { host, service, machine });
        return { service, given: variables, installed: program, signal };
      }),
    );
    const previous = await currentVersion(host);
    const steps = [
      ...plans.flatMap(userSteps),
      ...plans.map(configurationStep),
      ...(await Promise.all(plans.map(withUnit))),
      ...versionSteps(program),
      ...plans.map(runningStep),
    ];
    const ended = await stepRunner(io).run(host, steps, { signal, isCheck: false });
    printSteps(io, ended);
    if (isPrepared(ended)) {
      // The previous one is kept for a rollback.
      await removeVersions(host, [program.version, ...(previous === undefined ? [] : [previous])]);
      return await printRunning(io, host, plans.slice(0, wanted.length));
    }
    io.exitCode = exitCodes.failed;
    const isNew = ended.some(({ name, state }) => name === 'version' && state === 'changed');
    if (previous !== undefined && isNew) await returnTo(host, previous, enabled);
  });

  async function withUnit(plan: Plan) {
    const { installed, service } = plan;
    return unitStep(
      plan,
      await readFile(join(installed.folder, 'deploy/systemd', unitOf(service))),
    );
  }

  async function returnTo(host: Host, version: string, services: readonly ServiceName[]) {
    await moveTo(host, version);
    const restart = `systemctl restart ${services.map(unitOf).join(' ')}`;
    await host.need(restart, { deadlineMs: stopWithinMs });
    throw new CliError(
      `not all services started, so ${count(services.length, 'service')} returned to skolo ${version}; to see why, run journalctl -u 'skolo-*' --since -5min`,
    );
  }
}

async function printRunning(io: Io, host: Host, plans: readonly Plan[]): Promise<void> {
  const found = await Promise.all(
    plans.map(async (plan) => ({ ...plan, broken: await brokenParts(host, plan) })),
  );
  const text = `running skolo ${plans[0]?.installed.version}`;
  const healthy = found.filter(({ broken }) => broken.length === 0);
  if (healthy.length > 0) io.out(`${healthy.map(({ service }) => service).join(', ')}: ${text}`);
  for (const { service, broken } of found) {
    for (const part of broken) io.out(plain(`${service}: ${text}, but ${part}`));
  }
  if (healthy.length < found.length) io.exitCode = exitCodes.partlyFailed;
  await printForeignAddress(io, plans);
}

/** rack.yaml was pasted, or this computer's address has changed. On a machine, the jumphost is another computer. */
async function printForeignAddress(io: Io, plans: readonly Plan[]): Promise<void> {
  const file = plans.find(({ service }) => service !== 'swarming-client')?.given.SKOLO_RACK;
  if (file === undefined) return;
  const { readRack } = await import('@skolo/rack');
  const { address } = (await readRack(file)).jumphost;
  const own = Object.values(networkInterfaces()).flatMap((each = []) => each);
  if (own.some((each) => each.address === address)) return;
  const found = own.flatMap((each) =>
    each.internal || each.address.startsWith('fe80:') ? [] : [each.address],
  );
  io.out(
    `warning: ${file}: jumphost.address is ${address}, but this computer's addresses are ${found.join(', ')}; correct it, because skolo and machines connect to it`,
  );
}

interface Asked {
  host: Host;
  service: ServiceName;
  machine: string | undefined;
}

/** rack.yaml and the machine's name: the given ones, otherwise those that the service runs with. */
async function variablesOf(
  command: SkoloCommand,
  { host, service, machine }: Asked,
): Promise<Given> {
  const { rack, rackIsDefault } = command.globals();
  const before = await givenBefore(host, service);
  const isAgent = service === 'swarming-client';
  const name = isAgent ? (machine ?? before.SKOLO_MACHINE) : undefined;
  const ofMachine: Given = name === undefined ? {} : { SKOLO_MACHINE: name };
  if (rackIsDefault && before.SKOLO_RACK !== undefined)
    return { SKOLO_RACK: before.SKOLO_RACK, ...ofMachine };
  const file = resolve(command.io.folder, rack);
  // Then the metadata server has the machine's part of rack.yaml.
  if (isAgent && rackIsDefault && (await host.run(`[ -e ${shellWord(file)} ]`)).code !== 0)
    return ofMachine;
  const hidden = /^\/(?:home|root|run\/user|tmp|var\/tmp)\//.exec(file)?.[0];
  if (hidden !== undefined)
    throw usageError(`${file}: services cannot read files in ${hidden}; copy it to /etc/skolo`);
  return { SKOLO_RACK: file, ...ofMachine };
}
