/** The alert rules that the services bring, as Prometheus reads them: kube/base/prometheus/rules. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { z } from 'zod';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('../../../kube/base/prometheus/rules/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const ruleFiles = files.filter((name) => !name.endsWith('.test.yaml'));
const testFiles = files.filter((name) => name.endsWith('.test.yaml'));
const promtool = peer('promtool');
const noPromtool = 'promtool is not installed (Debian: prometheus)';

const Duration = z.string().regex(/^(\d+(ms|[smhdwy]))+$/);
const Alert = z.strictObject({
  alert: z.string().regex(/^[A-Z]\w+$/),
  expr: z.string().min(1),
  for: Duration.optional(),
  keep_firing_for: Duration.optional(),
  labels: z.object({ severity: z.enum(['critical', 'warning', 'info']) }).catchall(z.string()),
  annotations: z
    .object({ summary: z.string().min(1), description: z.string().min(1) })
    .catchall(z.string()),
});
const Recording = z.strictObject({
  record: z.string(),
  expr: z.string().min(1),
  labels: z.record(z.string(), z.string()).optional(),
});
const RuleFile = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      interval: Duration.optional(),
      rules: z.array(z.union([Alert, Recording])).min(1),
    }),
  ),
});
const TestFile = z.object({
  rule_files: z.array(z.string()),
  tests: z.array(
    z.object({
      alert_rule_test: z
        .array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()).default([]) }))
        .default([]),
    }),
  ),
});

function read<T>(file: string, schema: z.ZodType<T>): T {
  const document = parseDocument(readFileSync(`${folder}/${file}`, 'utf8'));
  expect(document.errors, file).toEqual([]);
  const result = schema.safeParse(document.toJS());
  expect(result.error && z.prettifyError(result.error), file).toBeUndefined();
  return schema.parse(document.toJS());
}

function alertsIn(file: string) {
  return read(file, RuleFile).groups.flatMap(({ rules }) =>
    rules.filter((rule) => 'alert' in rule),
  );
}

/** What promtool has to say; it ends with a code other than 0 when it finds something. */
async function ask(program: string, ...args: string[]): Promise<string> {
  try {
    const { stdout, stderr } = await run(program, args, { cwd: folder });
    return stdout + stderr;
  } catch (error) {
    const { stdout, stderr } = z.object({ stdout: z.string(), stderr: z.string() }).parse(error);
    throw new Error(stdout + stderr);
  }
}

describe('alert rules', () => {
  it('are there', () => {
    expect(ruleFiles).not.toEqual([]);
  });

  it.each(ruleFiles)('%s: every alert has a severity, a summary and a description', (file) => {
    for (const { alert, labels, annotations } of alertsIn(file)) {
      expect(labels.severity, alert).toBeTruthy();
      expect(annotations.summary, alert).toBeTruthy();
      expect(annotations.description, alert).toBeTruthy();
    }
  });

  it('have names of their own', () => {
    const names = ruleFiles.flatMap((file) => alertsIn(file).map(({ alert }) => alert));

    expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
  });

  it.each(ruleFiles)('%s: every alert is seen firing by a test', (file) => {
    const tests = read(file.replace(/\.yaml$/, '.test.yaml'), TestFile).tests.flatMap(
      (test) => test.alert_rule_test,
    );
    const firing = tests.filter((test) => test.exp_alerts.length > 0);

    expect([...new Set(firing.map((test) => test.alertname))].toSorted()).toEqual(
      alertsIn(file)
        .map(({ alert }) => alert)
        .toSorted(),
    );
  });

  it.for(ruleFiles)('%s: Prometheus reads it', async (file, context) => {
    if (!promtool) return context.skip(noPromtool);

    expect(await ask(promtool, 'check', 'rules', file)).toMatch(/SUCCESS: \d+ rules found/);
  });

  it.for(testFiles)('%s: they fire when they should, and only then', async (file, context) => {
    if (!promtool) return context.skip(noPromtool);

    expect(await ask(promtool, 'test', 'rules', file)).toContain('SUCCESS');
  });
});
