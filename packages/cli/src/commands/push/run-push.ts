/** Shows a prepared push, asks, runs it and shows how it ended. */
import { orAborted } from '@skolo/errors';
import {
  deletionsWithoutQuestion,
  hasEnded,
  type PreparedPush,
  type PushDeps,
  preparePush,
  type RackRecord,
  type Request,
  sendCommits,
} from '@skolo/fleet/push';
import { CliError, complain, failPartly, usageError } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { printTable } from '../../output/table.ts';
import { count } from '../../output/text.ts';
import { planLines } from './plan-text.ts';

export interface Agreement {
  /** Without asking. */
  yes: boolean;
  /** Deletions that are expected. */
  deletions?: number | undefined;
}

/** @throws CliError Nothing was changed. */
export async function runPush(
  io: Io,
  request: Request,
  deps: PushDeps,
  agreement: Agreement | 'resumed' | 'taken back',
): Promise<void> {
  const push = await preparePush(request, deps);
  try {
    for (const rack of push.racks) for (const line of planLines(rack)) io.out(line);
    if (typeof agreement === 'object') {
      refuseProblems(push, request);
      await agree(io, push, agreement, deps.signal);
    }
    const records = await push.run();
    showEnd(io, records, agreement === 'taken back');
    deps.signal.throwIfAborted();
    const trouble = await sendCommits(deps.repository, deps.signal);
    if (trouble) complain(io, `the commits are only here: ${trouble}; run git push`);
  } finally {
    await push.close();
  }
}

/** With `--on-failure continue`, other racks go on. */
function refuseProblems({ racks }: PreparedPush, { onFailure }: Request): void {
  const faults = racks.flatMap(({ problem }) => (problem ? [problem.message] : []));
  const isAll = faults.length === racks.length;
  if (faults.length === 0 || (onFailure === 'continue' && !isAll)) return;
  throw new CliError(`nothing was changed: ${faults.join('; ')}`);
}

async function agree(
  io: Io,
  { racks }: PreparedPush,
  { yes, deletions: expected }: Agreement,
  signal: AbortSignal,
): Promise<void> {
  const plans = racks.flatMap(({ preparation }) => (preparation ? [preparation.plan] : []));
  const deletions = plans.reduce((sum, { deletions: { length } }) => sum + length, 0);
  if (expected !== undefined && expected !== deletions) {
    throw new CliError(`nothing was changed: ${count(deletions, 'object')} would be deleted`);
  }
  const isMany = deletions > deletionsWithoutQuestion && expected === undefined;
  if (yes && !isMany) return;
  if (!io.canAsk) {
    const option = isMany ? `--deletions ${deletions}` : '--yes';
    throw usageError(`cannot ask without a terminal; '${option}' agrees`);
  }
  const names = plans.length === 1 ? racks[0]?.name : count(plans.length, 'rack');
  const [question, wanted] = isMany
    ? [`Type the number of objects to delete on ${names}: `, `${deletions}`]
    : [`Type yes to push to ${names}: `, 'yes'];
  const answer = await orAborted(io.ask(question), signal);
  if (answer?.trim() !== wanted) throw new CliError('nothing was changed');
}

function showEnd(io: Io, records: readonly RackRecord[], isTakenBack: boolean): void {
  const isWell = ({ state }: RackRecord) =>
    state === 'done' || (isTakenBack && /^(rolled-back|not-begun)$/.test(state));
  printTable(
    io,
    [
      { title: 'RACK', cell: ({ rack }) => rack },
      {
        title: 'STATE',
        cell: ({ state }) => state,
        style: (record) => (isWell(record) ? 'green' : 'red'),
      },
      { title: 'COMMIT', cell: ({ commit }) => commit?.slice(0, 10) },
      { title: 'WHY', cell: ({ why }) => why },
    ],
    records,
  );
  const done = records.filter(isWell).length;
  if (done < records.length) failPartly(io, done > 0);
  if (!records.every(hasEnded))
    io.err('skolo push resume continues; skolo push resume --back goes back');
}
