/**
 * Locks a computer, so that one change at a time is made, and decides when a silent holder counts as gone. A second one is told who is
 * changing it.
 */

import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { pause, shellWord } from '@skolo/base';
import { ComputerError } from './errors.ts';
import type { Host } from './host/host.ts';

const folder = '/run/skolo-steps';
const holder = `${folder}/holder`;
const beatMs = 2000;
/** A workstation that is silent for this long counts as gone, because sshd may not notice an unplugged cable for hours. */
const silentSeconds = 15;
const busyCode = 75;
const dayMs = 86_400_000;

/**
 * Runs the work while this workstation holds the computer's lock. The lock ends with the workstation, its connection, or the computer.
 *
 * @param by who holds it, as text
 * @throws ComputerError Somebody else is changing it; the message says who.
 */
export async function withLock<T>(
  host: Host,
  { by, signal }: { by: string; signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  const id = randomUUID();
  const beats = new PassThrough();
  const beating = setInterval(() => beats.write('.'), beatMs);
  const over = new AbortController();
  let rejection: ComputerError | undefined;
  const held = host
    .run(lockScript(`${id} ${by}`), { input: beats, deadlineMs: dayMs })
    .then(
      ({ code, stdout, stderr }) => {
        if (code === busyCode) rejection = new ComputerError(busyText(host.name, stdout));
        else if (code !== 0) rejection = new ComputerError(`${host.name}: ${stderr}`);
      },
      // The work either fails or continues over a new connection.
      () => undefined,
    )
    .finally(() => over.abort());
  try {
    await untilSeen(host, id, AbortSignal.any([signal, over.signal]));
    signal.throwIfAborted();
    if (rejection !== undefined) throw rejection;
    return await work();
  } finally {
    clearInterval(beating);
    beats.end();
    await held;
  }
}

/** Waits until the file contains our name, or until the signal. */
async function untilSeen(host: Host, id: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (await host.run(`grep -q ${id} ${holder}`)).code !== 0) {
    await pause(200, signal).catch(() => undefined);
  }
}

function busyText(name: string, said: string): string {
  const [, ...by] = said.trim().split(' ');
  const who = by.length === 0 ? '' : ` (${by.join(' ')})`;
  return `${name}: another skolo command is changing this computer${who}; wait until it has finished, or stop it`;
}

/** Waits for a disappeared holder, and runs while it receives bytes. The lock ends with the file descriptor. */
function lockScript(who: string): string {
  return `mkdir -p ${folder} && exec 9>> ${folder}/lock || exit 1
flock -w ${silentSeconds + 5} 9 || { cat ${holder}; exit ${busyCode}; }
{ echo ${shellWord(who)} "since $(date -u +%Y-%m-%dT%H:%M:%SZ)" > ${holder}; } 2> /dev/null || { echo '${holder} cannot be written; free space in /run (df -h /run)' >&2; exit 1; }
while [ -n "$(timeout ${silentSeconds} head -c 1 9>&-)" ]; do :; done
rm -f ${holder}`;
}
