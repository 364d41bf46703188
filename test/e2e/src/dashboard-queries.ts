/** The metrics and labels in the dashboard's queries, and those that the services declare. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './monitoring-stack.ts';
import { metricsOf, ruleFiles, rulesIn } from './rule-files.ts';

/** Recorded by rules, each with its source metrics. */
const recorded = new Map(
  ruleFiles
    .flatMap(rulesIn)
    .flatMap((rule) => ('record' in rule ? [[rule.record, metricsOf(rule.expr)] as const] : [])),
);

/** The metrics in an expression; for a recorded one, its source metrics. */
export function metricsIn(expr: string): string[] {
  return metricsOf(expr).flatMap((name) => recorded.get(name) ?? [name]);
}

/** The labels by which an expression selects a metric; and groups it, if there is no other one. */
export function labelsIn(expr: string, metric: string): string[] {
  const selectors = [...expr.matchAll(/([\w:]+)\{([^}]*)\}/g)]
    .filter(([, name]) => name === metric)
    .flatMap(([, , text = '']) => [...text.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)])
    .map(([, name = '']) => name);
  const groups = [...expr.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, text = '']) =>
    text.split(',').map((name) => name.trim()),
  );
  const isAlone = metricsIn(expr).length === 1;
  return [...new Set([...selectors, ...(isAlone ? groups : [])])];
}

const folders = ['services', 'packages'].flatMap((folder) =>
  readdirSync(join(root, folder)).map((name) => join(root, folder, name, 'src')),
);
const sources = folders
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /metrics\.ts$/.test(name))
      .map((name) => readFileSync(join(folder, name), 'utf8')),
  )
  .join('\n');

/**
 * The labels of one of our metrics, from its source: the first list after its name, or after the end of its name. Undefined if not found.
 */
export function declaredLabels(metric: string): string[] | undefined {
  const [, end] = /^skolo_[a-z]+_(\w+?)(_total)?$/.exec(metric) ?? [];
  const names = [metric, ...(end === undefined ? [] : [end])];
  for (const name of names) {
    const found = new RegExp(`\\b${name}\\b[^[]{0,400}?\\[([^\\]]*)\\]`).exec(sources);
    if (found) return [...(found[1] ?? '').matchAll(/'(\w+)'/g)].map(([, label = '']) => label);
  }
  return undefined;
}
