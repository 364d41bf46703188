/** Readings of all switches and routers of a rack, through the router backup, which has their credentials. */
import type { ConnectedHosts } from '@skolo/api';
import { count, inParallel } from '@skolo/base';
import { models } from '@skolo/equipment/models';
import type { Equipment, Rack } from '@skolo/rack';
import { CliError, exitCodes, messageOf } from '../../../errors.ts';
import { byNumber } from '../../../names.ts';
import { withoutName } from '../../../output/text.ts';
import type { RouterBackup } from '../../../reach/service-client.ts';

interface Unread {
  equipment: string;
  why: string;
}

export interface Readings {
  /** In the order of rack.yaml. */
  read: ConnectedHosts[];
  /** Those that could not be read this time. */
  unread: Unread[];
  /** Those whose models cannot be read at all. */
  unreadable: Unread[];
}

const atOnce = 10;
/** The service's timeout is one minute. */
export const timeoutMs = 75_000;

/**
 * A failed reading does not stop the others.
 *
 * @throws The first error, if none can be read.
 */
export async function readConnectedHosts(rack: Rack, service: RouterBackup): Promise<Readings> {
  const equipment = [...rack.equipment.values()];
  const readable = equipment.filter((item) => 'load' in (connectedHostsOf(item) ?? {}));
  if (readable.length === 0) {
    throw new CliError(
      `${rack.name}: rack.yaml does not contain a switch or router whose MAC table or leases skolo can read`,
      exitCodes.badConfiguration,
    );
  }
  const unread: Unread[] = [];
  const errors: unknown[] = [];
  const read = await inParallel(readable, atOnce, async ({ name }) => {
    try {
      return await service.ask((client) =>
        client.connectedHosts({ params: { equipment: name }, timeoutMs }),
      );
    } catch (error) {
      errors.push(error);
      unread.push({ equipment: name, why: withoutName(messageOf(error).message, name) });
      return undefined;
    }
  });
  const found = read.filter((each) => each !== undefined);
  if (found.length === 0 && errors.length > 0) throw errors[0];
  const unreadable = equipment.flatMap((item) => {
    const hosts = connectedHostsOf(item);
    const why = hosts && 'no' in hosts ? hosts.no : undefined;
    return why === undefined ? [] : [{ equipment: item.name, why }];
  });
  return {
    read: found,
    unread: unread.sort((a, b) => byNumber(a.equipment, b.equipment)),
    unreadable,
  };
}

/** What a device printed and skolo does not understand, for people. */
export function unreadLines({ unread = [] }: ConnectedHosts): string[] {
  return unread.map(
    ({ command, lines, first }) =>
      `${count(lines, 'line')} of "${command}" not understood, such as "${first.trim().replaceAll(/\s+/g, ' ')}"`,
  );
}

function connectedHostsOf({ model }: Equipment) {
  return models.get(model)?.connectedHosts;
}
