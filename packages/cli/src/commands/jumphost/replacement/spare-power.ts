/** Controls a power-cycle daemon on another machine in the rack from this workstation. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { powerCycleDaemonApi } from '@skolo/api';
import { tempFolder } from '@skolo/base';
import type { K3sRack, Way } from '@skolo/fleet';
import type { DaemonRack } from '@skolo/rack/edit';
import { openHost } from '@skolo/setup/engine';
import { daemonNeeds, startSpareDaemon } from '@skolo/setup/jumphost';
import type { SkoloCommand } from '../../../command.ts';
import { CliError } from '../../../errors.ts';
import { audit, hostOptions } from '../../../reach/machine-way.ts';
import { interruptible, openJumphostOf } from '../../../reach/racks.ts';
import { newClient } from '../../../reach/service-client.ts';
import type { OpenSecrets } from '../../secrets/open-secrets.ts';

/**
 * Starts it with the credentials of the devices that feed the jumphost. It continues for an hour if this workstation dies.
 *
 * @returns the daemon's URL, as the machine reaches it
 */
export async function startPowerOn(
  command: SkoloCommand,
  { fleetRack, store }: Pick<OpenSecrets, 'fleetRack' | 'store'>,
  { seen, via, why }: { seen: DaemonRack; via: string; why: string },
) {
  const { name } = fleetRack;
  const { token, tokens } = await newTokens(command.io.now());
  const machine = await openJumphostOf(command, { ...fleetRack, ways: [wayTo(fleetRack, via)] });
  const url = await interruptible(command, async (signal) => {
    const needs = await daemonNeeds(seen, tokens, async ({ name: secret, place: at }) => {
      const value = await store.read(at, signal);
      if (value !== undefined) return value;
      throw new CliError(
        `${store.title} does not contain ${secret}; run skolo secrets set ${name} ${secret}`,
      );
    });
    await audit(machine, name, why, signal);
    return await startSpareDaemon(
      await openHost(hostOptions({ name: via }, machine, signal)),
      needs,
    );
  });
  const given = { baseUrl: url, rack: seen.rack.name, token, fetch: machine.fetch };
  return { machine, url, client: newClient(powerCycleDaemonApi, given) };
}

/** From config.json, otherwise as the user's ssh configuration has it. */
export function wayTo({ ways }: K3sRack, via: string): Way {
  const user = ways[0]?.user;
  return (
    ways.find(({ host }) => host === via) ?? { host: via, ...(user !== undefined && { user }) }
  );
}

/** A token for this cycle, and the token file that accepts it. */
async function newTokens(now: number): Promise<{ token: string; tokens: string }> {
  const { newToken } = await import('@skolo/common');
  await using folder = await tempFolder('skolo-tokens-');
  const file = join(folder.path, 'tokens.yaml');
  const options = { name: 'jumphost-cycle', role: 'operate', expiresInDays: 1, now } as const;
  const token = await newToken(file, options);
  return { token, tokens: await readFile(file, 'utf8') };
}
