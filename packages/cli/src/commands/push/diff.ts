import { preparePush } from '@skolo/fleet/push';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { namedRacks, openPush, racksOption } from './open-push.ts';
import { planJson, planLines } from './plan-text.ts';
import { requestOf } from './push.ts';

interface Options {
  racks?: string[];
  json?: true;
}

/** `skolo push diff`: compares racks with git. */
export function define(command: SkoloCommand): void {
  command
    .description(
      'Shows the differences between git and the running racks, including manual changes. The exit code is 1 if there are differences, or if a rack cannot be compared.',
    )
    .summary('compare racks with git')
    .addOption(racksOption())
    .option('--json', 'print JSON')
    .uses('clusters')
    .example('skolo push diff --racks rack4');

  command.interruptible(async (signal, { racks, json }: Options) => {
    const { io } = command;
    const { fleet, deps } = await openPush(command, signal);
    const none = { canary: 1, soak: 0, onFailure: 'continue' as const };
    const names = namedRacks(fleet, racks);
    const request = requestOf({ services: [] }, names, none, '', io.now());
    const push = await preparePush(request, deps, { isDry: true });
    await push.close();
    if (json) printJson(io, { racks: push.racks.map(planJson) });
    else for (const rack of push.racks) for (const line of planLines(rack)) io.out(line);
    const differs = push.racks.some(({ preparation }) => {
      const { objects = [], deletions = [] } = preparation?.plan ?? {};
      const isSame = objects.every(({ action }) => action === 'keep') && deletions.length === 0;
      return preparation === undefined || !isSame;
    });
    if (differs) io.exitCode = exitCodes.failed;
  });
}
