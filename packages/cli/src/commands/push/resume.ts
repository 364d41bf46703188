import { hasEnded } from '@skolo/fleet/push';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { openPush, unfinished } from './open-push.ts';
import { runPush } from './run-push.ts';

interface Options {
  back?: true;
}

/** `skolo push resume`: continues an interrupted push from this workstation. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Continues an interrupted push from this workstation with its recorded plan and versions. Each rack continues where it stopped. With --back, unfinished racks are rolled back to their previous state instead.',
    )
    .summary('continue an interrupted push')
    .argument('[push]', 'push ID (default: the only unfinished push)')
    .option('--back', 'roll back instead')
    .uses('clusters')
    .example('skolo push resume --back');

  command.interruptible(async (signal, id: string | undefined, { back }: Options) => {
    const { io } = command;
    const { deps } = await openPush(command, signal, { isResumed: true });
    const open = (await unfinished(deps.records)).filter(
      ({ request }) => id === undefined || request.id === id,
    );
    const [record, ...others] = open;
    if (record === undefined) {
      throw new CliError(
        `${id ?? 'this workstation'}: no unfinished push; run skolo push log to list pushes`,
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
