/** Fails services over to units of an existing system, and back, with skolo-fallback on the jumphost. */
import { shellWord } from '@skolo/base';
import { ComputerError, type Host, linesOf } from '@skolo/setup/engine';
import { findExisting } from './find.ts';

const program = '/usr/local/sbin/skolo-fallback';
/** Time limit for all its waits, including the timer. */
const deadlineMs = 900_000;
const usageCode = 2;

export interface FailOver {
  service: string;
  /** Units of an existing system; if empty, those that run or have run before. */
  units: readonly string[];
  /** The user and the workstation, for the jumphost's record. */
  by: string;
  /** To `existing` units, or with `fail-back` to k3s. */
  verb: 'existing' | 'fail-back';
}

/**
 * Each step may be interrupted: a second run finishes it, and two power controllers never run at the same time.
 *
 * @returns its report
 * @throws ComputerError Nothing was changed, or the active service does not respond; the message says which.
 */
export async function failOver(
  host: Host,
  { service, units, by, verb }: FailOver,
): Promise<string[]> {
  const meant = units.length > 0 ? units : await runningUnits(host, service);
  const words = [program, verb, service, ...meant].map(shellWord).join(' ');
  const { code, stdout, stderr } = await host.run(
    `[ -x ${program} ] || { echo '${program} is missing' >&2; exit ${usageCode}; }
SKOLO_OPERATOR=${shellWord(by)} ${words}`,
    { deadlineMs },
  );
  if (code === 0) return linesOf(stdout);
  if (code === usageCode) {
    const [why = ''] = linesOf(stderr);
    throw new ComputerError(
      `${host.name}: ${why}; run skolo jumphost prepare to install the programs`,
    );
  }
  throw new ComputerError(`${host.name}: ${linesOf(stdout).join('; ') || stderr}`);
}

async function runningUnits(host: Host, service: string): Promise<string[]> {
  const found = await findExisting(host);
  return found.flatMap((each) =>
    each.service === service && each.unit !== undefined ? [each.unit] : [],
  );
}
