/**
 * Keys that may sign in as a session's user, in authorized_keys of OpenSSH and dropbear on Linux. Commands for a POSIX shell. Each is
 * idempotent, and replaces the file with one rename.
 */
import { DeviceRejected, type ExecSession } from '@skolo/equipment/transports';

interface Edit {
  /** `ssh-ed25519 AAAA…` */
  key: string;
  /** Directory of authorized_keys, for a shell. */
  folder: string;
}

export async function addKey(
  session: ExecSession,
  device: string,
  { key, comment, folder }: Edit & { comment: string },
  signal: AbortSignal,
): Promise<void> {
  const edit = `grep -qF '${checked(key)}' "$new" && exit
[ -z "$(tail -c 1 "$new")" ] || echo >> "$new"
echo '${checked(`${key} ${comment}`)}' >> "$new"`;
  await run(session, device, folder, edit, signal);
}

/** Removes a key, if `kept` exists. */
export async function removeKey(
  session: ExecSession,
  device: string,
  { key, kept, folder }: Edit & { kept: string },
  signal: AbortSignal,
): Promise<void> {
  const edit = `grep -qF '${checked(kept)}' "$new" || { echo 'the new key is not in authorized_keys' >&2; exit 1; }
grep -qF '${checked(key)}' "$new" || exit 0
grep -vF '${checked(key)}' authorized_keys > "$new"`;
  await run(session, device, folder, edit, signal);
}

function checked(text: string): string {
  if (/^[\w+/=@.: -]+$/.test(text)) return text;
  throw new TypeError('not a public key');
}

/** @param edit changes the file `$new`, a copy */
async function run(
  session: ExecSession,
  device: string,
  folder: string,
  edit: string,
  signal: AbortSignal,
): Promise<void> {
  const script = `set -eu
umask 077
mkdir -p ${folder}
cd ${folder}
touch authorized_keys
new=$(mktemp authorized_keys.XXXXXX)
trap 'rm -f "$new"' EXIT
cp -p authorized_keys "$new"
${edit}
sync "$new" 2> /dev/null || sync
mv "$new" authorized_keys`;
  const { status, stderr } = await session.exec(script, { signal, timeoutMs: 30_000 });
  if (status === 0) return;
  const why = stderr.trim().split('\n').at(-1) || `exit status ${status}`;
  throw new DeviceRejected(device, `authorized_keys was not changed: ${why}`);
}
