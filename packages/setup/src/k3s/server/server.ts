/** Installs the k3s server: settings, images, program, unit; how long it may take to become ready. */

import { k3sTokenFile } from '@skolo/rack/secrets';
import { type Architecture, architectureOf } from '@skolo/setup/debian';
import {
  differingFiles,
  type FileContent,
  type Host,
  linesOf,
  localFile,
  type Step,
  writeDiffering,
} from '@skolo/setup/engine';
import { configStep } from '../program/config.ts';
import { networkScript } from '../program/node-network.ts';
import {
  binary,
  installBinary,
  installedVersion,
  isFailing,
  type K3sOptions,
  lastErrors,
  platforms,
  releaseOf,
  startMs,
  unitDiffers,
  unitFile,
  writeUnit,
} from '../program/unit.ts';

export const imagesFolder = '/var/lib/rancher/k3s/agent/images';

const state = '/var/lib/rancher/k3s/server';

/** The file with k3s's own images. */
export function airgapImages(architecture: Architecture): string {
  return `k3s-airgap-images-${platforms[architecture]}.tar.zst`;
}

/** With it, k3s imports only what has changed. */
const cache = `${imagesFolder}/.cache.json`;

/**
 * A jumphost's required keys, and lists that must contain these values. kube/README.md contains the reasons.
 *
 * @param state the cluster's initial settings, which cannot be changed later
 */
function settingsOf(
  { name, address, labels = [] }: ServerPlace,
  { isNew, isEncrypted, hasToken }: Record<'isNew' | 'isEncrypted' | 'hasToken', boolean>,
): Record<string, unknown> {
  return {
    ...((isNew || isEncrypted) && { 'secrets-encryption': true }),
    ...(isNew && hasToken && { 'token-file': k3sTokenFile }),
    'node-name': name,
    'node-ip': address,
    'node-label': labels,
    'tls-san': [name, address],
  };
}

/** Name and address of a k3s server. */
export interface ServerPlace {
  name: string;
  address: string;
  /** The labels with which it registers its node. */
  labels?: readonly string[];
}

/** A server's /etc/rancher/k3s/config.yaml. */
export function k3sConfigStep(place: ServerPlace): Step {
  return configStep({
    about: 'secrets are encrypted, and the name and address match rack.yaml',
    role: 'server',
    settings: (host) => serverSettings(host, place),
  });
}

/** Keys that this server requires now. */
async function serverSettings(host: Host, place: ServerPlace) {
  const is = async (test: string) => (await host.run(`[ ${test} ]`)).code === 0;
  return settingsOf(place, {
    isNew: await is(`! -e ${state}/db`),
    isEncrypted: await is(`-e ${state}/cred/encryption-config.json`),
    hasToken: await is(`-e ${k3sTokenFile}`),
  });
}

/** Images on disk, for starting without an internet connection: those of k3s, and ours if a file is specified. */
export function imagesStep(
  options: K3sOptions,
  { own, rack }: { own: string | undefined; rack: string },
): Step {
  let files: Promise<FileContent[]> | undefined;
  const wanted = (host: Host) => {
    files ??= imageFiles(host, options, own, rack);
    return files;
  };
  return {
    name: 'images',
    about: `the k3s${own === undefined ? '' : ' and skolo'} images are in ${imagesFolder}`,
    async check(host) {
      const differs = await differingFiles(host, await wanted(host));
      const said = await host.need(`[ -e ${cache} ] || echo '${cache} is missing'`);
      return { differs: [...differs, ...linesOf(said)] };
    },
    async apply(host) {
      await writeDiffering(host, await wanted(host));
      await host.need(`touch ${cache} && sync ${cache}`);
    },
  };
}

async function imageFiles(
  host: Host,
  options: K3sOptions,
  own: string | undefined,
  rack: string,
): Promise<FileContent[]> {
  const architecture = await architectureOf(host);
  const running = await installedVersion(host);
  const release = releaseOf(architecture, running ?? options.version);
  const name = airgapImages(architecture);
  const ofK3s = { path: `${imagesFolder}/${name}`, content: await options.download(release, name) };
  if (own === undefined) return [ofK3s];
  const end = own.endsWith('.zst') ? 'tar.zst' : 'tar';
  return [ofK3s, { path: `${imagesFolder}/skolo-${rack}.${end}`, content: await localFile(own) }];
}

/** Runs the server. An installed version stays. */
export function k3sStep(options: K3sOptions): Step {
  return {
    name: 'k3s',
    about: `k3s is running (a new installation gets ${options.version})`,
    waitsFor: 'k3s and its API server',
    async check(host) {
      const version = await installedVersion(host);
      if (version === undefined) return { differs: [`${binary} is missing`] };
      const missing = await host.need(eachTool('echo "$each is missing"'));
      // A power cut may have prevented them, because the unit starts automatically.
      const differs = [...linesOf(missing), ...(await unitDiffers(host, 'server'))];
      if (differs.length > 0) return { differs };
      const why = await whyNotReady(host);
      return {
        differs: why === undefined ? [] : [`the API server is not ready: ${why}`],
        note: version,
      };
    },
    async apply(host) {
      if ((await installedVersion(host)) === undefined) await installBinary(host, options);
      const environment = { path: `${unitFile('server')}.env`, content: '', mode: 0o600 };
      if ((await host.read(environment.path)) === undefined) await host.write(environment);
      await writeUnit(host, 'server');
      await host.need(
        `${eachTool('ln -sf k3s "/usr/local/bin/$each"')}
if [ -z "$(${networkScript} check)" ]; then systemctl start k3s.service; else systemctl restart k3s.service; fi || ${failed('did not start')}`,
        { deadlineMs: startMs },
      );
      await untilReady(host);
    },
  };
}

/** A script with this command for each k3s tool that the shell does not find. */
function eachTool(command: string): string {
  return `for each in kubectl crictl ctr; do command -v "$each" > /dev/null || ${command}; done`;
}

/** A script that ends with the last errors of k3s. */
function failed(how: string): string {
  return `{ ${lastErrors('server')}
  echo 'k3s ${how}; run journalctl -u k3s to see why' >&2; exit 1; }`;
}

/** Waits at most five minutes. @throws ComputerError It did not become ready. */
export async function untilReady(host: Host): Promise<void> {
  await host.need(
    `${isFailing('server')}
uptime_now() { cut -d . -f 1 /proc/uptime; }
end=$(($(uptime_now) + 300))
until ${ready} > /dev/null 2>&1; do
  ! is_failing || ${failed('keeps exiting')}
  [ "$(uptime_now)" -lt "$end" ] || ${failed('is running, but its API server did not become ready within 5 min')}
  sleep 2
done`,
    { deadlineMs: startMs },
  );
}

const ready = `timeout 10 ${binary} kubectl get --raw /readyz`;

async function whyNotReady(host: Host): Promise<string | undefined> {
  const { code, stderr } = await host.run(ready);
  return code === 0 ? undefined : stderr.split('\n').at(-1) || 'no response';
}
