/** Machines that work raise nothing: not on the list of what needs attention, not in the ranking, and no alert. */

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isLong, seeded } from '@skolo/base/durable/fault-injection';
import { tempDir, testSeed } from '@skolo/base/testing';
import { fakeClock } from '@skolo/common/testing';
import { peer } from '@skolo/simulators';
import { expect, it, onTestFinished } from 'vitest';
import { rulesFolder } from './rule-files.ts';
import { faulty, hasNoBot, SimulatedWeek, stepSeconds } from './simulated-week.ts';

const promtool = peer('promtool');
const hours = isLong ? 7 * 24 : 3;
const sampleSeconds = 60;
const title = `300 agents that work normally for ${hours} h, some without a bot, raise no entry and no alert, and one that does not, does`;

it(title, async (context) => {
  const stateDir = await tempDir();
  const random = seeded(testSeed());
  const week = new SimulatedWeek(
    { clock: fakeClock('2026-11-16T00:00:00Z'), stateDir, random },
    300,
  );
  await week.open();
  onTestFinished(() => week.close());
  const listed = new Set<string>();
  const series = new Map<string, Map<number, number>>();
  const samples = (hours * 3600) / sampleSeconds;

  for (let sample = 0; sample < samples; sample += 1) {
    for (let s = 0; s < sampleSeconds; s += stepSeconds) await week.step();
    for (const { name, needsAttention, orders } of week.current.machines()) {
      if (needsAttention !== undefined && orders.length === 0) listed.add(name);
    }
    for (const [name, value] of await valuesOf(week)) {
      const values = series.get(name) ?? new Map<number, number>();
      series.set(name, values.set(sample, value));
    }
  }

  expect([...listed]).toEqual([faulty]);
  expect((await week.downtime()).map(({ name }) => name)).toEqual([faulty]);
  if (promtool === undefined) return context.skip('promtool is not installed (Debian: prometheus)');
  const file = join(stateDir, 'week.test.yaml');
  await writeFile(file, JSON.stringify(ruleTest(series, samples)));
  expect(await firstComplaint(promtool, file)).toBe('');
});

/** Of promtool about the rules, at most some lines: it prints all samples of each test that fails. */
async function firstComplaint(promtool: string, file: string): Promise<string> {
  const options = { maxBuffer: 256 * 2 ** 20 };
  const { stdout, stderr } = await promisify(execFile)(promtool, ['test', 'rules', file], options)
    // A child's failure has what it printed.
    .catch((error: { stdout: string; stderr: string }) => error);
  return stdout.includes('SUCCESS') ? '' : `${stdout}${stderr}`.slice(0, 4000);
}

/** What Prometheus reads of machine-state and of some agents, by series. */
async function valuesOf(week: SimulatedWeek): Promise<[series: string, value: number][]> {
  const lines = (await week.metrics.metrics()).split('\n');
  const ofMachineState = lines.flatMap((line): [string, number][] => {
    const [, name = '', labels = '', value = ''] =
      /^(skolo_machines_\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    return name === '' ? [] : [[`${name}{job="machine-state",${labels}}`, Number(value)]];
  });
  const ofAgents = week
    .reasons()
    .filter(({ machine }) => machine === faulty || machine.endsWith('7'))
    .map(({ machine, code, verdict, seconds }): [string, number] => [
      `skolo_swarming_health_reason_seconds{job="swarming-client", machine="${machine}", code="${code}", verdict="${verdict}"}`,
      seconds,
    ]);
  const ofBots = [...week.current.machines()]
    .filter(({ name }) => hasNoBot(name))
    .flatMap(({ name }): [string, number][] => [
      [`skolo_swarming_machine_known{job="swarming-client", machine="${name}"}`, 1],
      [`skolo_swarming_bot_state{job="swarming-client", machine="${name}", state="none"}`, 1],
    ]);
  return [...ofMachineState, ...ofAgents, ...ofBots];
}

/** A test for promtool: of all that happened, only the faulty machine raises an alert. */
function ruleTest(series: ReadonlyMap<string, ReadonlyMap<number, number>>, samples: number) {
  const valuesIn = (values: ReadonlyMap<number, number>) =>
    Array.from({ length: samples }, (_, i) => values.get(i) ?? (values.has(i - 1) ? 'stale' : '_'));
  const up = { series: 'up{job="machine-state"}', values: `1x${samples}` };
  const input = [...series].map(([name, values]) => ({
    series: name,
    values: valuesIn(values).join(' '),
  }));
  return {
    rule_files: ['machine-state.yaml', 'swarming.yaml'].map((name) => join(rulesFolder, name)),
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: [up, ...input],
        // What fired within each hour, from the third on: until then the faulty machine has not changed often enough.
        promql_expr_test: Array.from({ length: hours - 2 }, (_, i) => ({
          expr: 'count by (alertname, machine) (last_over_time(ALERTS{alertstate="firing"}[1h]))',
          eval_time: `${(i + 3) * 60 - 1}m`,
          exp_samples: [{ labels: `{alertname="MachineFlapping", machine="${faulty}"}`, value: 1 }],
        })),
      },
    ],
  };
}
