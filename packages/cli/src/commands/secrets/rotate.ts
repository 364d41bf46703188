/** `skolo secrets rotate`: sets a new value at both ends. */
import type { SkoloCommand } from '../../command.ts';
import { complain, exitCodes } from '../../errors.ts';
import { plain } from '../../output/text.ts';
import { audit } from '../../reach/machine-way.ts';
import { workstationHostKeys } from '../../reach/workstation-host-keys.ts';
import { findSecret, openSecrets, readValues } from './open-secrets.ts';
import { secretsDeps } from './rack-places.ts';

interface Options {
  leaveOut?: string[];
}

export function define(command: SkoloCommand): void {
  command
    .description(
      'Replaces a password, an SSH key, or an SNMP community or key on the machines, switches, routers and PDUs that use it. The command saves a new value in the store, copies it to the rack, sets it on each of them, and verifies it in a new session. This takes two or three runs, because you must commit the store, and services need time to load the new value. You can interrupt the command at any time and run it again. Previous values are kept in the store. If a secret cannot be rotated, the command prints the reason.',
    )
    .summary('replace a password or key on equipment and in the rack')
    .argument('<rack>', 'name of the rack')
    .argument('<secret>', 'secret name')
    .option('--leave-out <name...>', 'machines and equipment to skip; a later run updates them')
    .uses('clusters')
    .example('skolo secrets rotate rack4 machines');

  command.interruptible(
    async (signal, rackName: string, name: string, { leaveOut = [] }: Options) => {
      const { io } = command;
      const open = await openSecrets(command, rackName);
      const secret = await findSecret(open, name);
      const { rack, store, secrets } = open;
      const { rotateSecret, rotationRejection } = await import('@skolo/fleet/secret-store/rotate');
      const rejection = await rotationRejection(secret, rack);
      if (rejection !== undefined) {
        complain(io, `${name}: ${rejection}`);
        io.exitCode = exitCodes.failed;
        return;
      }
      const { applySecrets } = await import('@skolo/fleet/secrets');
      const { filesInGit } = await import('@skolo/fleet/secret-store');
      const way = await secretsDeps(command, open, new Map(), signal);
      await audit(way.jumphost, rackName, `rotating secret ${name}`, signal);
      const outcome = await rotateSecret(secret, {
        rack,
        secrets,
        store,
        leaveOut,
        signal,
        now: io.now,
        dial: way.jumphost.connect,
        datagrams: way.jumphost.datagrams,
        hostKeys: await workstationHostKeys(command.io, rackName),
        report: (text) => io.err(plain(text)),
        async apply() {
          const written = await applySecrets({ ...way, values: await readValues(open, signal) });
          io.err(`${name}: the rack matches the store`);
          return written.length;
        },
        async isShared(places) {
          const files = places.flatMap((place) => store.file?.(place) ?? []);
          return await filesInGit(files, { env: io.env, signal });
        },
      });
      for (const { name: machine, why } of outcome.failed) {
        complain(io, why.startsWith(`${machine}: `) ? why : `${machine}: ${why}`);
      }
      if (outcome.next !== undefined) io.out(plain(`${name}: not finished; ${outcome.next}`));
      if (outcome.isDone) io.out(`${name}: rotated; the previous value is in ${store.title}`);
      else io.exitCode = exitCodes.partlyFailed;
    },
  );
}
