import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, tempDir } from '@skolo/base/testing';
import type { ServiceName } from '@skolo/rack';
import { peer } from '@skolo/simulators';
import { describe, expect, it } from 'vitest';
import { usageOf } from '../../../packages/common/src/process/flag-table.ts';
import { serviceFlags } from '../../../packages/common/src/process/flags.ts';
import { bundles } from '../../../scripts/bundle/bundles.mjs';
import { readSettings } from '../../../services/fallback/src/settings.ts';
import { agentFlags } from '../../../services/swarming-client/src/flags.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = join(root, 'deploy/systemd');
const name = 'skolo-swarming-client.service';
const unit = await readFile(join(folder, name), 'utf8');

/** Values of a key, in order. */
function values(key: string): string[] {
  const lines = unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'));
  return [...lines].map(([, value = '']) => value);
}

/** The sources of what a bundle has at this path. */
function inThisRepository(path: string): string {
  return path
    .replace(/^\/opt\/skolo\/(?:current\/)?/, root)
    .replace(/\/dist\/main\.js$/, '/src/main.ts');
}

/** The program of the unit, where this repository is. */
function commandLine(): string[] {
  const [line = ''] = values('ExecStart');
  return line.split(' ').map(inThisRepository);
}

/** As the agent prints it, without its start. */
const help = usageOf(agentFlags);

describe('the unit of the agent', () => {
  it('starts an existing program, with existing flags', () => {
    const flags = commandLine().filter((arg) => arg.startsWith('--'));

    expect(commandLine().some(existsSync)).toBe(true);
    expect(flags).not.toEqual([]);
    for (const flag of flags) expect(help).toMatch(new RegExp(`^ +${flag} `, 'm'));
  });

  it('writes where systemd has made a folder for it', () => {
    const at = commandLine().indexOf('--state-dir');

    expect(commandLine()[at + 1]).toBe(`/var/lib/${values('StateDirectory')[0]}`);
  });

  it('waits for longer than a task may go on', async () => {
    const schema: unknown = JSON.parse(
      await readFile(join(root, 'packages/rack/rack.schema.json'), 'utf8'),
    );
    const graces = JSON.stringify(schema).match(/"taskGraceSeconds":\{[^{}]*"default":(\d+)/);

    expect(Number(graces?.[1])).toBe(3600);
    // The task and the bot get 30 s each to end, and what hangs a moment more.
    expect(Number(values('TimeoutStopSec')[0])).toBeGreaterThan(Number(graces?.[1]) + 120);
  });

  it('and its README name existing variables', async () => {
    const readme = await readFile(join(folder, 'swarming-client.md'), 'utf8');
    const named = new Set(`${unit}${readme}`.match(/\bSKOLO_[A-Z_]+/g));

    expect(named.size).toBeGreaterThan(3);
    for (const variable of named) expect(help).toContain(`  ${variable} `);
  });
});

describe('the units of the jumphost', () => {
  it.each<ServiceName>([
    'metadata-server',
    'power-cycle-daemon',
    'router-backup',
    'alert-to-pubsub',
    'machine-state',
  ])('%s is started with flags that there are', async (name) => {
    const text = await readFile(join(folder, `skolo-${name}.service`), 'utf8');
    const [, line = ''] = text.match(/^ExecStart=(.*)$/m) ?? [];
    const [program, ...words] = line.split(' ');
    const place = words.findIndex((word) => word.endsWith('/main.js'));
    const [main = '', ...flags] = words.slice(place);
    const nodeFlags = words.slice(0, place);
    expect(program).toBe('/opt/skolo/current/bin/node');
    // As its image has them (test/images).
    expect(nodeFlags).toEqual(bundles.find((bundle) => bundle.name === name)?.nodeFlags);

    // Node rejects flags that it does not have.
    await run(process.execPath, [...nodeFlags, '--version']);
    expect(existsSync(inThisRepository(main))).toBe(true);
    expect(flags).toEqual([]);
    expect(text).toContain(`\nEnvironment=SKOLO_RACK=/etc/skolo/${name}/rack.yaml\n`);
    expect(usageOf(serviceFlags(name))).toMatch(/^ +--rack FILE +SKOLO_RACK /m);
    const contactsDevices = ['power-cycle-daemon', 'router-backup'].includes(name);
    expect(text.includes(`\nRuntimeDirectory=skolo/${name}\n`)).toBe(contactsDevices);
    expect(text.includes('\nRuntimeDirectoryPreserve=yes\n')).toBe(contactsDevices);
    // The usual state directory is the one that systemd makes, and that pods mount.
    expect(text).toContain(`\nStateDirectory=skolo/${name}\n`);
  });

  it('have the variables of their README, with the usual values', async () => {
    const readme = await readFile(join(folder, 'README.md'), 'utf8');
    const usual = Object.values(readSettings({})).map(String);
    const rows = [...readme.matchAll(/^\| `(SKOLO_FALLBACK_\w+)` \| `?([^ `]+)`? \|$/gm)];

    expect(rows.map(([, , value]) => value)).toEqual(usual);
    for (const [, name = ''] of rows) expect(await fallbackSettings()).toContain(name);
  });

  it('have folders for everything that pods of the jumphost mount', async () => {
    const tmpfiles = await readFile(join(root, 'deploy/jumphost/skolo.tmpfiles.conf'), 'utf8');
    const made = [...tmpfiles.matchAll(/^d (\/var\/lib\/skolo\/\S+)/gm)].map(([, path]) => path);
    const mounted = new Set<string | undefined>();
    for (const name of await readdir(join(root, 'kube/base'), { recursive: true })) {
      if (!name.endsWith('.yaml')) continue;
      const text = await readFile(join(root, 'kube/base', name), 'utf8');
      // A folder that a pod may make for itself is on machines, too.
      const paths = text.matchAll(
        /(?:local|hostPath): \{ path: (\/var\/lib\/skolo\/[\w-]+)(, type: Directory)? \}/g,
      );
      for (const [, path] of paths) mounted.add(path);
    }

    expect(mounted.size).toBeGreaterThan(4);
    for (const path of mounted) expect(made).toContain(path);
  });
});

async function fallbackSettings(): Promise<string> {
  return await readFile(join(root, 'services/fallback/src/settings.ts'), 'utf8');
}

const units = (await readdir(folder)).filter((name) => /\.(service|timer)$/.test(name));

describe('every unit', () => {
  it('is valid for systemd', async ({ skip }) => {
    const copies = await copied(skip);

    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...copies]);

    expect(units.length).toBeGreaterThan(5);
    expect(stdout + stderr).toBe('');
  });

  it('of the jumphost removes privileges that its service does not need', async ({ skip }) => {
    const copies = await copied(skip);
    // Tasks run below the agent: see its README.
    const closed = copies.filter((file) =>
      /(server|daemon|fallback|backup|pubsub|state)\.service$/.test(file),
    );

    // In tenths of what it calls exposure: 10.0 is a unit that nothing is taken from.
    const flags = ['--offline=yes', '--threshold=30', '--no-pager'];
    for (const file of closed) await run('systemd-analyze', ['security', ...flags, file]);

    expect(closed.length).toBeGreaterThan(4);
  });
});

/** Where the programs that they start are those of this computer: systemd looks for them, too. */
async function copied(skip: (why: string) => never): Promise<string[]> {
  if (!peer('systemd-nspawn')) return skip('systemd-nspawn is not installed');
  const dir = await tempDir();
  return await Promise.all(
    units.map(async (name) => {
      const text = await readFile(join(folder, name), 'utf8');
      const here = text
        .replaceAll(/\/usr\/bin\/node|\/opt\/skolo\/current\/bin\/node/g, process.execPath)
        .replaceAll('/opt/skolo/packages/fallback/', join(root, 'services/fallback/'));
      await writeFile(join(dir, name), here);
      return join(dir, name);
    }),
  );
}
