/** Workflows on the forge do what anybody can do in a clone, with actions that cannot change, and with as few rights as possible. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { placeholder } from '../../../scripts/release/owner.mjs';

const root = join(import.meta.dirname, '../../..');
const Permissions = z.record(z.string(), z.enum(['read', 'write']));
const Condition = z.union([z.string(), z.boolean()]).optional();
const Step = z.looseObject({
  if: Condition,
  uses: z.string().optional(),
  run: z.string().optional(),
  with: z.record(z.string(), z.unknown()).default({}),
});
const Job = z.looseObject({
  if: Condition,
  needs: z.union([z.array(z.string()), z.string().transform((name) => [name])]).default([]),
  container: z.looseObject({ image: z.string(), options: z.string() }).optional(),
  permissions: Permissions.optional(),
  steps: z.array(Step),
});
const Workflow = z.looseObject({
  on: z.record(z.string(), z.unknown()),
  permissions: Permissions,
  jobs: z.record(z.string(), Job),
});
type Job = z.infer<typeof Job>;
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

/** Prepares a Debian container for the other steps. git rejects a clone in a directory that belongs to another user. */
const containerSetup =
  'apt-get update && apt-get install --yes --no-install-recommends ca-certificates git python3-minimal && chown root .';
const tiers = ['npm test', 'npm run test:slow'];
const allTests = [...tiers, 'npm run test:long'];

function workflow(name: string) {
  const { on, jobs } = workflows.find(({ file }) => file === `.github/workflows/${name}`) ?? {};
  return { on, jobs: new Map(Object.entries(jobs ?? {})) };
}

function commandsOf({ steps }: Job): string[] {
  return steps.flatMap(({ run }) => run ?? []);
}

/** Returns the inputs of a job's steps that use the action. */
function inputsOf(action: string, job: Job | undefined) {
  const uses = job?.steps.filter((step) => step.uses?.startsWith(`actions/${action}@`)) ?? [];
  return uses.map((step) => step.with);
}

describe('all workflows', () => {
  it('run scripts of package.json and actions pinned by commit', () => {
    const foreignSteps = steps.filter(({ uses, run }) => {
      const [, script = ''] = /^npm (?:run )?([\w:]+)(?: -- [^;&|<>`]*)?$/.exec(run ?? '') ?? [];
      const isScript = uses === undefined && script in scripts;
      const isPinned =
        run === undefined && RegExp(`^[\\w./-]+@([\\da-f]{40}|${placeholder})$`).test(uses ?? '');
      return !isScript && !isPinned && run !== containerSetup;
    });

    expect(workflows.length).toBeGreaterThanOrEqual(4);
    expect(steps.length).toBeGreaterThan(8);
    expect(foreignSteps).toEqual([]);
  });

  it('install packages only in a container', () => {
    const setups = jobs.filter((job) => commandsOf(job).includes(containerSetup));

    expect(setups.length).toBeGreaterThan(0);
    for (const { name, container } of setups) {
      // Without init, processes that have lost their parent stay as zombies.
      const options = expect.stringContaining('--init');
      expect(container, name).toEqual({ image: 'debian:bookworm', options });
    }
  });

  it('pin each action to one commit', () => {
    const pins = new Set(steps.flatMap(({ uses }) => uses ?? []));
    const names = [...pins].map((pin) => pin.replace(/@.*/, ''));

    expect(names).toEqual([...new Set(names)]);
  });

  it('pass no text that strangers choose to a shell', () => {
    const commands = steps.map(({ run = '' }) => run);

    expect(commands.filter((command) => command.includes('${{'))).toEqual([]);
  });

  it('write nothing, except for the job that publishes a release', () => {
    for (const { permissions } of workflows)
      expect([...Object.values(permissions)]).not.toContain('write');
    expect(jobs.filter(({ permissions }) => permissions !== undefined)).toMatchObject([
      {
        name: '.github/workflows/release.yml: publish',
        permissions: { contents: 'write', packages: 'write', 'id-token': 'write' },
      },
    ]);
  });

  it('skip no job or step because of the event, and ignore no failure', () => {
    const parts = [...jobs, ...steps];

    expect(parts.flatMap((part) => part.if ?? []).filter((text) => text !== 'always()')).toEqual(
      [],
    );
    expect(jobs.filter((job) => job.if !== undefined)).toEqual([]);
    expect(parts.filter((part) => 'continue-on-error' in part)).toEqual([]);
  });
});

describe('ci.yml', () => {
  const { on, jobs } = workflow('ci.yml');

  it('starts after every push to main, pull request and tag, whatever has changed', () => {
    expect(on).toEqual({ push: { branches: ['main'], tags: ['v*'] }, pull_request: null });
  });

  it('runs both tiers, and the first one on a minimal Debian', () => {
    const commands = [...jobs.values()].flatMap(commandsOf);
    const container = [...jobs.values()].filter((job) => job.container !== undefined);

    expect(commands).toEqual(expect.arrayContaining(tiers));
    expect(container.map(commandsOf)).toContainEqual([containerSetup, 'npm test']);
  });

  it('uploads a Debian package and bundles after all tests have passed', () => {
    const { packages, ...tests } = Object.fromEntries(jobs);

    expect(packages?.needs.toSorted()).toEqual(Object.keys(tests).sort());
    expect(inputsOf('upload-artifact', packages)).toMatchObject([
      { path: 'out/release', 'if-no-files-found': 'error' },
    ]);
  });
});

describe('scheduled workflows', () => {
  it.each([
    ['every night', 'npm run test:long', /^\d+ \d+ \* \* \*$/],
    ['every week', 'npm run outdated', /^\d+ \d+ \* \* \d$/],
  ])('run %s %s', (_interval, command, cron) => {
    const matches = workflows.filter(
      ({ on, jobs }) =>
        'schedule' in on && Object.values(jobs).some((job) => commandsOf(job).includes(command)),
    );

    expect(matches.map((match) => match.on)).toEqual([
      { schedule: [{ cron: expect.stringMatching(cron) }] },
    ]);
  });
});

describe('release.yml', () => {
  const { jobs } = workflow('release.yml');
  const publish = jobs.get('publish');

  it('runs all tests in one clone before it publishes', () => {
    const jobsBefore = publish?.needs.map((name) => jobs.get(name)) ?? [];
    const commands = jobsBefore.map((job) => (job ? commandsOf(job) : []));

    expect(commands).toEqual([expect.arrayContaining(allTests)]);
  });

  it('publishes with the record of these tests', () => {
    const artifact = 'green';

    expect(inputsOf('upload-artifact', jobs.get(publish?.needs[0] ?? ''))).toEqual([
      {
        name: artifact,
        path: '.skolo/green.json',
        'include-hidden-files': true,
        'if-no-files-found': 'error',
      },
    ]);
    expect(inputsOf('download-artifact', publish)).toEqual([{ name: artifact, path: '.skolo' }]);
    const order = publish?.steps.map(({ uses = '', run = '' }) => uses.replace(/@.*/, '') || run);
    const publishing = order?.findIndex((step) => step.startsWith('npm run release -- publish'));
    expect(order?.indexOf('actions/download-artifact')).toBeLessThan(publishing ?? -1);
  });
});
