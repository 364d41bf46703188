/** Checks that the racks repository contains no unencrypted secrets. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Finding } from '@skolo/base';
import { type Secret, valuesIn } from '@skolo/base/secrets';
import type { SkoloCommand } from '../../command.ts';
import type { Io } from '../../io.ts';
import { loadFleet } from '../../reach/racks.ts';
import { hasIdentities, openSecrets, readValues } from '../secrets/open-secrets.ts';
import { type CheckResult, parted } from './check.ts';

/** Checks what git would commit. */
export async function checkSecretsInGit(
  command: SkoloCommand,
  signal: AbortSignal,
): Promise<CheckResult> {
  const { io } = command;
  const fleet = await loadFleet(command);
  const { verifyRepository } = await import('@skolo/fleet/secret-store');
  const git = gitOf(io, fleet, signal);
  const all = { stores: new Set([join(git.folder, 'sops')]), values: new Map<string, Secret>() };
  const forbidden = new Set<string>();
  const canOpen = hasIdentities(io);
  for (const rack of fleet.racks) {
    if (rack.type !== 'k3s' || !existsSync(join(rack.overlay, 'rack.yaml'))) continue;
    const open = await openSecrets(command, rack.name);
    for (const path of clearPaths(open)) forbidden.add(path);
    const { command: program, folder, sops = '../../sops' } = open.rack.secrets;
    if (program === undefined && folder === undefined) {
      all.stores.add(resolve(open.rack.dir, sops));
    }
    // A program may prompt its user, but a hook must not.
    if (program !== undefined || (folder === undefined && !canOpen)) continue;
    for (const [name, value] of await readValues(open, signal)) {
      const secret = open.secrets.find((each) => each.name === name);
      // Not secret, or only digests.
      if (secret === undefined || isPublic.has(secret.kind)) continue;
      const values = isOfLogins.has(secret.kind) ? valuesIn(value) : [value];
      for (const [index, each] of values.entries()) {
        const which = index === 0 ? '' : ` (value ${index + 1})`;
        all.values.set(`${secret.place}${which}`, each);
      }
    }
  }
  const stores = [...all.stores];
  const given = { ...git, kube: git.folder, stores, forbidden: [...forbidden], values: all.values };
  const findings = (await verifyRepository(given)).map(({ file, line, problem }): Finding => {
    const thing = line === undefined ? file : `${file}:${line}`;
    return { thing, state: 'differs', ...parted(problem) };
  });
  const unsearched: Finding = {
    thing: 'values in encrypted stores',
    state: 'skipped',
    found: 'no age identity was found, so files were not searched for them',
  };
  return { name: 'git', findings: canOpen ? findings : [...findings, unsearched] };
}

/** Runs the check before each commit in this clone. */
export async function installGitHook(command: SkoloCommand, signal: AbortSignal): Promise<void> {
  const { io } = command;
  const { installHook } = await import('@skolo/fleet/secret-store');
  const hook = await installHook(gitOf(io, await loadFleet(command), signal));
  io.err(`${hook}: runs skolo check secrets before each commit`);
}

function gitOf({ env }: Io, { file }: { file: string }, signal: AbortSignal) {
  return { folder: resolve(dirname(file), '..'), env, signal };
}

/** Kinds that may have several values. */
const isOfLogins: ReadonlySet<string> = new Set([
  'password',
  'ssh-key',
  'snmp-community',
  'snmp-key',
]);

const isPublic: ReadonlySet<string> = new Set(['certificate', 'adb-public-key', 'token-file']);

/** Next to rack.yaml: the file that pods see at the path in rack.yaml. */
function clearPaths({ rack, secrets }: Awaited<ReturnType<typeof openSecrets>>): string[] {
  const files = secrets.flatMap(({ kind, paths }) =>
    isPublic.has(kind) ? [] : paths.map((path) => resolve(rack.dir, path)),
  );
  return [
    join(rack.dir, 'secrets'),
    ...files.filter((path) => !path.startsWith(join(rack.dir, 'secrets/'))),
  ];
}
