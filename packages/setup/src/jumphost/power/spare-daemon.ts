/**
 * Starts a temporary power-cycle daemon on a machine, for when the daemon on the jumphost cannot be used because
 * the jumphost itself must be switched.
 */

import { join, relative } from 'node:path/posix';
import { script, shellWord, withArguments } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { loginToRead, type Rack } from '@skolo/rack';
import type { DaemonRack } from '@skolo/rack/edit';
import { type RackSecret, rackSecrets } from '@skolo/rack/secrets';
import type { Host } from '@skolo/setup/engine';
import { z } from 'zod';

export interface DaemonPlace {
  /** Node and the program of the daemon. */
  program: readonly [string, string];
  /** For its files, including secrets. Removed when it ends. */
  folder: string;
  /** For its journal, which stays, so that the next daemon on the machine finishes what this one cannot. */
  state: string;
}

/** Where `skolo jumphost prepare` or the commands in docs/adopt/new-rack.md installed it. */
const usualPlace: DaemonPlace = {
  program: ['/usr/bin/node', '/opt/skolo/services/power-cycle-daemon/dist/main.js'],
  folder: '/run/skolo-jumphost-power',
  state: '/var/lib/skolo/jumphost-power',
};

/** It ends automatically, even when nobody can reach it any more. */
const mostSeconds = 3600;

const Listening = z.object({ msg: z.literal('listening'), port: z.number() });

/** Everything that a daemon requires to switch the jumphost. */
interface DaemonNeeds {
  /** rack.yaml, a token file and secrets, by path. */
  files: ReadonlyMap<string, string>;
  /** Secrets that rack.yaml reads from the environment. */
  variables: ReadonlyMap<string, string>;
}

/**
 * It contains only the secrets of devices that feed the jumphost.
 *
 * @param tokens content of its token file
 * @param readValue reads a secret, and throws if it does not exist
 */
export async function daemonNeeds(
  { sections, rack, jumphost }: DaemonRack,
  tokens: string,
  readValue: (secret: RackSecret) => Promise<Secret>,
): Promise<DaemonNeeds> {
  const access = { tokens: { file: 'tokens.yaml' } };
  const files = new Map([
    ['rack.yaml', JSON.stringify({ ...sections, access })],
    [access.tokens.file, tokens],
  ]);
  const variables = new Map<string, string>();
  for (const secret of rackSecrets(rack).filter(isOf(rack, jumphost))) {
    const value = (await readValue(secret)).reveal();
    for (const { unit, path, variable } of secret.files) {
      if (unit !== 'skolo-power-cycle-daemon.service') continue;
      if (variable === undefined) files.set(relative(unitFolder, path), value);
      else variables.set(variable, value);
    }
  }
  return { files, variables };
}

const unitFolder = '/etc/skolo/power-cycle-daemon';

/** Whether it is used for a device with one of the machine's outlets. */
function isOf(rack: Rack, machine: string): (secret: RackSecret) => boolean {
  const devices = (rack.machines.get(machine)?.power ?? []).map(({ device }) => device);
  const own = new Set(
    devices.flatMap((name) => {
      const device = rack.equipment.get(name);
      return device === undefined ? [] : [device.login, loginToRead(rack, device, 'outlets')];
    }),
  );
  return ({ logins, where }) =>
    logins.some((login) => own.has(login)) ||
    devices.some((device) => where.some((each) => each.startsWith(`equipment.${device}.`)));
}

/**
 * Starts it, and waits until it serves requests. It keeps running without this process. A running one is stopped first, and the new one
 * continues from its journal.
 *
 * @returns its URL, as the machine reaches it
 * @throws ComputerError It does not start; the message contains the reason.
 */
export async function startSpareDaemon(
  machine: Host,
  { files, variables }: DaemonNeeds,
  place: DaemonPlace = usualPlace,
): Promise<string> {
  const [node, main] = place.program;
  const { folder } = place;
  await machine.need(`for each in ${shellWord(node)} ${shellWord(main)}; do
  [ -e "$each" ] || { echo "$each is missing; run skolo jumphost prepare" >&2; exit 1; }
done`);
  await stopSpareDaemon(machine, place);
  await machine.need(`rm -rf ${shellWord(folder)} && mkdir -p -m 0700 ${shellWord(folder)}`);
  const set = [...variables].map(([name, value]) => `export ${name}=${shellWord(value)}\n`);
  for (const [path, content] of [...files, ['environment', set.join('')] as const]) {
    await machine.write({ path: join(folder, path), content, mode: 0o600 });
  }
  const start = script(new URL('./start-daemon.sh', import.meta.url));
  const printed = await machine.need(
    withArguments(start, mostSeconds, node, main, folder, place.state),
  );
  const line = printed.split('\n').find((each) => each.includes('"listening"')) ?? '';
  return `http://127.0.0.1:${Listening.parse(JSON.parse(line)).port}`;
}

/** Stops it if it is running, after turning on what it has turned off. @throws ComputerError */
export async function stopSpareDaemon(
  machine: Host,
  { folder }: DaemonPlace = usualPlace,
): Promise<void> {
  await machine.need(`[ -f ${shellWord(join(folder, 'pid'))} ] || exit 0
pid=$(cat ${shellWord(join(folder, 'pid'))})
# Signals the process group of its shell, which removes the folder.
kill -s TERM -- "-$pid" 2>/dev/null || exit 0
left=150
while kill -0 "$pid" 2>/dev/null; do
  left=$((left - 1))
  [ "$left" -gt 0 ] || { echo "the daemon (process $pid) does not stop" >&2; exit 1; }
  sleep 0.2
done`);
}
