/**
 * A power-cycle daemon that runs on a machine for as long as it is needed: where the daemon on the jumphost cannot help, since it
 * is the jumphost that has to be switched.
 */
import { relative } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Rack } from '@skolo/rack';
import { type RackSecret, rackSecrets } from '@skolo/rack/secrets';
import type { SeenFrom } from '@skolo/rack/seen-from';
import type { Secret } from '@skolo/secrets';
import { z } from 'zod';
import { FleetError } from './errors.ts';
import type { Jumphost } from './open-jumphost.ts';

export interface DaemonPlace {
  /** Node and the program of the daemon. */
  program: readonly [string, string];
  /** For its files; secrets among them. Removed when it ends. */
  folder: string;
  /** For its journal, which stays: the next daemon there finishes what this one cannot. */
  state: string;
}

/** Where `skolo jumphost prepare` has put it, or the commands of docs/new-rack.md. */
export const usualPlace: DaemonPlace = {
  program: ['/usr/bin/node', '/opt/skolo/services/power-cycle-daemon/dist/main.js'],
  folder: '/run/skolo-jumphost-power',
  state: '/var/lib/skolo/jumphost-power',
};

export interface DaemonOnMachine {
  /** As the machine reaches it. */
  url: string;
  /** Ends it; what it has turned off comes on before. */
  stop(signal: AbortSignal): Promise<void>;
}

/** It ends by itself, also when nobody can reach it any more. */
const mostSeconds = 3600;

const Listening = z.object({ msg: z.literal('listening'), port: z.number() });

/** What a daemon needs to switch the jumphost. */
export interface DaemonNeeds {
  /** rack.yaml, a file of tokens, secrets: by their paths. */
  files: ReadonlyMap<string, string>;
  /** Secrets that rack.yaml takes from the environment. */
  variables: ReadonlyMap<string, string>;
}

/**
 * Only secrets of the devices that feed the jumphost are among it.
 *
 * @param tokens content of its file of tokens
 * @param readValue reads a secret, and throws where there is none
 */
export async function daemonNeeds(
  { sections, rack, jumphost }: SeenFrom,
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

/** Whether it opens a device with an outlet of the machine. */
function isOf(rack: Rack, machine: string): (secret: RackSecret) => boolean {
  const devices = (rack.machines.get(machine)?.power ?? []).map(({ device }) => device);
  const own = new Set(devices.map((device) => rack.infrastructure.get(device)?.login));
  return ({ logins, where }) =>
    logins.some((login) => own.has(login)) ||
    devices.some((device) => where.some((each) => each.startsWith(`infrastructure.${device}.`)));
}

/**
 * Starts it, and waits until it serves. It goes on without us. One that runs there already is stopped first, and the new one
 * continues from its journal.
 *
 * @param machine the way to it
 * @throws FleetError It does not start; the message has the reason.
 */
export async function startDaemonOn(
  machine: Pick<Jumphost, 'startOnJumphost'>,
  needs: DaemonNeeds,
  signal: AbortSignal,
  place: DaemonPlace = usualPlace,
): Promise<DaemonOnMachine> {
  const printed = await runScript(machine, startScript(needs, place), signal);
  const line = printed.split('\n').find((each) => each.includes('"listening"')) ?? '';
  const { port } = Listening.parse(JSON.parse(line));
  return {
    url: `http://127.0.0.1:${port}`,
    async stop(stopSignal) {
      await runScript(machine, `${head(place)}\nend_former\n`, stopSignal);
    },
  };
}

/** All of it goes by standard input, since secrets are in it. */
async function runScript(
  machine: Pick<Jumphost, 'startOnJumphost'>,
  script: string,
  signal: AbortSignal,
): Promise<string> {
  const options = { stdio: ['pipe', 'pipe', 'pipe'] } as const;
  const child = await machine.startOnJumphost('sh -s', options, signal);
  const end = () => void child.kill('SIGHUP');
  signal.addEventListener('abort', end, { once: true });
  try {
    const { stdin, stdout, stderr } = child;
    if (!stdin || !stdout || !stderr) throw new TypeError('expected three pipes');
    stdin.on('error', () => {});
    stdin.end(script);
    const ended = new Promise((resolve) => child.once('close', resolve));
    const [out, errors, code] = await Promise.all([text(stdout), text(stderr), ended]);
    signal.throwIfAborted();
    if (code !== 0) throw new FleetError('NO_DAEMON', errors.trim() || `sh exited with ${code}`);
    return out;
  } finally {
    signal.removeEventListener('abort', end);
  }
}

function head({ folder, state }: DaemonPlace): string {
  return `set -eu
umask 077
run=${quoted(folder)} state=${quoted(state)}
end_former() {
  [ -f "$run/pid" ] || return 0
  pid=$(cat "$run/pid")
  # The group of its shell, which removes the folder.
  kill -s TERM -- "-$pid" 2>/dev/null || :
  tries=150
  while kill -0 "$pid" 2>/dev/null; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "the daemon there (process $pid) does not end" >&2; exit 1; }
    sleep 0.2
  done
}`;
}

function startScript({ files, variables }: DaemonNeeds, place: DaemonPlace): string {
  const [node, main] = place.program;
  const written = [...files].map(
    ([path, content]) => `mkdir -p "$(dirname "$run"/${quoted(path)})"
${decoded(content)} > "$run"/${quoted(path)}`,
  );
  const set = [...variables].map(([name, value]) => `${name}=$(${decoded(value)}); export ${name}`);
  return `${head(place)}
for each in ${quoted(node)} ${quoted(main)}; do
  [ -e "$each" ] || { echo "there is no $each on this machine; skolo jumphost prepare installs it" >&2; exit 1; }
done
end_former
rm -rf "$run"
mkdir -p "$run" "$state"
${[...written, ...set].join('\n')}
# A group of its own: it goes on when this session ends. The shell outlives the daemon, and removes its files.
setsid sh -c '
  trap : TERM
  timeout --foreground --signal=TERM "$1" "$2" "$3" --rack "$4/rack.yaml" --state-dir "$5" --host 127.0.0.1 --port 0 --metrics-port 0
  rm -rf "$4"
' skolo-jumphost-power ${mostSeconds} ${quoted(node)} ${quoted(main)} "$run" "$state" > "$run/log" 2>&1 < /dev/null &
pid=$!
echo "$pid" > "$run/pid"
tries=150
until grep '"listening"' "$run/log"; do
  tries=$((tries - 1))
  if [ "$tries" -le 0 ] || ! kill -0 "$pid" 2>/dev/null; then
    cat "$run/log" >&2 || :
    kill -s TERM -- "-$pid" 2>/dev/null || :
    echo "the daemon does not start on this machine" >&2
    exit 1
  fi
  sleep 0.2
done
`;
}

/** A command of the shell itself, so that the value is in no list of processes. */
function decoded(value: string): string {
  return `printf '%s' ${quoted(Buffer.from(value).toString('base64'))} | base64 -d`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
