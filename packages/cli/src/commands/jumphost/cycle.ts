import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rackForDaemonOn } from '@skolo/rack/edit';
import { openHost } from '@skolo/setup/engine';
import { stopSpareDaemon } from '@skolo/setup/jumphost';
import { reasonOption } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { complain } from '../../errors.ts';
import { namesOf } from '../../names.ts';
import { hostOptions } from '../../reach/machine-way.ts';
import { interruptible } from '../../reach/racks.ts';
import type { PowerCycleDaemon } from '../../reach/service-client.ts';
import { ignoreLimitsHelp, offSecondsOption, submit } from '../power/submit.ts';
import { openSecrets } from '../secrets/open-secrets.ts';
import { startPowerOn } from './replacement/spare-power.ts';

interface Options {
  via: string;
  reason: string;
  offSeconds?: number;
  force?: true;
  ignoreLimits?: true;
}

/** `skolo jumphost cycle`: power-cycles the jumphost, using a daemon on another machine in the rack. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Power-cycles the jumphost and verifies each step. The jumphost's own daemon cannot do this, because it could not turn the power back on. The command therefore starts a daemon on another machine in the rack (--via), follows the cycle, and stops that daemon at the end. The daemon finishes the cycle even if your workstation fails, and never turns off anything that its own machine depends on.",
    )
    .summary('power-cycle the jumphost from another machine')
    .argument('<rack>')
    .requiredOption(
      '--via <machine>',
      'machine in rack.yaml on which the daemon is installed, such as a spare jumphost',
    )
    .addOption(reasonOption('the logs of the machine and its daemon'))
    .addOption(offSecondsOption())
    .option('--force', 'proceed even if other machines lose power or network')
    .option('--ignore-limits', ignoreLimitsHelp)
    .uses('clusters')
    .example(
      "skolo jumphost cycle rack4 --via jumphost-spare-rack4 --reason 'not responding since 2:00'",
    );

  command.action((name: string, options: Options) => cycleJumphost(command, name, options));
}

async function cycleJumphost(
  command: SkoloCommand,
  name: string,
  { via, reason, ...asked }: Options,
): Promise<void> {
  const { fleetRack, store } = await openSecrets(command, name);
  const file = join(fleetRack.overlay, 'rack.yaml');
  const seen = rackForDaemonOn(await readFile(file, 'utf8'), via, file);
  const { jumphost } = seen;
  const why = `power cycle of the jumphost ${jumphost}: ${reason}`;
  const { machine, client } = await startPowerOn(command, { fleetRack, store }, { seen, via, why });
  const service: PowerCycleDaemon = { ask: (question) => question(client) };
  const goesOn = `the daemon on ${via} continues, and stops an hour after its start; to follow the cycle, run the same command again`;
  await submit({
    command,
    daemon: service,
    whenStopped: `stopped waiting; ${goesOn}`,
    names: namesOf([jumphost]),
    options: { wait: true },
    doing: 'cycling',
    send: (to, headers) =>
      to.requestCycles({ headers, body: { machines: [jumphost], reason, mode: 'hard', ...asked } }),
  });
  const { cycles } = await client.cycles({ query: { target: jumphost, limit: 1 } });
  const [last] = cycles;
  if (last !== undefined && last.outcome === undefined) return;
  if (last?.outcome === 'stuck-off') return complain(command.io, goesOn);
  await interruptible(command, async (signal) =>
    stopSpareDaemon(await openHost(hostOptions({ name: via }, machine, signal))),
  );
}
