import { hasEnded } from '@skolo/fleet/push';
import type { SkoloCommand } from '../../command.ts';
import { CliError } from '../../errors.ts';
import { openPush, unfinished } from './open-push.ts';
import { runPush } from './run-push.ts';

interface Options {
  back?: true;
}

/** `skolo push resume`: continues an interrupted push of this workstation. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Continues a push of this workstation that was interrupted, each rack where it was: with the plan, the versions and the way back that are on record. --back brings its unfinished racks back to what they ran before.',
    )
    .summary('continue an interrupted push')
    .argument('[push]', 'its id (default: the only one)')
    .option('--back', 'go back instead')
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
        `${id ?? 'this workstation'}: no unfinished push; skolo push log lists pushes`,
      );
    }
    if (others.length > 0) {
      const ids = open.map(({ request }) => request.id).join(', ');
      throw new CliError(`several pushes have not ended: ${ids}; name one`);
    }
    const { request, racks } = record;
    for (const rack of back ? racks.filter((each) => !hasEnded(each)) : []) {
      const state = rack.state === 'waiting' ? 'not-begun' : 'rolling-back';
      await deps.records.save(request.id, { ...rack, state, why: rack.why ?? 'taken back' });
    }
    await runPush(io, request, deps, back ? 'taken back' : 'resumed');
  });
}
