/** `skolo push rack`: pushes rack.yaml alone. */

import { basename, join } from 'node:path';
import { closing } from '@skolo/base';
import { findRack } from '@skolo/fleet';
import {
  authorOf,
  confirmed,
  patient,
  prepareRackFile,
  pushRackFile,
  stoppable,
  takeLease,
} from '@skolo/fleet/push';
import { readRack } from '@skolo/rack';
import type { SkoloCommand } from '../../command.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { mustType } from '../../must-type.ts';
import { plain } from '../../output/text.ts';
import { newPushId, openPush, rejectUnfinished } from './open-push.ts';
import { planLines } from './plan-text.ts';

interface Options {
  reason: string;
  yes?: true;
}

export function define(command: SkoloCommand): void {
  command
    .description(
      "Checks a rack's rack.yaml in git and deploys only that file, without restarting pods. The command waits until each service on the jumphost uses the new file; if a service rejects it or does not use it in time, the previous file is restored. Agents receive the file from the metadata server. If the change affects derived files, use skolo push instead.",
    )
    .summary('deploy only rack.yaml, without restarts')
    .argument('<rack>', 'name of the rack')
    .requiredOption('--reason <text>', 'reason to record in the history')
    .option('--yes', 'do not ask for confirmation')
    .uses('clusters')
    .example("skolo push rack rack4 --reason 'a new phone'");

  command.interruptible(async (stopped, name: string, { reason, yes }: Options) => {
    const { io } = command;
    const { fleet, deps } = await openPush(command, stopped);
    const { overlay } = findRack(fleet, name);
    await rejectUnfinished(deps.records, [name]);
    await rejectStale(overlay);
    const by = await authorOf(deps.repository, stopped);
    const id = newPushId(io.now());
    await using opened = closing(await deps.open(name, stopped));
    const lease = await takeLease(opened, `push ${id}`, deps);
    try {
      const signal = AbortSignal.any([stopped, lease.signal]);
      const own = confirmed(opened, lease.confirm);
      const rack = stoppable(own, signal);
      const plan = await prepareRackFile(rack, deps.repository, lease.last, signal);
      for (const line of planLines({ name, preparation: { plan, pins: [], previous: [] } }))
        io.out(line);
      if (plan.objects.every(({ action }) => action === 'keep')) return;
      if (!yes) {
        const what = `yes to push to ${name}`;
        await mustType(io, { what, wanted: 'yes', option: '--yes' }, signal);
      }
      const report = (text: string) => io.out(plain(`${name}: ${text}`));
      const { patienceMs } = deps.times;
      await pushRackFile({
        plan,
        signal,
        report,
        now: io.now,
        rack: patient(own, { patienceMs, pollMs: 2_000, signal, report }),
        times: { pollMs: 500, readyMs: 150_000 },
      });
      const { head: commit } = deps.repository;
      const at = new Date(io.now()).toISOString();
      await lease.release({
        id,
        by,
        at,
        commit,
        why: reason,
        previous: lease.last?.previous ?? [],
      });
    } finally {
      await lease.release();
    }
  });
}

/**
 * @throws RackError rack.yaml has errors.
 * @throws CliError Its derived files are stale, so more than rack.yaml must be pushed.
 */
async function rejectStale(overlay: string): Promise<void> {
  const rack = await readRack(join(overlay, 'rack.yaml'));
  const { compareDerived, renderDerived } = await import('@skolo/rack/render');
  const folder = join(overlay, 'derived');
  const { missing, stale, leftOver } = await compareDerived(folder, renderDerived(rack).files);
  const [first, ...more] = [...missing, ...stale, ...leftOver];
  if (first === undefined) return;
  const others = more.length > 0 ? ` and ${more.length} more` : '';
  throw new CliError(
    `${basename(overlay)}: derived/${first}${others} ${more.length > 0 ? 'do' : 'does'} not match rack.yaml; run skolo rack render, commit the files, and run skolo push --racks ${basename(overlay)}`,
    exitCodes.failed,
  );
}
