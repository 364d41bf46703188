/** `skolo secrets rotate`: a new value at both ends. */
import type { SkoloCommand } from '../../command.ts';
import { complain, exitCodes } from '../../errors.ts';
import { interruptible } from '../../fleet.ts';
import { audit } from '../../machine-way.ts';
import { plain } from '../../output/text.ts';
import { deskHostKeys } from './check.ts';
import { findSecret, openSecrets, readValues } from './open-secrets.ts';
import { secretsDeps } from './rack-places.ts';

export function define(command: SkoloCommand): void {
  command
    .description(
      'Replaces an ssh key that machines accept: makes a new one, adds it to authorized_keys of each machine, proves it by a new session, stores it, and brings it to the rack. When the store is committed and services had time to take it up, another run removes the former key, which stays in the store. Can be interrupted at any moment, and run again. Other secrets are named with the reason.',
    )
    .summary('replace an ssh key at both ends')
    .argument('<rack>', 'name of the rack')
    .argument('<secret>', 'name of the secret')
    .uses('clusters')
    .example('skolo secrets rotate rack4 machines');

  command.action(async (rackName: string, name: string) => {
    const { io } = command;
    const open = await openSecrets(command, rackName);
    const secret = await findSecret(open, name);
    const { rack, store } = open;
    const { rotateSshKey, rotationRefusal } = await import('@skolo/secret-store/rotate');
    const refusal = rotationRefusal(secret, rack);
    if (refusal !== undefined) {
      complain(io, `${name}: ${refusal}`);
      io.exitCode = exitCodes.failed;
      return;
    }
    await interruptible(command, async (signal) => {
      const { applySecrets } = await import('@skolo/fleet/secrets');
      const { filesInGit } = await import('@skolo/secret-store');
      const way = await secretsDeps(command, open, new Map(), signal);
      await audit(way.jumphost, rackName, `rotates secret ${name}`, signal);
      const outcome = await rotateSshKey(secret, {
        ...{ rack, store, signal, now: io.now },
        dial: way.jumphost.connect,
        hostKeys: await deskHostKeys(command, rackName),
        report: (text) => io.err(plain(text)),
        async apply() {
          await applySecrets({ ...way, values: await readValues(open, signal) });
          io.err(`${name}: the rack has the key of the store`);
        },
        async isShared(places) {
          const files = places.flatMap((place) => store.file?.(place) ?? []);
          return await filesInGit(files, { env: io.env, signal });
        },
      });
      for (const { name: machine, why } of outcome.failed) complain(io, `${machine}: ${why}`);
      if (outcome.next !== undefined) io.out(plain(`${name}: not finished; ${outcome.next}`));
      if (outcome.isDone) io.out(`${name}: rotated; the former key is in ${store.title}`);
      else io.exitCode = exitCodes.partlyFailed;
    });
  });
}
