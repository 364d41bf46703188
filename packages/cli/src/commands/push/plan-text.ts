/** The changes that a push would make, as text. */
import { count } from '@skolo/base';
import type { FieldChange, ObjectPlan, PreparedRack, RackPlan } from '@skolo/fleet/push';
import { titleOf } from '@skolo/fleet/push';
import { diffLines } from 'diff';
import { cutOff, plain } from '../../output/text.ts';

/** The changes of one rack, a line for each field. */
export function planLines({ name, preparation, problem }: PreparedRack): string[] {
  if (preparation === undefined) {
    return [problem ? plain(problem.message) : `${name}: already finished`];
  }
  const { plan, pins, previous } = preparation;
  const versions = pins.flatMap((pin) => {
    const old = previous.find((each) => each.name === pin.name)?.tag;
    return old === pin.tag ? [] : [`${pin.name.replace('skolo/', '')} ${old} → ${pin.tag}`];
  });
  const changed = plan.objects.filter(({ action }) => action !== 'keep');
  return [
    `${name}: ${summaryOf(plan)}`,
    ...versions.map((line) => `  ${line}`),
    ...changed.flatMap(objectLines),
    ...plan.deletions.map((object) => `  - ${titleOf(object)}: no longer in the overlay`),
    ...handLines(plan),
    ...unhealthyLines(plan),
    ...plan.held.map((text) => plain(`  served by another program: ${text}`)),
  ];
}

/** The same changes as data. */
export function planJson({ name, preparation, problem }: PreparedRack) {
  if (preparation === undefined) return { rack: name, problem: problem?.message };
  const { plan, pins, previous } = preparation;
  return {
    rack: name,
    versions: pins.flatMap(({ name: image, tag: to }) => {
      const from = previous.find((each) => each.name === image)?.tag;
      return from === to ? [] : [{ image, from, to }];
    }),
    objects: plan.objects.flatMap(({ wanted, action, changes }) =>
      action === 'keep' ? [] : [{ object: titleOf(wanted), action, changes }],
    ),
    deletions: plan.deletions.map(titleOf),
  };
}

function summaryOf({ objects, deletions }: RackPlan): string {
  const created = objects.filter(({ action }) => action === 'create').length;
  const changed = objects.filter(({ action }) => action === 'change').length;
  const parts = [
    ...(changed > 0 ? [`${count(changed, 'object')} changed`] : []),
    ...(created > 0 ? [`${created} new`] : []),
    ...(deletions.length > 0 ? [`${deletions.length} deleted`] : []),
  ];
  return parts.join(', ') || 'nothing to change';
}

function objectLines({ wanted, action, changes }: ObjectPlan): string[] {
  if (action === 'create') return [`  + ${titleOf(wanted)}`];
  if (changes.length === 0) return [];
  return [`  ~ ${titleOf(wanted)}`, ...changes.flatMap(fieldLines)];
}

function fieldLines({ path, from, to }: FieldChange): string[] {
  const where = plain(path);
  if (typeof from === 'string' && typeof to === 'string' && /\n/.test(from + to)) {
    return [`      ${where}`, ...changedLines(from, to)];
  }
  if (from === undefined) return [`      ${where}: + ${valueText(to)}`];
  if (to === undefined) return [`      ${where}: - ${valueText(from)}`];
  return [`      ${where}: ${valueText(from)} → ${valueText(to)}`];
}

function changedLines(from: string, to: string): string[] {
  return diffLines(from, to)
    .filter(({ added, removed }) => added || removed)
    .flatMap(({ added, value }) =>
      value
        .trimEnd()
        .split('\n')
        .map((line) => `        ${added ? '+' : '-'} ${plain(line)}`),
    );
}

/** Changes that people made in the cluster, as opposed to ours. */
function handLines({ objects }: RackPlan): string[] {
  const lines = objects.flatMap(({ wanted, setBack, added }) => [
    ...setBack.map(
      ({ path, from, to, writtenBy }) =>
        `  changed manually (${writtenBy}), will be reset: ${titleOf(wanted)} ${plain(path)}: ${valueText(from)} → ${valueText(to)}`,
    ),
    ...added.map(
      ({ path, writtenBy }) =>
        `  added manually (${writtenBy}), will be kept: ${titleOf(wanted)} ${plain(path)}`,
    ),
  ]);
  return lines;
}

function unhealthyLines({ unhealthy }: RackPlan): string[] {
  return unhealthy.map(({ key, node, cause }) => {
    const what = key.replace(/^\w+\//, '');
    return plain(
      `  already unhealthy, so the push will not wait for it: ${what} on ${node}: ${cause}`,
    );
  });
}

const longest = 200;

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return plain(cutOff(text, longest));
}
