/** One image for all machines of a rack, whose cards ask for their identity. */

import { Secret } from '@skolo/base/secrets';
import { fixedAddress } from '@skolo/setup/jumphost';
import type { PiIdentity, PiSetup } from '@skolo/setup/pi';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { timestamp } from '../../output/time.ts';
import { enrolmentService } from './enrolment.ts';
import { warnOfNoRoute } from './no-route.ts';
import type { IdentityNeeds } from './setup-options.ts';

/** Host name until one is assigned. */
const identity: PiIdentity = { hostname: 'skolo-new', wired: 'dhcp' };

/** @throws CliError */
export function sharedImage(
  command: SkoloCommand,
  { words, rack, options }: Omit<IdentityNeeds, 'names'> & { words: readonly string[] },
) {
  const { shared, dhcp, gateway, dns, secretDays: days = 30 } = options;
  if (words.length > 0) command.error('--shared applies to all machines; omit the names');
  const others = {
    '--address': options.address,
    '--join': options.join,
    '--join-token-file': options.joinTokenFile,
  };
  const other = Object.entries(others).find(([, value]) => value !== undefined);
  if (other !== undefined) {
    command.error(
      `${other[0]} cannot be used with --shared, because each Pi gets this setting from the jumphost`,
    );
  }
  if (rack === undefined) throw new CliError('--shared requires rack.yaml; specify it with --rack');
  if (rack.services['machine-state'].enrolment === undefined) {
    throw new CliError(
      `${rack.name}: rack.yaml does not set services.machine-state.enrolment, so Pis with this image could not enrol; add this setting, and run skolo push`,
    );
  }
  const { name, address } = rack.jumphost;
  const { nameServers, prefix, ...fixed } = fixedAddress(rack, {
    name,
    address,
    gateway,
    nameServers: dns,
  });
  if (fixed.gateway === undefined && !dhcp) warnOfNoRoute(command.io, rack.name);
  const subnet = { prefix, ...(fixed.gateway !== undefined && { gateway: fixed.gateway }) };
  const cards = shared === true || shared === undefined ? [''] : counted(shared);
  const names = cards.map((each) => `${rack.name}-shared${each}`);
  const pi = [...rack.machines.values()].find(({ kind }) => kind === 'rpi');
  return {
    names,
    identities: new Map(names.map((each) => [each, identity])),
    nameServers: dhcp ? (dns ?? []) : nameServers,
    /** A machine whose login all cards use. */
    example: pi?.name ?? '',
    async enrolment(): Promise<NonNullable<PiSetup['enrolment']>> {
      const service = enrolmentService(command);
      const made = await service.ask((client) => client.newEnrolmentSecret({ body: { days } }));
      const { id, expires, port, pin, secret } = made;
      command.io.err(
        `new cards can enrol until ${timestamp(expires)}; to end enrolment earlier, run skolo pi revoke ${id}`,
      );
      return { port, pin, secret: new Secret(secret), ...(!dhcp && { subnet }) };
    },
  };
}

function counted(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `-${at + 1}`);
}
