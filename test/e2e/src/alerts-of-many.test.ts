/** A push knows which alerts count machines, and which machines: those that did not report before it may be all that they are about. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tempDir } from '@skolo/base/testing';
import { healthQueries } from '@skolo/fleet';
import { lacks, peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import {
  countingAlerts,
  isOfAgents,
  replacedBy,
} from '../../../packages/fleet/src/survey/alerts-of-machines.ts';
import { alertsIn, ruleFiles, rulesFolder, rulesIn } from './rule-files.ts';

const recorded = new Map(
  ruleFiles
    .flatMap(rulesIn)
    .flatMap((rule) => ('record' in rule ? [[rule.record, rule.expr] as const] : [])),
);

/** The expression with those of recorded metrics of the rack in their place, or of machines, too. */
function withSources(expr: string, of = /\brack:[\w:]+/g): string {
  return expr.replace(of, (name) => `(${withSources(recorded.get(name) ?? '', of)})`);
}

const ofAll = /\b(rack|machine):[\w:]+/g;
const bare = (expr: string) => expr.replaceAll(/\s/g, '');

const alerts = ruleFiles
  .flatMap(alertsIn)
  .filter(({ labels }) => labels.severity !== 'info')
  .map((alert) => ({ ...alert, sources: withSources(alert.expr, ofAll) }));

/** Alerts that follow from metrics of machines, and neither name a machine in their text nor count machines. */
const others: Record<string, string> = {
  MachinesHaveOneCause: 'is about the cause',
  MachineHistoryNotWritten: 'is about the history',
  PushRolledBack: 'has the label `machine`',
  RackServiceDegraded: 'has the label `machine`',
  SwarmingAgentsAbsent: 'is about the targets',
  TargetsAbsent: 'is about the targets',
};

it('lists all alerts that count machines', () => {
  const unnamed = alerts
    .filter(({ sources }) =>
      /job="(swarming-client|node)"|machine!=""|skolo_machines_/.test(sources),
    )
    .filter(({ annotations }) => !JSON.stringify(annotations).includes('$labels.machine'));

  expect(unnamed.map(({ alert }) => alert).toSorted()).toEqual(
    [...Object.keys(countingAlerts), ...Object.keys(others)].toSorted(),
  );
});

/** machine-state counts their machines. */
const byService = ['MachinesUnhealthy', 'ReportedQuarantinesWait'];

it.each(Object.entries(countingAlerts))('%s counts these machines', (name, { of, all = '' }) => {
  const expr = bare(withSources(alerts.find(({ alert }) => alert === name)?.expr ?? ''));

  expect(expr).toContain(all === '' ? '>0' : '>0.2*');
  expect(expr.includes('>3')).toBe(all !== '' || name === 'SwarmingDownloadsFail');
  if (byService.includes(name)) return;
  expect(expr).toContain(bare(of));
  expect(expr).toContain(bare(all));
});

it('knows which alerts they replace', () => {
  const many = (expr: string) => expr.match(/\brack:\w+:many\b/g) ?? [];
  const found = alerts
    .filter(({ alert }) => !(alert in countingAlerts))
    .map(({ alert, expr }): [string, string[]] => {
      const after = expr.split('unless').slice(1).flatMap(many);
      const counting = alerts.filter(({ alert, expr }) => {
        const [counted = ''] = expr.split('unless');
        return alert in countingAlerts && many(counted).some((name) => after.includes(name));
      });
      return [alert, counting.map(({ alert }) => alert)];
    });

  for (const [alert, counting] of found) {
    expect(replacedBy(alert).toSorted(), alert).toEqual(counting.toSorted());
  }
});

const ofMachines = alerts.filter(
  ({ alert, annotations }) =>
    alert in countingAlerts || JSON.stringify(annotations).includes('$labels.machine'),
);

it.each(ofMachines)(
  'knows whether agents report what $alert follows from',
  ({ alert, sources }) => {
    const fromAgents = /job="swarming-client"|skolo_machines_/.test(sources);

    expect(isOfAgents(alert, {})).toBe(fromAgents);
  },
);

const why = lacks('promtool');
describe.skipIf(why)('the questions of a push', () => {
  /** Checks with promtool, and all rules, that a query has exactly these values. */
  async function check(
    query: string,
    series: Record<string, string>,
    minutes: number,
    values: Record<string, number>,
  ): Promise<string> {
    const file = join(await tempDir(), 'test.json');
    const test = {
      interval: '1m',
      input_series: Object.entries(series).map(([name, samples]) => ({
        series: name,
        values: samples,
      })),
      promql_expr_test: [
        {
          expr: query,
          eval_time: `${minutes}m`,
          exp_samples: Object.entries(values).map(([labels, value]) => ({ labels, value })),
        },
      ],
    };
    const rules = ruleFiles.map((name) => join(rulesFolder, name));
    await writeFile(
      file,
      JSON.stringify({ rule_files: rules, evaluation_interval: '1m', tests: [test] }),
    );
    return await promisify(execFile)(peer('promtool') ?? '', ['test', 'rules', file]).then(
      () => '',
      ({ stdout, stderr }: { stdout: string; stderr: string }) => stdout + stderr,
    );
  }

  const queries = healthQueries('');

  it('name the machines of an alert that counts them', async () => {
    const pi = (metric: string, number: number, labels = '') =>
      `${metric}{job="swarming-client", machine="pi-${number}"${labels}}`;
    const series = Array.from({ length: 12 }, (_, at) => at + 1).flatMap((number) => [
      [pi('skolo_swarming_machine_known', number), '1x60'],
      number > 8
        ? [pi('skolo_swarming_bot_state', number, ', state="none"'), '1x60']
        : [pi('skolo_swarming_bot_healthy', number), number > 4 ? '1x60' : '1x5 0x60'],
    ]);
    const values = Array.from({ length: 8 }, (_, at) => [
      `{alert="SwarmingBotsDown", machine="pi-${at + 1}"}`,
      at < 4 ? 1 : 0,
    ]);
    const found = check(
      queries.counted ?? '',
      Object.fromEntries(series),
      40,
      Object.fromEntries(values),
    );

    expect(await found).toBe('');
  });

  it('know an agent although a scrape failed, but not one that has been silent for minutes', async () => {
    const health = (machine: string, verdict = 'ok') =>
      `skolo_swarming_health{job="swarming-client", machine="${machine}", verdict="${verdict}"}`;
    const series = {
      [health('pi-1')]: '1x30',
      [health('pi-1', 'quarantined')]: '0x30',
      [health('pi-2')]: '1x9 0x9 stale',
      [health('pi-2', 'quarantined')]: '0x9 1x9 stale',
      [health('pi-3')]: '1x10 stale',
      'up{job="swarming-client", machine="pi-4"}': '0x30',
    };
    const found = check(queries.health ?? '', series, 20, {
      '{machine="pi-1", verdict="ok"}': 1,
      '{machine="pi-2", verdict="quarantined"}': 0,
    });

    expect(await found).toBe('');
  });
});
