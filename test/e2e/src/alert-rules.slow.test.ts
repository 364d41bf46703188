import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLong } from '@skolo/base/durable/fault-injection';
import { run, tempDir } from '@skolo/base/testing';
import { peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  alertsIn,
  filesOfFolder,
  read,
  ruleFiles,
  rulesFolder,
  TestFile,
  testFiles,
} from './rule-files.ts';

const promtool = peer('promtool');
const noPromtool = 'promtool is not installed (Debian: prometheus)';

/** The output of promtool; it ends with a code other than 0 when it finds something. */
async function ask(program: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run(program, args, { cwd: rulesFolder });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = z.object({ stdout: z.string(), stderr: z.string() }).parse(error);
    throw new Error(stdout + stderr);
  }
}

const Timed = z.looseObject({ eval_time: z.string().default('0m') });
const Input = z.looseObject({ series: z.string(), values: z.string() });
const Tests = z.looseObject({
  rule_files: z.array(z.string()),
  tests: z.array(
    z.looseObject({
      input_series: z.array(Input).default([]),
      alert_rule_test: z.array(Timed).default([]),
    }),
  ),
});

/** What a job of machines delivers, or what always has the labels of its target. */
const ofMachine: Record<string, RegExp> = {
  'swarming-client': /^(skolo_swarming_\w+|skolo_degraded|up|process_\w+)$|:/,
  node: /^(node_\w+|up|process_\w+)$|:/,
};

/** Series of a test as a machine forges them, with the labels of others: those of its own job are for it to send. */
function forgeries(input: readonly z.output<typeof Input>[]): z.output<typeof Input>[] {
  const forged = Object.entries(ofMachine).flatMap(([job, own], index) =>
    input.flatMap(({ series }) => {
      const [, name = '', labels = ''] = /^([\w:]+)(?:\{(.*)\})?$/.exec(series) ?? [];
      if (own.test(name)) return [];
      const others = [...labels.matchAll(/(\w+)="([^"]*)"/g)].flatMap(([pair, label = '']) =>
        ['job', 'instance'].includes(label) ? [] : [pair],
      );
      const text = [`job="${job}"`, 'instance="liar:1"', ...others].join();
      // One that silences what is above 0, and one that raises it, whatever the metric.
      return [{ series: `${name}{${text}}`, values: index === 0 ? '0+1000x3000' : '0x3000' }];
    }),
  );
  return [...new Map(forged.map((each) => [each.series, each])).values()];
}

/**
 * The tests of a file, beside a machine that forges the metrics of others. Where some of them go on for hours, those are a file
 * of their own with steps of ten minutes: promtool evaluates all rules at each step. In the long run all tests have steps of a
 * minute.
 */
async function inSteps(file: string): Promise<string[]> {
  const { rule_files, tests: honest, ...others } = read(file, Tests);
  const tests = honest.map((test) => ({
    ...test,
    input_series: [...test.input_series, ...forgeries(test.input_series)],
  }));
  const takesHours = (test: (typeof tests)[number]) =>
    !isLong &&
    test.alert_rule_test.some(({ eval_time }) => /^([6-9]|\d\d+)h/.test(eval_time)) &&
    test.alert_rule_test.every(({ eval_time }) => /^(\d+h)?(\d*0m)?$/.test(eval_time));
  const parts = [
    { ...others, tests: tests.filter((test) => !takesHours(test)) },
    { ...others, evaluation_interval: '10m', tests: tests.filter(takesHours) },
  ];
  const folder = await tempDir();
  return await Promise.all(
    parts
      .filter((part) => part.tests.length > 0)
      .map(async (part, index) => {
        const path = join(folder, `${index}.yaml`);
        const rules = rule_files.map((name) => join(rulesFolder, name));
        await writeFile(path, JSON.stringify({ rule_files: rules, ...part }));
        return path;
      }),
  );
}

describe('alert rules', () => {
  it('exist, each file with its tests, in a folder without other files', () => {
    expect(ruleFiles).not.toEqual([]);
    expect(testFiles).toEqual(ruleFiles.map((file) => file.replace(/\.yaml$/, '.test.yaml')));
    expect(filesOfFolder.toSorted()).toEqual([...ruleFiles, ...testFiles, 'README.md'].toSorted());
  });

  it.each(ruleFiles)('%s: no annotation changes while an alert fires', (file) => {
    for (const { alert, annotations } of alertsIn(file)) {
      expect(JSON.stringify(annotations), alert).not.toContain('$value');
    }
  });

  it('have names of their own', () => {
    const names = ruleFiles.flatMap((file) => alertsIn(file).map(({ alert }) => alert));

    expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
  });

  it.each(ruleFiles)('%s: every alert is seen firing by a test', (file) => {
    const tests = read(file.replace(/\.yaml$/, '.test.yaml'), TestFile);
    const cases = tests.tests.flatMap((test) => test.alert_rule_test);
    const firing = cases.filter((test) => test.exp_alerts.length > 0);

    expect(tests.rule_files).toContain(file);
    expect([...new Set(firing.map((test) => test.alertname))].toSorted()).toEqual(
      alertsIn(file)
        .map(({ alert }) => alert)
        .toSorted(),
    );
  });

  it.for(ruleFiles)('%s: Prometheus accepts it', async (file, context) => {
    if (!promtool) return context.skip(noPromtool);

    expect(await ask(promtool, 'check', 'rules', file)).toMatch(/SUCCESS: \d+ rules found/);
  });

  it.for(testFiles)(
    '%s: they fire when they should, and only then, beside a machine that lies',
    async (file, context) => {
      if (!promtool) return context.skip(noPromtool);

      for (const part of await inSteps(file)) {
        expect(await ask(promtool, 'test', 'rules', part)).toContain('SUCCESS');
      }
    },
  );
});
