import type { Client, enrolmentsApi } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { enrolmentService, shortKey } from './enrolment.ts';

type Enrolments = Awaited<ReturnType<Client<typeof enrolmentsApi>['enrolments']>>;

/** `skolo pi revoke`: revokes the enrolment secret of a shared image, or the access of a card's key. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Revokes the key of an SD card, or the enrolment secret of a shared image. A card with a revoked key never receives a name, a token or pairing records again. Specify the machine that contains the card, or at least the first 8 digits of the key. The machine's next card receives its name automatically, so also use this command before you replace a worn card. A running node stays in the cluster until it is turned off. If a card is lost before its first boot, revoke its image's secret: cards with that image are then rejected, except those that already have a name.",
    )
    .summary('revoke an SD card or a shared image')
    .argument('<what>', 'machine name, key from skolo pi waiting, or ID from --secrets')
    .uses('rack', 'url', 'tokenFile')
    .example('skolo pi revoke rpi-007')
    .example('skolo pi revoke 3fa92c01');

  command.action(async (what: string) => {
    const service = enrolmentService(command);
    const found = revocable(await service.ask((client) => client.enrolments()), what);
    if ('id' in found) {
      await service.ask((client) => client.revokeEnrolmentSecret({ params: found }));
      return command.io.err(`${found.id}: revoked`);
    }
    const {
      key,
      name,
      serial = 'card',
    } = await service.ask((client) => client.revokeKey({ params: found }));
    return command.io.err(`${name ?? serial}: revoked the key ${shortKey(key)}`);
  });
}

/** @throws CliError No entry has this name, or several have. */
function revocable(
  { waiting, enrolled, revoked, secrets }: Enrolments,
  what: string,
): { key: string } | { id: string } {
  const isNamed = (each: { name?: string | undefined }) => each.name === what;
  // A repeated command finds what it has already revoked.
  const named = enrolled.find(isNamed) ?? revoked.find(isNamed);
  const all = [...enrolled, ...waiting, ...revoked].map(({ key }) => key);
  const keys = all.filter((key) => what.length >= shortKey(key).length && key.startsWith(what));
  const found = [
    ...new Set([...(named ? [named.key] : []), ...keys]),
    ...secrets.filter(({ id }) => id === what),
  ];
  const [first, second] = found;
  if (first === undefined) {
    throw new CliError(
      `${what}: no machine with this name has enrolled, no key begins with these digits (specify at least 8), and no secret has this ID; run skolo pi waiting, alone or with --enrolled, --revoked or --secrets, to list them`,
    );
  }
  if (second !== undefined) {
    const texts = found.map((each) => (typeof each === 'string' ? `key ${each}` : 'a secret'));
    throw new CliError(`${what}: matches ${texts.join(' and ')}; specify the whole key`);
  }
  return typeof first === 'string' ? { key: first } : { id: first.id };
}
