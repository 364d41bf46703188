/** Upgrades the k3s server, and decides when it is rolled back: the workstation's part. The rest is `server-script.ts`, on the jumphost. */
import { errorText, parseJson, pause } from '@skolo/base';
import { architectureOf } from '@skolo/setup/debian';
import { ComputerError, type Host, linesOf, type Step, writeDiffering } from '@skolo/setup/engine';
import {
  installedVersion,
  type K3sOptions,
  k3sProgram,
  releaseOf,
  renewUnit,
} from '../program/unit.ts';
import { isOlder, wayThrough, whyNoUpgrade } from '../program/version.ts';
import { airgapImages, imagesFolder } from '../server/server.ts';
import { Health, type HealthDeps, readHealth, untilAsWell } from './health.ts';
import { folder, ServerState, serverFiles, unit } from './server-script.ts';

interface ServerNeeds extends Pick<K3sOptions, 'download'> {
  /** In their order. */
  versions: readonly string[];
  /** Name of the jumphost's node. */
  node: string;
  /** `ann@desk: REASON` */
  by: string;
  health: HealthDeps;
  /** Prevents others from changing the rack meanwhile. */
  underLease(work: () => Promise<void>): Promise<void>;
  /** Time for a version to start, including importing its images, in seconds. Default 10 min. */
  startSeconds?: number;
}

interface Found {
  state: ServerState | undefined;
  to: string;
  why: string;
  isActive: boolean;
}

const about: Partial<Record<ServerState, string>> = {
  begin: 'stopping k3s and copying its database, certificates and token',
  switching: 'installing the new version',
  starting: 'starting the new version',
  returning: 'rolling back to the previous version and its database',
};

/**
 * Checks that these versions are a valid upgrade path, and that no other upgrade is in progress.
 *
 * @param versions in order; empty: it is not upgraded
 */
export function versionStep(versions: readonly string[]): Step {
  const last = versions.at(-1);
  return {
    name: 'k3s-version',
    about: last === undefined ? 'no upgrade is in progress' : `k3s can be upgraded to ${last}`,
    async check(host) {
      const from = await runningVersion(host);
      const { state, to, why: fault } = await find(host);
      if (state === 'broken') {
        const how = `restore ${folder}/snapshot manually, start k3s, and delete ${folder}/state`;
        return { differs: [`the rollback of an upgrade to ${to} failed (${fault}); ${how}`] };
      }
      if (isOpen(state)) {
        return {
          differs: versions.includes(to)
            ? []
            : [
                `an upgrade to ${to} is unfinished; run the command with --k3s ${to} first to finish it`,
              ],
          note: `${to}: ${state}`,
        };
      }
      const why = whyNoUpgrade(from, versions);
      const note = wayThrough(from, versions).join(' → ');
      return { differs: why === undefined ? [] : [why], note };
    },
  };
}

async function runningVersion(host: Host): Promise<string> {
  const version = await installedVersion(host);
  if (version !== undefined) return version;
  throw new ComputerError(`${host.name}: k3s is not installed; run skolo jumphost prepare`);
}

/** Upgrades the server through these versions in order, each as a separate step. */
export function serverSteps(needs: ServerNeeds): Step[] {
  const { versions } = needs;
  return versions.map((version, at) => {
    const step = serverStep(needs, version, versions[at - 1]);
    return versions.length === 1 ? step : { ...step, name: `${step.name} ${version}` };
  });
}

/**
 * The server has this version or a newer one, and the rack is as healthy as before.
 *
 * @param before the version that the previous step installs
 */
function serverStep(needs: ServerNeeds, version: string, before?: string): Step {
  return {
    name: 'k3s-server',
    about: `the k3s server runs ${version}, and the rack is as healthy as before`,
    async check(host) {
      const { state, to } = await find(host);
      if (isOpen(state) && to === version) {
        return { differs: [`an upgrade to ${version} is unfinished: ${state}`] };
      }
      const is = await runningVersion(host);
      if (!isOlder(is, version)) return { differs: [], note: is };
      const from = before !== undefined && isOlder(is, before) ? before : is;
      return { differs: [`${from} → ${version}`] };
    },
    async apply(host) {
      // Without a lease, because the jumphost continues independently and the API server may be down.
      const isBegun = isOpen((await find(host)).state);
      if (isBegun) await follow(host, needs);
      await needs.underLease(async () => {
        if (!isBegun) await startUpgrade(host, needs, version);
        const ended = await follow(host, needs);
        if (ended === 'ready') await judge(host, needs, version);
        else if (ended !== 'done') throw await failure(host, ended, version);
      });
    },
  };
}

/** If the rack is not as healthy as before, it rolls back. */
async function judge(host: Host, needs: ServerNeeds, version: string): Promise<void> {
  const faults = await untilAsWell(host, await healthBefore(host), needs.health);
  if (faults.length === 0) {
    await enter(host, 'done', `rm -rf ${folder}/new`);
    return;
  }
  await host.need(`cat > ${folder}/why && sync ${folder}/why`, { input: `${faults.join(', ')}\n` });
  await enter(host, 'returning');
  throw await failure(host, await follow(host, needs), version);
}

function isOpen(state: ServerState | undefined): boolean {
  return state !== undefined && !['done', 'rejected', 'returned', 'broken'].includes(state);
}

async function find(host: Host): Promise<Found> {
  const text = await host.need(
    `cd ${folder} 2>/dev/null || exit 0
cat state 2>/dev/null || echo
(to=; if [ -e plan ]; then . ./plan; fi; echo "$to")
systemctl is-active ${unit}
cat why 2>/dev/null || true`,
  );
  const [state, to = '', activity = '', ...why] = text.split('\n');
  return {
    state: ServerState.safeParse(state).data,
    to,
    why: linesOf(why.join('\n')).join('; '),
    isActive: activity === 'active' || activity === 'activating',
  };
}

/** Copies all files and the previous health data, and starts the upgrade on the jumphost. */
async function startUpgrade(host: Host, needs: ServerNeeds, version: string): Promise<void> {
  const { node, by, startSeconds = 600 } = needs;
  const { report } = needs.health;
  const from = await runningVersion(host);
  const why = whyNoUpgrade(from, [version]);
  if (why !== undefined) throw new ComputerError(`${host.name}: ${why}`);
  const architecture = await architectureOf(host);
  const release = releaseOf(architecture, version);
  const images = airgapImages(architecture);
  report(`downloading ${version}`);
  const program = await k3sProgram(architecture, { version, download: needs.download });
  const archive = await needs.download(release, images);
  report(`copying ${version} to the jumphost`);
  await host.need(
    `mkdir -p -m 0700 ${folder} ${folder}/new ${imagesFolder} && rm -f ${folder}/state ${folder}/why`,
  );
  await writeDiffering(host, [
    { path: `${folder}/new/k3s`, content: program, mode: 0o755 },
    { path: `${folder}/new/images`, content: archive },
    ...serverFiles({ from, to: version, node, seconds: startSeconds, by, images }),
  ]);
  const health = await readHealth(host, needs.health);
  await renewUnit(host, 'server');
  await host.write({ path: `${folder}/before.json`, content: JSON.stringify(health), mode: 0o600 });
  await host.need(`systemctl daemon-reload && systemctl enable --quiet ${unit}`);
  await enter(host, 'begin');
}

async function healthBefore(host: Host): Promise<Health> {
  const file = `${folder}/before.json`;
  const text = (await host.read(file)) ?? '';
  const before = Health.safeParse(parseJson(text));
  if (before.success) return before.data;
  throw new ComputerError(
    `${host.name}: ${file} is ${text === '' ? 'missing or empty' : 'damaged'}, so the rack's health before the upgrade is unknown; check skolo status. On the jumphost, run echo done > ${folder}/state to keep the new version, or echo returning > ${folder}/state to roll back. Then run this command again`,
  );
}

/** @param also runs first */
async function enter(host: Host, state: ServerState, also = 'true'): Promise<void> {
  await host.need(also);
  await host.write({ path: `${folder}/state`, content: `${state}\n` });
}

const lookMs = 1000;

/** Lets the jumphost continue until it requires the workstation or has finished. Reconnects if the connection drops. */
async function follow(
  host: Host,
  { health: { report, signal } }: ServerNeeds,
): Promise<ServerState> {
  let said: string | undefined;
  for (;;) {
    try {
      const { state, isActive } = await find(host);
      if (state === undefined) throw new ComputerError(`${host.name}: ${folder}/state is missing`);
      if (state === 'ready' || !isOpen(state)) return state;
      if (!isActive) await host.need(`systemctl start ${unit}`);
      if (state !== said) report(about[state] ?? state);
      said = state;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ComputerError) || error.code !== 'LOST') throw error;
      report(errorText(error));
    }
    await pause(lookMs, signal);
  }
}

async function failure(host: Host, state: ServerState, version: string): Promise<ComputerError> {
  const { why } = await find(host);
  const texts: Partial<Record<ServerState, string>> = {
    rejected: 'nothing was changed',
    returned: 'the previous version is running again, with its database',
    broken: `the rollback failed; restore ${folder}/snapshot manually, and run journalctl -u k3s on the jumphost for details`,
  };
  return new ComputerError(`${host.name}: ${version}: ${why}; ${texts[state] ?? state}`);
}
