/** `skolo secrets diff` and `apply`: from the store to the rack. */
import { count } from '@skolo/base';
import type { Place } from '@skolo/fleet/secrets';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { plain } from '../../output/text.ts';
import { audit } from '../../reach/machine-way.ts';
import { openSecrets, readValues } from './open-secrets.ts';
import { secretsDeps } from './rack-places.ts';

/** `skolo secrets diff` */
export function diff(command: SkoloCommand): void {
  command
    .description(
      'Lists the changes that skolo secrets apply would make, and secrets on the rack that are not in the store. Values are not printed. The exit code is 1 if there are differences.',
    )
    .summary('show what skolo secrets apply would change')
    .argument('<rack>', 'name of the rack')
    .option('--json', 'print JSON')
    .uses('clusters')
    .example('skolo secrets diff rack4');

  command.interruptible(async (signal, rackName: string, { json }: { json?: true }) => {
    const { io } = command;
    const open = await openSecrets(command, rackName);
    const values = await readValues(open, signal);
    const { compareSecrets, placeTitle } = await import('@skolo/fleet/secrets');
    const places = await compareSecrets(await secretsDeps(command, open, values, signal));
    const changes = places.filter(({ state }) => marks[state] !== undefined);
    if (changes.length > 0) io.exitCode = exitCodes.failed;
    if (json) {
      const asJson = (place: Place) => {
        return { name: place.secret.name, place: placeTitle(place), state: place.state };
      };
      return printJson(io, { rack: rackName, places: places.map(asJson) });
    }
    for (const place of changes) {
      io.out(plain(`${marks[place.state]} ${place.secret.name}: ${placeTitle(place)}`));
    }
    if (changes.length === 0)
      io.out(`${rackName}: ${count(places.length, 'location')} in sync with ${open.store.title}`);
  });
}

const marks: Readonly<Partial<Record<Place['state'], string>>> = {
  different: '~',
  missing: '+',
  'only-there': '?',
};

/** `skolo secrets apply` */
export function apply(command: SkoloCommand): void {
  command
    .description(
      "Copies values from the store to Secrets in the rack's cluster, and to files for systemd units on the jumphost. The command writes only values that differ, and reads them back to verify them. Values that are not in the store are left unchanged. Services reload files automatically, but read environment variables only at startup. The jumphost's log records who ran the command.",
    )
    .summary('copy secrets to the rack')
    .argument('<rack>', 'name of the rack')
    .uses('clusters')
    .example('skolo secrets apply rack4');

  command.interruptible(async (signal, rackName: string) => {
    const { io } = command;
    const open = await openSecrets(command, rackName);
    const values = await readValues(open, signal);
    const { applySecrets, placeTitle } = await import('@skolo/fleet/secrets');
    const deps = await secretsDeps(command, open, values, signal);
    await audit(deps.jumphost, rackName, 'applying secrets', signal);
    const written = await applySecrets(deps);
    for (const place of written) {
      const verb = place.state === 'missing' ? 'added' : 'changed';
      io.out(plain(`${place.secret.name}: ${verb} in ${placeTitle(place)}`));
    }
    for (const line of restarts(rackName, written)) io.err(line);
    io.out(
      written.length === 0
        ? `${rackName}: already in sync with ${open.store.title}`
        : `${rackName}: ${count(written.length, 'location')} written and verified`,
    );
  });
}

/** For variables, which programs only read at startup. */
function restarts(rack: string, written: readonly Place[]): string[] {
  const lines = written.flatMap(({ secret, at }) => {
    if (!secret.isVariable) return [];
    const command =
      'key' in at
        ? `skolo kubectl --role admin ${rack} rollout restart -n ${at.namespace} deployment/${at.secret}`
        : `sudo systemctl try-restart ${at.unit} on the jumphost`;
    return [`to load the changed variables, run ${command}`];
  });
  return [...new Set(lines)];
}
