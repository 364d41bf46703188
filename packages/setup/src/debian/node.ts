/** Decides which version of Node runs our services in systemd units, and installs the publisher's. */

import { createReadStream } from 'node:fs';
import { script, withArguments } from '@skolo/base';
import {
  ComputerError,
  type Download,
  type Host,
  type Release,
  type Step,
} from '@skolo/setup/engine';
import { architectureOf } from './system.ts';

/** Version for new installations: https://nodejs.org/dist */
export const nodeVersion = '24.21.0';
/**
 * SHA-256 of its archives (.tar.gz) by platform, from SHASUMS256.txt of that version. nodejs.org could not be reached when they were written
 * here: more than five public repositories that are independent of each other pin each of them.
 */
const nodeSums: ReadonlyMap<string, string> = new Map([
  ['linux-x64', '6e1db87ef58b8819e5d5402eff1536491b18edd8eb7bee5ef7897876e88dc5ff'],
  ['linux-arm64', '724282c3b43aec998aa9527380465b45d229e021b58035f5f4f63095eabfe5d5'],
]);

/** Required by our bundles. */
const leastMajor = 24;
const installed = '/usr/bin/node';
const folder = '/usr/local/lib/skolo/node';
/** The only platforms for which it is published. */
const platforms = { amd64: 'linux-x64', arm64: 'linux-arm64', armhf: undefined };

/** @param download of its release */
export function nodeStep(download: Download): Step {
  return {
    name: 'node',
    about: `Node ${leastMajor} or newer at ${installed}`,
    async check(host) {
      // Not --version, which even a damaged program may print.
      const { code, stdout } = await host.run(
        `[ -e ${installed} ] || exit 44; ${installed} -p process.version`,
      );
      const version = code === 0 ? /^v(\d+)\.\S+/.exec(stdout.trim()) : null;
      if (version === null)
        return { differs: [`${installed} ${code === 44 ? 'is missing' : 'cannot run'}`] };
      const [note] = version;
      const isNew = Number(version[1]) >= leastMajor;
      return { differs: isNew ? [] : [`${installed} is ${note}`], note };
    },
    async apply(host) {
      await rejectForeign(host);
      const architecture = await architectureOf(host);
      const platform = platforms[architecture];
      if (platform === undefined) {
        throw new ComputerError(`Node ${nodeVersion} is not published for ${architecture}`);
      }
      const name = `node-v${nodeVersion}-${platform}.tar.gz`;
      const release: Release = {
        name: `node-v${nodeVersion}`,
        url: `https://nodejs.org/dist/v${nodeVersion}`,
        sums: 'SHASUMS256.txt',
        known: nodeSums.get(platform),
      };
      const { file, sha256 } = await download(release, name);
      await host.need(unpackScript(sha256), {
        input: createReadStream(file),
        deadlineMs: 3_600_000,
      });
    },
  };
}

/** A Debian package would overwrite ours at its next update. */
async function rejectForeign(host: Host): Promise<void> {
  await host.need(`owner=$(dpkg-query -S ${installed} 2>/dev/null | cut -d: -f1)
[ -z "$owner" ] || { echo "${installed} is too old or damaged, and belongs to the Debian package $owner; remove the package (apt-get remove $owner) and try again" >&2; exit 1; }`);
}

function unpackScript(sha256: string): string {
  return withArguments(
    script(new URL('./unpack-node.sh', import.meta.url)),
    folder,
    `v${nodeVersion}`,
    installed,
    sha256,
  );
}
