import type { Client, enrolmentsApi } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { enrolmentService, shortKey } from './enrolment.ts';

type Enrolments = Awaited<ReturnType<Client<typeof enrolmentsApi>['enrolments']>>;

/** `skolo pi revoke`: ends the enrolment secret of a shared image, or what a card can get with its key. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Revokes the key of a card, or the enrolment secret of a shared image. A card with a revoked key never gets a name, a token or pairing records again. Name the machine that has the card, or give the first 8 or more digits of the key. The next card of that machine gets the name by itself, so this also prepares the replacement of a worn card. A node that runs stays in the cluster until it is turned off. The secret of an image is for a card that is lost before its first start: cards with that image are rejected from then on, and those that have got a name keep it.',
    )
    .summary('revoke the key of a card, or the secret of a shared image')
    .argument('<what>', 'name of a machine, key of skolo pi waiting, or id of --secrets')
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
    return command.io.err(`${name ?? serial}: the key ${shortKey(key)} is revoked`);
  });
}

/** @throws CliError Nothing has this name, or several have. */
function revocable(
  { waiting, enrolled, revoked, secrets }: Enrolments,
  what: string,
): { key: string } | { id: string } {
  const isNamed = (each: { name?: string | undefined }) => each.name === what;
  // A repetition finds what it has revoked.
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
      `${what}: no machine has got this name from an image, and no key or secret begins so; skolo pi waiting lists keys, with --enrolled names and with --secrets secrets`,
    );
  }
  if (second !== undefined) {
    const texts = found.map((each) => (typeof each === 'string' ? `key ${each}` : 'a secret'));
    throw new CliError(`${what}: is ${texts.join(' and ')}; give the whole key`);
  }
  return typeof first === 'string' ? { key: first } : { id: first.id };
}
