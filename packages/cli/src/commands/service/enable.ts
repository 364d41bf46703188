import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { count } from '@skolo/base';
import { type Host, isPrepared, type StepProgress } from '@skolo/computers';
import type { JumphostService } from '@skolo/rack/light';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes, usageError } from '../../errors.ts';
import { stepRunner } from '../jumphost/steps/run-steps.ts';
import { printSteps } from '../jumphost/steps/steps-text.ts';
import {
  currentVersion,
  dropInOf,
  enabledServices,
  installed,
  removeVersions,
  servicesNamed,
  thisComputer,
  unitOf,
} from './installed.ts';
import {
  configurationStep,
  moveTo,
  type Plan,
  runningStep,
  unitStep,
  userStep,
  versionSteps,
} from './steps.ts';

/** `skolo service enable`: runs a service on this computer, without Kubernetes. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Runs services on this computer under systemd, without Kubernetes, each as its own user. It creates that user, and validates rack.yaml and the service's secrets as that user before it changes anything else. All services run the installed version of skolo: after an upgrade of the package, run this command without names to restart the enabled services with the new version. If one of them does not start, all return to the previous version. Exit codes: 0 the services are running; 1 something failed.",
    )
    .summary('run services on this computer, or upgrade them')
    .argument('[services...]', 'for example router-backup (default: all enabled services)')
    .uses('rack')
    .example('skolo service enable router-backup --rack /etc/skolo/rack.yaml');

  command.interruptible(async (signal, names: string[]) => {
    const { io } = command;
    const given = servicesNamed(names);
    const program = installed();
    const host = await thisComputer(signal);
    const enabled = await enabledServices(host);
    if (given.length === 0 && enabled.length === 0)
      throw usageError('no service is enabled yet; name one, for example router-backup');
    const rackOf = await racksOf(command, host, enabled);
    const plan = (service: JumphostService): Plan => ({
      service,
      rack: rackOf(service),
      installed: program,
      signal,
    });
    const wanted = given.length > 0 ? given : enabled;
    const others = enabled.filter((service) => !wanted.includes(service));
    const plans = [...wanted, ...others].map(plan);
    const previous = await currentVersion(host);
    const steps = [
      ...plans.map(userStep),
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
      return io.out(`${wanted.join(', ')}: running skolo ${program.version}`);
    }
    io.exitCode = exitCodes.failed;
    if (previous !== undefined && changedVersion(ended)) await returnTo(host, previous, enabled);
  });

  async function withUnit(plan: Plan) {
    const { installed, service } = plan;
    return unitStep(
      plan,
      await readFile(join(installed.folder, 'deploy/systemd', unitOf(service))),
    );
  }

  function changedVersion(ended: readonly StepProgress[]): boolean {
    return ended.some(({ name, state }) => name === 'version' && state === 'changed');
  }

  async function returnTo(host: Host, version: string, services: readonly JumphostService[]) {
    await moveTo(host, version);
    await host.need(`systemctl restart ${services.map(unitOf).join(' ')}`);
    throw new CliError(
      `not every service started, so ${count(services.length, 'service')} returned to skolo ${version}; to see why, run journalctl -u 'skolo-*' --since -5min`,
    );
  }
}

/** rack.yaml of each service: the given one, otherwise the one that it runs with. */
async function racksOf(command: SkoloCommand, host: Host, enabled: readonly JumphostService[]) {
  const { rack, rackIsDefault } = command.globals();
  const file = resolve(command.io.folder, rack);
  const hidden = /^\/(?:home|root|run\/user|tmp|var\/tmp)\//.exec(file)?.[0];
  if (hidden !== undefined)
    throw usageError(`${file}: services cannot read files in ${hidden}; copy it to /etc/skolo`);
  const text = await host.need(`cat ${enabled.map(dropInOf).join(' ') || '/dev/null'}`);
  const racks = [...text.matchAll(/^Environment="SKOLO_RACK=(.+)"$/gm)].map(([, path]) => path);
  const previous = new Map(enabled.map((service, at) => [service, racks[at]]));
  return (service: JumphostService) => (rackIsDefault ? previous.get(service) : undefined) ?? file;
}
