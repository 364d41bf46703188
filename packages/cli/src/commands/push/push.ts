import { authorOf, preparePush, type Request } from '@skolo/fleet/push';
import { upTo } from '../../arguments.ts';
import type { SkoloCommand } from '../../command.ts';
import { exitCodes } from '../../errors.ts';
import {
  namedRacks,
  newPushId,
  onFailureOption,
  openPush,
  racksOption,
  rejectUnfinished,
  soakOption,
} from './open-push.ts';
import { planLines } from './plan-text.ts';
import { runPush } from './run-push.ts';

interface Options {
  racks?: string[];
  version?: string;
  canary: number;
  soak: number;
  onFailure: 'stop' | 'continue';
  reason?: string;
  dryRun?: true;
  yes?: true;
  deletions?: number;
}

/** `skolo push`: deploys a version or configuration. */
export function define(command: SkoloCommand): void {
  addPushOptions(
    command
      .description(
        'Deploys the configuration in git to racks, with new service versions if you specify services or --version. It shows the changes and asks for confirmation. Then it updates the canary racks, followed by the others, up to four at a time, and checks the health of the pods. If a rack fails, it is rolled back, and no further racks are updated unless you specify --on-failure continue. When a rack succeeds, its new versions are committed to the racks repository. If you specify neither services nor --version, the overlay is deployed unchanged. If you specify services without --version, each gets its newest clean build.',
      )
      .argument('[services...]', 'images to update (default with --version: all)'),
  )
    .option('--version <tag>', 'image tag')
    .option('--dry-run', 'only show what would change')
    .uses('clusters')
    .example("skolo push metadata-server --racks rack4 --reason 'fixes the leak'");

  command.interruptible(async (signal, services: string[], options: Options) => {
    const { io } = command;
    const { dryRun, reason, version } = options;
    if (!dryRun && reason === undefined) command.error("'--reason' is missing");
    const { fleet, deps } = await openPush(command, signal);
    const racks = namedRacks(fleet, options.racks);
    const by = await authorOf(deps.repository, signal);
    const asked = { services, ...(version !== undefined && { version }) };
    const request = requestOf(asked, racks, options, by, io.now());
    if (dryRun) {
      const push = await preparePush(request, deps, { isDry: true });
      await push.close();
      for (const rack of push.racks) for (const line of planLines(rack)) io.out(line);
      if (push.racks.some(({ problem }) => problem)) io.exitCode = exitCodes.failed;
      return;
    }
    await rejectUnfinished(deps.records, racks);
    await runPush(io, request, deps, { yes: options.yes ?? false, deletions: options.deletions });
  });
}

/** Options of all commands that change racks. */
export function addPushOptions(command: SkoloCommand): SkoloCommand {
  return command
    .addOption(racksOption())
    .option('--reason <text>', 'reason to record in the history')
    .option(
      '--canary <n>',
      'number of canary machines in each rack that receive a new agent first',
      upTo(1000),
      1,
    )
    .addOption(soakOption())
    .addOption(onFailureOption())
    .option('--yes', 'do not ask for confirmation')
    .option('--deletions <n>', 'confirm this number of deletions', upTo(100_000));
}

/** A new push. */
export function requestOf(
  asked: Pick<Request, 'services'> & Partial<Pick<Request, 'version' | 'isRollback'>>,
  racks: string[],
  { reason = '', canary, soak, onFailure }: Options,
  by: string,
  now: number,
): Request {
  const startedAt = new Date(now).toISOString();
  return {
    isRollback: false,
    ...asked,
    id: newPushId(now),
    startedAt,
    by,
    why: reason,
    racks,
    canaries: canary,
    soakMs: soak,
    onFailure,
  };
}
