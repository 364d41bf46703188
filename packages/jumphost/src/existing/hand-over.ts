/** A service goes back to units of a former system, and forward again, by skolo-fallback on the jumphost. */
import { shellWord } from '@skolo/base';
import { type Host, JumphostError, linesOf } from '@skolo/computers';
import { findPredecessors } from './predecessors.ts';

const program = '/usr/local/sbin/skolo-fallback';
/** Of all its waits, and the timer that it may have to wait for. */
const deadlineMs = 900_000;
const usageCode = 2;

export interface HandOver {
  service: string;
  /** Of a former system; none: those that run, or have run before. */
  units: readonly string[];
  /** To `former` units, or `give` it to k3s. */
  verb: 'former' | 'give';
}

/**
 * Each step of it may be interrupted: a second run finishes it, and two power controllers never run at once.
 *
 * @returns what it reports
 * @throws JumphostError Nothing is changed, or what serves now does not answer; the message says which.
 */
export async function handOver(host: Host, { service, units, verb }: HandOver): Promise<string[]> {
  const meant = units.length > 0 ? units : await runningUnits(host, service);
  const words = [program, verb, service, ...meant].map(shellWord).join(' ');
  const { code, stdout, stderr } = await host.run(
    `[ -x ${program} ] || { echo 'there is no ${program}' >&2; exit ${usageCode}; }
${words}`,
    { deadlineMs },
  );
  if (code === 0) return linesOf(stdout);
  if (code === usageCode) {
    const [why = ''] = linesOf(stderr);
    throw new JumphostError(`${host.name}: ${why}; skolo jumphost prepare brings its programs`);
  }
  throw new JumphostError(`${host.name}: ${linesOf(stdout).join('; ') || stderr}`);
}

async function runningUnits(host: Host, service: string): Promise<string[]> {
  const found = await findPredecessors(host);
  return found.flatMap((each) =>
    each.service === service && each.unit !== undefined ? [each.unit] : [],
  );
}
