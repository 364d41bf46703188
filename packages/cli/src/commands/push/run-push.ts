/** Shows a prepared push, asks for confirmation, runs it and shows the result. */
import { closing } from '@skolo/base';
import {
  hasEnded,
  type PreparedPush,
  type PushDeps,
  preparePush,
  type RackRecord,
  type Request,
  sendCommits,
} from '@skolo/fleet/push';
import { CliError, complain, failPartly } from '../../errors.ts';
import type { Io } from '../../io.ts';
import { printTable } from '../../output/table.ts';
import { type Agreement, agree } from './agreement.ts';
import { planLines } from './plan-text.ts';

/** @throws CliError Nothing was changed. */
export async function runPush(
  io: Io,
  request: Request,
  deps: PushDeps,
  agreement: Agreement | 'resumed' | 'taken back',
): Promise<void> {
  await using push = closing(await preparePush(request, deps));
  for (const rack of push.racks) for (const line of planLines(rack)) io.out(line);
  if (typeof agreement === 'object') {
    rejectProblems(push, request);
    const plans = push.racks.flatMap(({ name, preparation }) =>
      preparation ? [{ name, ...preparation.plan }] : [],
    );
    await agree(io, plans, agreement, deps.signal);
  }
  const records = await push.run();
  showEnd(io, records, agreement === 'taken back');
  deps.signal.throwIfAborted();
  const trouble = await sendCommits(deps.repository, deps.signal);
  if (trouble) complain(io, `the commits exist only in this clone: ${trouble}; run git push`);
}

/** With `--on-failure continue`, the other racks continue. */
function rejectProblems({ racks }: PreparedPush, { onFailure }: Request): void {
  const faults = racks.flatMap(({ problem }) => (problem ? [problem.message] : []));
  const isAll = faults.length === racks.length;
  if (faults.length === 0 || (onFailure === 'continue' && !isAll)) return;
  throw new CliError(`nothing was changed: ${faults.join('; ')}`);
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
    io.err('to continue, run skolo push resume; to roll back, run skolo push resume --back');
}
