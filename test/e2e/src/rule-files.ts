/** The services' alert rules, and their tests: kube/base/prometheus/rules. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { parseDocument } from 'yaml';
import { z } from 'zod';

export const rulesFolder = fileURLToPath(
  new URL('../../../kube/base/prometheus/rules/', import.meta.url),
);
export const filesOfFolder = readdirSync(rulesFolder);
export const testFiles = filesOfFolder.filter((name) => name.endsWith('.test.yaml'));
export const ruleFiles = filesOfFolder.filter(
  (name) => name.endsWith('.yaml') && !testFiles.includes(name),
);

const Duration = z.string().regex(/^(\d+(ms|[smhdwy]))+$/);
const Alert = z.strictObject({
  alert: z.string().regex(/^[A-Z]\w+$/),
  expr: z.string().min(1),
  for: Duration.optional(),
  keep_firing_for: Duration.optional(),
  labels: z.object({ severity: z.enum(['critical', 'warning', 'info']) }).catchall(z.string()),
  annotations: z.strictObject({
    summary: z.string().min(1),
    description: z.string().min(1),
    first_command: z.string().min(1),
    incident: z.string().min(1).optional(),
  }),
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
export const TestFile = z.object({
  rule_files: z.array(z.string()),
  tests: z.array(
    z.object({
      alert_rule_test: z
        .array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()).default([]) }))
        .default([]),
    }),
  ),
});

export function read<T>(file: string, schema: z.ZodType<T>): T {
  const document = parseDocument(readFileSync(`${rulesFolder}/${file}`, 'utf8'));
  expect(document.errors, file).toEqual([]);
  const result = schema.safeParse(document.toJS());
  expect(result.error && z.prettifyError(result.error), file).toBeUndefined();
  return schema.parse(document.toJS());
}

export function rulesIn(file: string) {
  return read(file, RuleFile).groups.flatMap(({ rules }) => rules);
}

export function alertsIn(file: string) {
  return rulesIn(file).filter((rule) => 'alert' in rule);
}

/** PromQL's keywords. Functions are recognised by their bracket. */
const keywords = new Set([
  'and',
  'or',
  'unless',
  'offset',
  'bool',
  'by',
  'without',
  'on',
  'ignoring',
]);

/** The names of metrics in an expression. */
export function metricsOf(expression: string): string[] {
  const bare = expression
    .replace(/"[^"]*"|'[^']*'/g, '')
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const names = bare.match(/(?<![\w.:])[a-zA-Z_:][\w:]*(?!\w*\s*\()/g) ?? [];
  return [...new Set(names.filter((name) => !keywords.has(name)))];
}

/** The names of metrics in all expressions of all files. */
export function metricsAskedFor(): string[] {
  const all = ruleFiles.flatMap(rulesIn).flatMap(({ expr }) => metricsOf(expr));
  return [...new Set(all)].toSorted();
}
