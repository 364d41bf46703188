/**
 * The script that configures a fresh system in all methods of customisation. It is on the boot partition and runs at the
 * first boot, as root. It may be interrupted and run again.
 */

import { inFront, script, shellWord, withVariables } from '@skolo/base';
import type { TextFile } from '@skolo/setup/engine';
import { noSwap } from './no-swap.ts';

/** On the boot partition. */
export const setupFile = 'skolo-setup.sh';
export const programFile = 'skolo-k3s';
export const tokenFile = 'skolo-token';
/** The secret of a shared image. */
export const secretFile = 'skolo-secret';
/** Enrolment files, on the root partition. */
export const stateFolder = '/var/lib/skolo-enrol';
/** The error, for somebody who reads the SD card elsewhere. */
export const errorFile = 'skolo-error.txt';
/** Where Raspberry Pi OS since Bookworm, Ubuntu and Debian mount it. */
export const bootFolder = '/boot/firmware';

/** Of a shell. */
export const putFunction = `# put PATH MODE: writes standard input completely or not at all.
put() {
  mkdir -p "$(dirname "$1")" && cat > "$1.skolo-new" && chmod "$2" "$1.skolo-new" && mv -f "$1.skolo-new" "$1"
}
`;

/** Of a shell, with `log` and `failed`. */
export const stepFunction = `step() {
  echo "$1" >> "$log"
  # Not before \`||\`, because a shell ignores \`set -e\` there.
  ( set -e; "$1" ) >> "$log" 2>&1
  [ $? = 0 ] || { failed="$failed $1"; echo "$1 failed" >> "$log"; }
}
`;

interface ScriptNeeds {
  files: readonly TextFile[];
  /** SHA-256 of the k3s binary; undefined: it does not join a cluster. */
  programSha256: string | undefined;
  /** Wi-Fi is used. */
  hasWifi: boolean;
  /** Enrolment units. */
  units: readonly string[];
}

/** `sh skolo-setup.sh [--no-start]`: without starting services, if the computer reboots anyway. */
export function setupScript({ files, programSha256, hasWifi, units }: ScriptNeeds): string {
  const joins = programSha256 !== undefined;
  const started = ['skolo-clock.service', ...(joins ? ['k3s-agent.service'] : []), ...units];
  const steps = ['files', 'no_swap', ...(hasWifi ? ['wifi'] : []), ...(joins ? ['k3s'] : [])];
  const functions = [
    `${putFunction}${stepFunction}`,
    `files() {\n${files.map(putText).join('\n')}\n}`,
    `no_swap() {\n${noSwap}}\n`,
  ].join('\n');
  return withVariables(inFront(script(new URL('./setup.sh', import.meta.url)), functions), {
    steps: [...steps, 'services'].join(' '),
    started: started.join(' '),
    program_sha256: programSha256 ?? '',
    program_file: programFile,
    token_file: tokenFile,
    secret_file: secretFile,
    state_folder: stateFolder,
    error_file: errorFile,
  });
}

/** The delimiter cannot be a line in these files. */
const mark = 'END_OF_SKOLO_FILE';

function putText({ path, content, mode }: TextFile): string {
  const text = content.endsWith('\n') ? content : `${content}\n`;
  return `put ${shellWord(path)} ${mode.toString(8)} <<'${mark}'\n${text}${mark}`;
}
