/** `skolo secrets verify`: checks that the racks repository contains no unencrypted secrets. */

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { count } from '@skolo/base';
import { type Secret, valuesIn } from '@skolo/base/secrets';
import type { SkoloCommand } from '../../command.ts';
import { complain, exitCodes } from '../../errors.ts';
import { printJson } from '../../io.ts';
import { plain } from '../../output/text.ts';
import { loadFleet } from '../../reach/racks.ts';
import { hasIdentities, openSecrets, readValues } from './open-secrets.ts';

interface Options {
  json?: true;
  installHook?: true;
}

export function define(command: SkoloCommand): void {
  command
    .description(
      'Checks the files that git would commit in the racks repository. The command reports private keys and tokens in the racks directory and, if this workstation has an age identity, values from the store in any file. It also checks that .sops.yaml lists at least two recipients, and that each file in the store is encrypted for them. The git history is not checked. The exit code is 1 if there is a problem.',
    )
    .summary('check git for unencrypted secrets')
    .option(
      '--install-hook',
      'install a git hook that runs this command before each commit in this clone',
    )
    .option('--json', 'print JSON')
    .uses('clusters')
    .example('skolo secrets verify');

  command.interruptible(async (signal, { installHook: isToInstall, json }: Options) => {
    const { io } = command;
    const fleet = await loadFleet(command);
    const kube = resolve(dirname(fleet.file), '..');
    const { installHook, verifyRepository } = await import('@skolo/fleet/secret-store');
    const git = { folder: kube, env: io.env, signal };
    if (isToInstall) {
      io.err(`${await installHook(git)}: runs skolo secrets verify before each commit`);
      return;
    }
    const all = { stores: new Set([join(kube, 'sops')]), values: new Map<string, Secret>() };
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
    const given = { ...git, kube, stores, forbidden: [...forbidden], values: all.values };
    const findings = await verifyRepository(given);
    if (findings.length > 0) io.exitCode = exitCodes.failed;
    if (json) return printJson(io, { findings, searchedForValues: canOpen });
    for (const { file, line, problem } of findings) {
      io.out(plain(line === undefined ? `${file}: ${problem}` : `${file}:${line}: ${problem}`));
    }
    if (!canOpen)
      complain(
        io,
        'no age identity was found, so files were not searched for values from encrypted stores',
      );
    io.out(
      findings.length > 0 ? count(findings.length, 'problem') : 'no unencrypted secrets found',
    );
  });
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
