import type { Client, enrolmentsApi } from '@skolo/api';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { enrolmentService, shortKey } from './enrolment.ts';

type Enrolments = Awaited<ReturnType<Client<typeof enrolmentsApi>['enrolments']>>;

/** `skolo pi revoke`: revokes the enrolment secret of a shared image, or the access of a card's key. */
export function define(command: SkoloCommand): void {
  command
    .description(
      "Revokes the key of an SD card, or the enrolment secret of a shared image. A card with a revoked key no longer receives a name, a token or pairing records, and the machine's next card receives its name automatically. Use this command when a card is lost, or before you replace a worn card. Specify the machine that contains the card, or at least the first 8 digits of the key. A running node stays in the cluster until it is turned off. If a card is lost before its first boot, revoke the secret of its image: cards with that image can then no longer enrol.",
    )
    .summary('revoke an SD card or a shared image')
    .argument('<what>', 'machine name, key, or secret ID, as listed by skolo pi waiting')
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
      `${what}: no enrolled machine has this name, no key starts with these digits (specify at least 8), and no secret has this ID; to list them, run skolo pi waiting with --enrolled, --revoked or --secrets`,
    );
  }
  if (second !== undefined) {
    const texts = found.map((each) => (typeof each === 'string' ? `key ${each}` : 'a secret'));
    throw new CliError(`${what}: matches ${texts.join(' and ')}; specify the full key`);
  }
  return typeof first === 'string' ? { key: first } : { id: first.id };
}
