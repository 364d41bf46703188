/** All racks at once: which can be reached, and what they run. */
import { asError, parseJson } from '@skolo/errors';
import { z } from 'zod';
import type { FleetRack } from './clusters.ts';
import { FleetError } from './errors.ts';
import { startGuardian } from './guardian.ts';
import { remoteCommand } from './remote-command.ts';
import { Tunnel } from './tunnel.ts';

export interface RackReport {
  rack: FleetRack;
  /** Of the API server. */
  version?: string;
  /** Why it cannot be reached. */
  error?: Error;
}

interface SurveyDeps {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

/** Each ssh needs some 10 MB. */
const atOnce = 20;
/** For one rack. */
const limitMs = 20_000;

/** In the order of the racks. A rack that does not answer delays no other. @throws The signal's reason. */
export async function surveyRacks(
  racks: readonly FleetRack[],
  deps: SurveyDeps,
): Promise<RackReport[]> {
  const reports: RackReport[] = [];
  const waiting = racks.entries();
  async function next() {
    for (const [at, rack] of waiting) reports[at] = await surveyRack(rack, deps);
  }
  await Promise.all(Array.from({ length: atOnce }, next));
  deps.signal.throwIfAborted();
  return reports;
}

const Version = z.object({ serverVersion: z.object({ gitVersion: z.string() }) });

async function surveyRack(rack: FleetRack, { env, signal }: SurveyDeps): Promise<RackReport> {
  // gcloud is slow, and asks for a sign-in.
  if (rack.type === 'gke') return { rack };
  const { name, ways } = rack;
  const guardian = await startGuardian(env);
  const tunnel = new Tunnel({
    ...{ name, ways, guardian, env },
    mayAsk: false,
    onConnected() {},
    onLost() {},
  });
  const late = new FleetError('UNREACHABLE', `${name}: no answer in ${limitMs / 1000} s`);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(late), limitMs);
  const both = AbortSignal.any([signal, limit.signal]);
  try {
    await tunnel.start(both);
    const command = 'sudo -n k3s kubectl version -o json';
    const args = await tunnel.sshArguments(both);
    const { code, stdout, stderr } = await remoteCommand(args, command, { env, signal: both });
    const found = Version.safeParse(parseJson(stdout)).data?.serverVersion.gitVersion;
    if (code === 0 && found !== undefined) return { rack, version: found };
    const last = stderr.split('\n').at(-1);
    const message = `${name}: the API server does not answer (${last}); see \`systemctl status k3s\` on the jumphost`;
    return { rack, error: new FleetError('API_DOWN', message) };
  } catch (error) {
    return { rack, error: asError(error) };
  } finally {
    clearTimeout(timer);
    await tunnel.close();
    await guardian.close();
  }
}
