import { authorOf } from '@skolo/fleet/push';
import type { SkoloCommand } from '../../command.ts';
import { namedRacks, openPush, rejectUnfinished } from './open-push.ts';
import { addPushOptions, requestOf } from './push.ts';
import { runPush } from './run-push.ts';

type Options = Parameters<typeof requestOf>[2];

/** `skolo push rollback`: returns to the versions before the last push. */
export function define(command: SkoloCommand): void {
  addPushOptions(
    command
      .description(
        'Deploys the versions that each rack ran before its last push, as recorded on the rack itself. Everything else is deployed from git. Like a push, the command checks the health of the pods, and records and commits the change.',
      )
      .summary('return to the versions used before the last push'),
  )
    .uses('clusters')
    .example("skolo push rollback --racks rack4 --reason 'tokens come late'");

  command.interruptible(async (signal, options: Options) => {
    const { io } = command;
    if (options.reason === undefined) command.error("'--reason' is missing");
    const { fleet, deps } = await openPush(command, signal);
    const racks = namedRacks(fleet, options.racks);
    const by = await authorOf(deps.repository, signal);
    const asked = { services: [], isRollback: true };
    await rejectUnfinished(deps.records, racks);
    const { yes = false, deletions } = options;
    const request = requestOf(asked, racks, options, by, io.now());
    await runPush(io, request, deps, { yes, deletions });
  });
}
