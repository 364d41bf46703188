/**
 * Secret files on the jumphost, for systemd units and k3s. Values are sent over SSH on standard input, and the programs that use them
 * are shell built-ins or read them from there, so command lines never contain values.
 */

import { posix } from 'node:path';
import { script, sha256, withArguments } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { k3sTokenFile, type RackSecret } from '@skolo/rack/secrets';
import { FleetError } from '../errors.ts';
import { type FilePlace, stateOf } from './places.ts';

type Values = ReadonlyMap<string, Secret>;

/** The jumphost, as root. */
export interface JumphostShell {
  /** Runs a script that must succeed, and returns its output. Secrets are standard input. @throws Error It failed. */
  need(script: string, options?: { input: string }): Promise<string>;
}

interface FilesDeps {
  /** Name of the rack, for messages. */
  rack: string;
  host: JumphostShell;
  secrets: readonly RackSecret[];
  values: Values;
}

/** k3s's own token, since it first started. */
const ownToken = '/var/lib/rancher/k3s/server/token';
/** Shell functions: `is_another FILE` if its token's password differs from k3s's, which a full disk leaves empty. */
const tokens = `password() { sed 's/^K10.*:://; s/^server://'; }
is_another() { [ -s ${ownToken} ] && [ "$(password < "$1")" != "$(password < ${ownToken})" ]; }
`;

const read = script(new URL('./read.sh', import.meta.url));
const write = script(new URL('./write.sh', import.meta.url));
const add = script(new URL('./add.sh', import.meta.url));

/** @throws Error Of `host.need`. */
export async function compareFiles({
  host,
  secrets,
  values,
}: Omit<FilesDeps, 'rack'>): Promise<FilePlace[]> {
  const paths = new Set(secrets.flatMap(({ files }) => files.map(({ path }) => path)));
  const lines = (await host.need(readScript(paths))).split('\n');
  const absent = new Set<string>();
  const digests = new Map<string, string>();
  const variables = new Map<string, string>();
  for (const line of lines) {
    const [what = '', path = '', content = ''] = line.split(' ');
    if (what === 'absent') absent.add(path);
    else if (what === '=') variables.set(path, Buffer.from(content, 'base64').toString());
    else if (what !== '') digests.set(path, what);
  }
  return secrets.flatMap((secret) =>
    secret.files.map((at): FilePlace => {
      const value = values.get(secret.name);
      if (absent.has(at.path)) return { secret, at, state: 'not-installed' };
      if (at.variable === undefined) {
        return { secret, at, state: stateOf(value, digests.get(at.path)) };
      }
      const there = readVariables(variables.get(at.path) ?? '').get(at.variable);
      return { secret, at, state: stateOf(value, there && sha256(there)) };
    }),
  );
}

/**
 * Writes files that differ from the store. k3s's token is only added, because a different one would lock k3s out of its own
 * database.
 *
 * @throws FleetError @throws Error Of `host.need`.
 */
export async function applyToFiles(deps: FilesDeps): Promise<FilePlace[]> {
  const { values, rack, host } = deps;
  const before = await compareFiles(deps);
  const changes = before.filter(({ state }) => state === 'missing' || state === 'different');
  for (const { at, secret, state } of changes.filter(({ at }) => at.path === k3sTokenFile)) {
    if (state === 'different') {
      throw new FleetError(
        `${rack}: ${at.path} on the jumphost differs from the token in the secret store, or from k3s's current token; run \`k3s token rotate\` there, or save the token from ${ownToken} with skolo secrets set and delete ${at.path}`,
      );
    }
    const input = `${encoded(values.get(secret.name))}\n`;
    await host.need(`${tokens}${withArguments(add, at.path, ownToken)}`, { input });
  }
  const byFolder = Map.groupBy(
    changes.filter(({ at }) => at.path !== k3sTokenFile),
    ({ at }) => at.path.split('/').slice(0, 4).join('/'),
  );
  for (const [folder, places] of byFolder) {
    const input = places
      .filter(({ at }) => at.variable === undefined)
      .map(
        ({ at, secret }) =>
          `${posix.relative(folder, at.path)} ${encoded(values.get(secret.name))}\n`,
      );
    if (places.some(({ at }) => at.variable !== undefined)) {
      const file = `${folder}/environment`;
      const own = before.filter(({ at }) => at.path === file);
      input.push(`environment ${await environment(deps, file, own)}\n`);
    }
    const gid = places[0]?.at.gid ?? 0;
    await host.need(withArguments(write, folder, gid), { input: input.join('') });
  }
  return changes;
}

function encoded(value: Secret | undefined): string {
  return Buffer.from(value?.reveal() ?? '').toString('base64');
}

/** Variables from the store, and those that only the file contains. */
async function environment(
  { host, values }: FilesDeps,
  file: string,
  places: readonly FilePlace[],
): Promise<string> {
  const lines = await host.need(readScript([file]));
  const previous = /^= \S+ (\S*)$/m.exec(lines)?.[1] ?? '';
  const variables = readVariables(Buffer.from(previous, 'base64').toString());
  for (const { at, secret } of places) {
    const value = values.get(secret.name)?.reveal();
    if (value !== undefined && at.variable !== undefined) variables.set(at.variable, value);
  }
  // As skolo-fallback writes it: in double quotes of an EnvironmentFile (systemd.exec(5)).
  const text = [...variables]
    .map(([name, value]) => `${name}="${value.replace(/["\\$`]/g, '\\$&')}"\n`)
    .join('');
  return Buffer.from(text).toString('base64');
}

function readVariables(text: string): Map<string, string> {
  const found = text.matchAll(/^(\w+)="((?:[^"\\]|\\.)*)"$/gms);
  return new Map(
    [...found].map(([, name = '', value = '']) => [name, value.replace(/\\(.)/gs, '$1')]),
  );
}

function readScript(paths: Iterable<string>): string {
  return `${tokens}${withArguments(read, k3sTokenFile, ...paths)}`;
}
