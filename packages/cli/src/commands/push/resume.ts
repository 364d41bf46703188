import { closing, errorText } from '@skolo/base';
import { askEachRack, type Fleet, type FleetRack } from '@skolo/fleet';
import {
  hasEnded,
  type PushDeps,
  type PushRecord,
  type RackRecord,
  readUnfinished,
} from '@skolo/fleet/push';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { plain } from '../../output/text.ts';
import { openPush, unfinished } from './open-push.ts';
import { runPush } from './run-push.ts';

interface Options {
  back?: true;
}

/** `skolo push resume`: continues an interrupted push. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Continues an interrupted push with its recorded plan and versions. Each rack continues where it stopped. If another workstation started the push, skolo searches all racks for it, and continues only on racks that it had begun to change. With --back, unfinished racks are rolled back to their previous state instead.',
    )
    .summary('continue an interrupted push')
    .argument('[push]', 'push ID (default: the only unfinished push)')
    .option('--back', 'roll back instead')
    .uses('clusters')
    .example('skolo push resume --back');

  command.interruptible(async (signal, id: string | undefined, { back }: Options) => {
    const { io } = command;
    const { fleet, deps } = await openPush(command, signal, { isResumed: true });
    const isWanted = ({ request }: PushRecord) => id === undefined || request.id === id;
    const own = (await unfinished(deps.records)).filter(isWanted);
    const open = own.length > 0 ? own : (await leftInRacks(io, fleet, deps)).filter(isWanted);
    const [record, ...others] = open;
    if (record === undefined) {
      throw new CliError(
        `${id ?? 'all racks'}: no unfinished push; run skolo push log to list pushes`,
      );
    }
    if (others.length > 0) {
      const ids = open.map(({ request }) => request.id).join(', ');
      throw new CliError(`several pushes are unfinished: ${ids}; specify one of these IDs`);
    }
    const { request, racks } = record;
    for (const rack of back ? racks.filter((each) => !hasEnded(each)) : []) {
      const state = rack.state === 'waiting' ? 'not-begun' : 'rolling-back';
      await deps.records.save(request.id, {
        ...rack,
        state,
        why: rack.why ?? 'rolled back with --back',
      });
    }
    await runPush(io, request, deps, back ? 'taken back' : 'resumed');
  });
}

/** Pushes of other workstations, recorded here from what they left in their racks. */
async function leftInRacks(io: Io, { racks }: Fleet, deps: PushDeps): Promise<PushRecord[]> {
  const { records, open, signal } = deps;
  const ask = async ({ name }: FleetRack, deadline: AbortSignal) => {
    await using opened = closing(await open(name, deadline));
    return await readUnfinished(opened.kubectl, deadline);
  };
  const answers = await askEachRack(racks, ask, { signal });
  for (const { error } of answers) if (error) io.err(plain(errorText(error)));
  const left = answers.flatMap(({ answer }) => answer ?? []);
  const ids = new Set(left.map(({ request }) => request.id));
  for (const { request } of left) {
    await records.create(request);
    for (const rack of request.racks) {
      const found = left.find(
        (each) => each.request.id === request.id && each.record.rack === rack,
      );
      const why = 'it was not begun, or has ended';
      const none: RackRecord = {
        rack,
        state: 'not-begun',
        pins: [],
        previous: [],
        at: request.startedAt,
        why,
      };
      await records.save(request.id, found?.record ?? none);
    }
  }
  return (await records.all()).filter(({ request }) => ids.has(request.id));
}
