/** Workflows on the forge do what anybody can do in a clone, with actions that cannot change, and with as few rights as possible. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { placeholder } from '../../../scripts/release/owner.mjs';

const root = join(import.meta.dirname, '../../..');
const Permissions = z.record(z.string(), z.enum(['read', 'write']));
const Workflow = z.looseObject({
  permissions: Permissions,
  jobs: z.record(
    z.string(),
    z.looseObject({
      permissions: Permissions.optional(),
      steps: z.array(z.looseObject({ uses: z.string().optional(), run: z.string().optional() })),
    }),
  ),
});
const { scripts } = z
  .looseObject({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));

const workflows = globSync('.github/workflows/*.yml', { cwd: root }).map((file) => {
  return { file, ...Workflow.parse(parse(readFileSync(join(root, file), 'utf8'))) };
});
const jobs = workflows.flatMap(({ file, jobs }) =>
  Object.entries(jobs).map(([name, job]) => ({ name: `${file}: ${name}`, ...job })),
);
const steps = jobs.flatMap((job) => job.steps);

it('each step is a script of package.json, or an action pinned by commit', () => {
  const others = steps.filter(({ uses, run }) => {
    const [, script = ''] = /^npm (?:run )?([\w:]+)(?: -- [^;&|<>`]*)?$/.exec(run ?? '') ?? [];
    const isScript = uses === undefined && script in scripts;
    const isPinned =
      run === undefined && RegExp(`^[\\w./-]+@([\\da-f]{40}|${placeholder})$`).test(uses ?? '');
    return !isScript && !isPinned;
  });

  expect(workflows.length).toBe(2);
  expect(steps.length).toBeGreaterThan(8);
  expect(others).toEqual([]);
});

it('no step gets text that others choose', () => {
  const texts = steps.map(({ run = '' }) => run);

  expect(texts.filter((run) => run.includes('${{'))).toEqual([]);
});

it('only the job that publishes a release may write, and only what it needs', () => {
  for (const { permissions } of workflows)
    expect([...Object.values(permissions)]).not.toContain('write');
  expect(jobs.filter(({ permissions }) => permissions !== undefined)).toMatchObject([
    {
      name: '.github/workflows/release.yml: publish',
      permissions: { contents: 'write', packages: 'write', 'id-token': 'write' },
    },
  ]);
});
