/**
 * prometheus.yml accepts from agents only what their metrics' types contain, because a task may answer instead of an agent.
 * `npm run generate` writes these lists.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { repairSteps } from '../../../../packages/rack/src/schema/settings/swarming-client.ts';
import { botExits, botStates } from '../../../../services/swarming-client/src/bot/bot-view.ts';
import { reasonKinds, verdicts } from '../../../../services/swarming-client/src/health/health.ts';
import { taskOutcomes } from '../../../../services/swarming-client/src/hooks/task.ts';
import { repairOutcomes } from '../../../../services/swarming-client/src/repair/records.ts';
import { pageAt } from './page.ts';

/** Lists by what precedes them in the file. */
const lists: Record<string, readonly string[]> = {
  'skolo_swarming_health_reason_seconds;': reasonKinds,
  'skolo_swarming_health(?:_reason_seconds)?;': verdicts,
  'skolo_swarming_bot_state;': botStates,
  'skolo_swarming_bot_exits_total;': botExits,
  'skolo_swarming_tasks_ended_total;': taskOutcomes,
  'outcome], regex: "skolo_swarming_repairs_total;': repairOutcomes,
  // A machine that would reboot for its bot.
  'step], regex: "skolo_swarming_repairs_total;': [...repairSteps, 'reboot'],
};

it('prometheus.yml accepts every value of a label whose values are a list', async () => {
  const file = pageAt('kube/base/prometheus/prometheus.yml');
  let text = readFileSync(file, 'utf8');
  for (const [before, values] of Object.entries(lists)) {
    const [head, ...rest] = text.split(`${before}(`);
    expect(rest, before).toHaveLength(1);
    text = `${head}${before}(${rest[0]?.replace(/^[^)]*/, values.join('|'))}`;
  }

  await expect(text).toMatchFileSnapshot(file);
});
