/**
 * Scripts of a Pi with a shared image, which requests its identity from the jumphost, and retries. The scripts use curl and openssl,
 * which Raspberry Pi OS and Ubuntu contain. The endpoint is machine-state, whose API is described in packages/api/src/enrolment.ts.
 */
import { inFront, script, withVariables } from '@skolo/base';
import type { TextFile } from '@skolo/setup/engine';
import { agentFiles } from '@skolo/setup/k3s';
import { stringify } from 'yaml';
import type { PiSetup } from '../setup.ts';
import { waitsAlone } from './clock.ts';
import type { Method } from './customization.ts';
import { netplanOf, networkManagerFiles } from './network.ts';
import { bracketed, hostsOf, nameFile, textFile } from './root-files.ts';
import { putFunction, stateFolder } from './setup-script.ts';

export const enrolUnits = ['skolo-enrol.service', 'skolo-lockdown.path', 'skolo-lockdown.service'];
/** Programs that a base image must contain. */
export const enrolPrograms = ['curl', 'openssl'];

const templates = '/usr/local/share/skolo-enrol';
const enrolScript = '/usr/local/sbin/skolo-enrol';
const lockdownScript = '/usr/local/sbin/skolo-lockdown';

const common = script(new URL('./enrol-common.sh', import.meta.url));
const values = { state_folder: stateFolder, name_file: nameFile, templates };
const enrol = withVariables(
  inFront(script(new URL('./enrol.sh', import.meta.url)), `${common}${putFunction}`),
  values,
);
const lockdown = withVariables(
  inFront(script(new URL('./lockdown.sh', import.meta.url)), common),
  values,
);

/** Files that only a shared image contains. */
export function commonFiles(setup: PiSetup, method: Method): TextFile[] {
  const { cluster, enrolment } = setup;
  if (cluster === undefined || enrolment === undefined) return [];
  const words = `https://${bracketed(cluster.server)}:${enrolment.port} ${enrolment.pin}`;
  return [
    textFile(enrolScript, enrol, 0o755),
    textFile(lockdownScript, lockdown, 0o755),
    textFile('/etc/systemd/system/skolo-enrol.service', enrolUnit(words)),
    textFile('/etc/systemd/system/skolo-lockdown.path', lockdownPath),
    textFile('/etc/systemd/system/skolo-lockdown.service', lockdownUnit(words)),
    // Otherwise a connected phone gets a new pairing before the previous one is restored.
    textFile(
      '/etc/systemd/system/usbmuxd.service.d/50-skolo.conf',
      `# Written by skolo.\n[Unit]\nConditionPathExists=${nameFile}\n`,
    ),
    ...templateFiles(setup, method),
  ];
}

/** Files of a machine, with placeholders for its name and address. */
function templateFiles(setup: PiSetup, method: Method): TextFile[] {
  const { cluster, enrolment } = setup;
  const [name, address] = ['@NAME@', '@ADDRESS@'];
  const every = [
    textFile('/etc/hosts', hostsOf({ ...setup, identity: { ...setup.identity, hostname: name } })),
    ...agentFiles({ machine: { name, address }, server: cluster?.server ?? '' }),
  ];
  const under = (folder: string, files: readonly TextFile[]) =>
    files.map((each) => ({ ...each, path: `${templates}/${folder}${each.path}` }));
  const { subnet } = enrolment ?? {};
  if (subnet === undefined) return under('every', every);
  const fixed = {
    ...setup,
    wifi: 'off' as const,
    identity: { hostname: name, wired: { address, ...subnet } },
  };
  const content = stringify(netplanOf(fixed, method));
  const network = method.startsWith('cloud-init')
    ? // Wi-Fi is in the file of cloud-init, which has a smaller number.
      [{ path: '/etc/netplan/60-skolo.yaml', content, mode: 0o600 }]
    : networkManagerFiles(fixed);
  return [...under('every', every), ...under('fixed', network)];
}

function enrolUnit(words: string): string {
  return `# Written by skolo.
[Unit]
Description=skolo: enrolment of this computer
${waitsAlone}
Wants=network-online.target
After=network-online.target cloud-final.service
ConditionPathExists=!/var/lib/rancher/k3s/agent/client-kubelet.crt
[Service]
Type=exec
ExecStart=${enrolScript} ${words}
Restart=on-failure
RestartSec=60
[Install]
WantedBy=multi-user.target
`;
}

const lockdownPath = `# Written by skolo.
[Unit]
Description=skolo: watch pairing records of iPhones
[Path]
PathChanged=/var/lib/lockdown
MakeDirectory=true
[Install]
WantedBy=multi-user.target
`;

/** Also at each boot, because an attempt may have failed. */
function lockdownUnit(words: string): string {
  return `# Written by skolo.
[Unit]
Description=skolo: save pairing records of iPhones on the jumphost
${waitsAlone}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0
[Service]
Type=oneshot
ExecStart=${lockdownScript} ${words}
Restart=on-failure
RestartSec=300
[Install]
WantedBy=multi-user.target
`;
}
