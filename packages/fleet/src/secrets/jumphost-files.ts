/**
 * Secret files on the jumphost, for systemd units and k3s. Values are sent over SSH on standard input, and the programs that use them
 * are shell built-ins or read them from there, so command lines never contain values.
 */

import { posix } from 'node:path';
import { sha256, shellWord } from '@skolo/base';
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
const tokens = `
password() { sed 's/^K10.*:://; s/^server://'; }
is_another() { [ -s ${ownToken} ] && [ "$(password < "$1")" != "$(password < ${ownToken})" ]; }`;

/** Prints `absent PATH`, `DIGEST PATH`, `other PATH` for a token other than k3s's, or `= PATH VALUE` in base64 for a file of variables. */
const readScript = `${tokens}
for path; do
  case $path in
    # Needed before k3s is installed.
    ${k3sTokenFile}) folder=/etc ;;
    /etc/skolo/*/*) rest=\${path#/etc/skolo/}; folder=/etc/skolo/\${rest%%/*} ;;
    *) folder=\${path%/*} ;;
  esac
  [ -d "$folder" ] || { echo "absent $path"; continue; }
  [ -f "$path" ] || continue
  if [ "$path" = ${k3sTokenFile} ] && is_another "$path"; then echo "other $path"; continue; fi
  case $path in
    */environment) echo "= $path $(base64 -w 0 < "$path")" ;;
    *) digest=$(sha256sum < "$path") || exit 1; echo "\${digest%% *} $path" ;;
  esac
done`;

/**
 * Replaces a unit's files atomically, in the kubelet's layout that skolo-fallback also writes: links into a version
 * of the directory. Other files in the current version stay. Lines on standard input: PATH VALUE, in base64.
 */
const writeScript = `
set -eu
umask 077
cd "$1"
gid=$2
for entry in *; do
  [ -e "$entry" ] || continue
  [ -L "$entry" ] || { echo "$PWD/$entry was created manually and is left unchanged; move it elsewhere" >&2; exit 1; }
done
new=$(mktemp -d "..skolo-XXXXXXXX")
trap 'rm -rf "$new"' EXIT
old=$(readlink ..data || true)
[ -z "$old" ] || cp -a "$old/." "$new/"
while read -r path value; do
  mkdir -p "$new/$(dirname "$path")"
  rm -f "$new/$path"
  printf %s "$value" | base64 -d > "$new/$path"
done
chown -R "0:$gid" "$new"
if [ "$gid" = 0 ]; then mode=0400; else mode=0440; fi
find "$new" -type d -exec chmod 0750 {} +
find "$new" -type f -exec chmod "$mode" {} +
sync -f "$new"
ln -sfn "$new" ..data_next
mv -T ..data_next ..data
trap - EXIT
for entry in "$new"/*; do
  name=\${entry##*/}
  [ -L "$name" ] || ln -s "..data/$name" "$name"
done
[ -z "$old" ] || rm -rf "./$old"
sync -f .`;

/** Writes a file that must not exist yet. */
const addScript = `${tokens}
set -eu
(umask 022; mkdir -p "\${1%/*}")
umask 077
read -r value
new=$(mktemp "$1.XXXXXXXX")
trap 'rm -f "$new"' EXIT
printf %s "$value" | base64 -d > "$new"
if is_another "$new"; then
  echo 'k3s uses a different token from the one in the secret store; save the token in ${ownToken} with skolo secrets set, or run k3s token rotate there' >&2
  exit 1
fi
sync "$new"
ln "$new" "$1"`;

/** @throws Error Of `host.need`. */
export async function compareFiles({
  host,
  secrets,
  values,
}: Omit<FilesDeps, 'rack'>): Promise<FilePlace[]> {
  const paths = new Set(secrets.flatMap(({ files }) => files.map(({ path }) => path)));
  const lines = (await host.need(withArguments(readScript, ...paths))).split('\n');
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
    await host.need(withArguments(addScript, at.path), { input });
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
    const gid = String(places[0]?.at.gid ?? 0);
    await host.need(withArguments(writeScript, folder, gid), { input: input.join('') });
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
  const lines = await host.need(withArguments(readScript, file));
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

function withArguments(script: string, ...words: readonly string[]): string {
  return `set -- ${words.map(shellWord).join(' ')}\n${script}`;
}
