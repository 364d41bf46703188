/** `skolo secrets rotate`: a new value at both ends. */
import type { SkoloCommand } from '../../command.ts';
import { complain, exitCodes } from '../../errors.ts';
import { plain } from '../../output/text.ts';
import { audit } from '../../reach/machine-way.ts';
import { workstationHostKeys } from './check.ts';
import { findSecret, openSecrets, readValues } from './open-secrets.ts';
import { secretsDeps } from './rack-places.ts';

interface Options {
  leaveOut?: string[];
}

export function define(command: SkoloCommand): void {
  command
    .description(
      'Replaces an ssh key, a password, or a community or key of SNMP that machines, switches, routers and PDUs accept. It makes a new one, sets it on each, proves it by a new session, saves it there and in the store, and brings it to the rack. It needs two or three runs: the store has to be committed, and services need time to take it up. Can be interrupted at any moment, and run again. Previous values stay in the store. Other secrets are named with the reason.',
    )
    .summary('replace a password or key at both ends')
    .argument('<rack>', 'name of the rack')
    .argument('<secret>', 'name of the secret')
    .option(
      '--leave-out <name...>',
      'machines and devices that keep the previous value for now; a later run brings them up to date',
    )
    .uses('clusters')
    .example('skolo secrets rotate rack4 machines');

  command.interruptible(
    async (signal, rackName: string, name: string, { leaveOut = [] }: Options) => {
      const { io } = command;
      const open = await openSecrets(command, rackName);
      const secret = await findSecret(open, name);
      const { rack, store, secrets } = open;
      const { rotateSecret, rotationRejection } = await import('@skolo/secret-store/rotate');
      const rejection = await rotationRejection(secret, rack);
      if (rejection !== undefined) {
        complain(io, `${name}: ${rejection}`);
        io.exitCode = exitCodes.failed;
        return;
      }
      const { applySecrets } = await import('@skolo/fleet/secrets');
      const { filesInGit } = await import('@skolo/secret-store');
      const way = await secretsDeps(command, open, new Map(), signal);
      await audit(way.jumphost, rackName, `rotates secret ${name}`, signal);
      const outcome = await rotateSecret(secret, {
        rack,
        secrets,
        store,
        leaveOut,
        signal,
        now: io.now,
        dial: way.jumphost.connect,
        datagrams: way.jumphost.datagrams,
        hostKeys: await workstationHostKeys(command, rackName),
        report: (text) => io.err(plain(text)),
        async apply() {
          const written = await applySecrets({ ...way, values: await readValues(open, signal) });
          io.err(`${name}: the rack has what the store has`);
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
