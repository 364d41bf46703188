/** Reads what switches and routers of a rack report about connected hosts, through the router backup, which has their credentials. */
import type { ConnectedHosts } from '@skolo/api';
import { count, type Finding, inParallel, withoutName } from '@skolo/base';
import { models } from '@skolo/equipment/models';
import type { Rack } from '@skolo/rack';
import { CliError, exitCodes, messageOf } from '../../../errors.ts';
import { byNumber, folded } from '../../../names.ts';
import type { RouterBackup } from '../../../reach/service-client.ts';

interface Readings {
  /** In the order of rack.yaml. */
  read: ConnectedHosts[];
  /** What was not read or not understood, and why. */
  findings: Finding[];
}

const atOnce = 10;
/** The service's timeout is one minute. */
const timeoutMs = 75_000;

/**
 * A failed reading does not stop the others.
 *
 * @throws The first error, if none can be read.
 */
export async function readAllHosts(rack: Rack, service: RouterBackup): Promise<Readings> {
  const supported = [...rack.equipment.values()].flatMap(({ name: thing, model }) => {
    const hosts = models.get(model)?.connectedHosts;
    return hosts === undefined ? [] : [{ thing, hosts }];
  });
  const readable = supported.filter(({ hosts }) => 'load' in hosts);
  if (readable.length === 0) {
    throw new CliError(
      `${rack.name}: rack.yaml does not contain a switch or router whose MAC table or leases skolo can read`,
      exitCodes.badConfiguration,
    );
  }
  const unread: Finding[] = [];
  const errors: unknown[] = [];
  const all = await inParallel(readable, atOnce, async ({ thing }) => {
    try {
      return await readHosts(service, thing);
    } catch (error) {
      errors.push(error);
      const found = withoutName(messageOf(error).message, thing);
      unread.push({ thing, state: 'unchecked', found });
      return undefined;
    }
  });
  const read = all.filter((each) => each !== undefined);
  if (read.length === 0 && errors.length > 0) throw errors[0];
  const unreadable = supported.flatMap(({ thing, hosts }): Finding[] =>
    'no' in hosts ? [{ thing, state: 'skipped', found: `not read: ${hosts.no}` }] : [],
  );
  const from = folded(read.map(({ equipment }) => equipment));
  return {
    read,
    findings: [
      ...read.flatMap(notUnderstood),
      ...unread.sort((a, b) => byNumber(a.thing, b.thing)),
      ...unreadable,
      { thing: 'read from', state: 'info', found: from },
    ],
  };
}

export async function readHosts(
  service: Pick<RouterBackup, 'ask'>,
  equipment: string,
): Promise<ConnectedHosts> {
  return await service.ask((client) => client.connectedHosts({ params: { equipment }, timeoutMs }));
}

/** What a switch or router printed and skolo does not understand. */
export function notUnderstood({ equipment: thing, unread = [] }: ConnectedHosts): Finding[] {
  return unread.map(({ command, lines, first }) => ({
    thing,
    state: 'warning',
    found: `${count(lines, 'line')} of "${command}" not understood, such as "${first.trim().replaceAll(/\s+/g, ' ')}"`,
  }));
}
