/** Devices reached over the network, with the system's ssh: no local shell, one remote command per reading. */
import { join } from 'node:path';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import type { AttachedDevice, Device, DeviceDeps, DeviceReading, Dimensions } from './device.ts';
import { CallFailed, complaint, excerpt, Missing, retried, WrongEntry } from './look.ts';
import { readSysfsSensors } from './parse/linux.ts';
import { linesOf, readUptime } from './parse/text.ts';

interface Ssh {
  /** Runs a `sh` script on it. @throws Missing, CommandFailed */
  do(script: string, signal: AbortSignal): Promise<string>;
  /** The connection may end with the device. @throws Missing, CommandFailed */
  reboot(signal: AbortSignal): Promise<void>;
}

const longestConnect = 15;
/** ssh's own exit status for its errors. */
const ownFailure = 255;
const rejectedLogin = /permission denied|too many authentication failures/i;
const changedHostKey = /host key verification failed|identification has changed/i;
/** By ssh, sshd and nologin, which a restart does not change. */
const noAccess = /unable to negotiate|password change required|account is currently not available/i;
const neverConnected =
  /refused|denied|timed out|no route|unreachable|verification failed|identification|resolve|bad /i;

export function createSsh(
  device: AttachedDevice,
  { run, settings, stateDir, sshSignIns }: DeviceDeps,
): Ssh {
  const knownHosts = join(stateDir, 'known_hosts');

  async function attempt(script: string, signal: AbortSignal) {
    const { address } = device;
    if (address === undefined) {
      throw new WrongEntry('no address; add `address:` to its entry in rack.yaml');
    }
    const { ssh } = settings();
    const login = JSON.stringify([ssh.user, address, ssh.port, ssh.privateKey]);
    const paused = sshSignIns.pausedWhy(login);
    if (paused !== undefined) throw new Missing(paused, 'needs-person');
    const args = sshArguments(address, knownHosts, ssh, script);
    const timeoutMs = ssh.commandSeconds * 1000;
    const result = await run('ssh', args, { timeoutMs, signal });
    const output = complaint(result);
    if (result.status === ownFailure && rejectedLogin.test(output)) {
      const { message, code } = failureOf(output, knownHosts);
      throw new Missing(sshSignIns.reject(login, message), code);
    }
    if (result.status !== ownFailure) sshSignIns.accept(login);
    return result;
  }

  return {
    async do(script, signal) {
      const result = await attempt(script, signal);
      if (result.status === 0) return result.stdout;
      throw failureOf(complaint(result), knownHosts);
    },
    async reboot(signal) {
      const { user } = settings().ssh;
      const result = await attempt(user === 'root' ? 'reboot' : 'sudo -n reboot', signal);
      const output = complaint(result);
      // The connection went down with the device.
      const wasCut = result.status === ownFailure && !neverConnected.test(output);
      if (result.status === 0 || wasCut) return;
      throw failureOf(output, knownHosts);
    },
  };
}

/** The user's own configuration is ignored, nothing is prompted, and no address can be an option. */
export function sshArguments(
  address: string,
  knownHosts: string,
  ssh: { user: string; port: number; privateKey?: string | undefined; commandSeconds: number },
  script: string,
): string[] {
  const connectSeconds = Math.max(1, Math.min(longestConnect, Math.floor(ssh.commandSeconds)));
  const options = [
    'BatchMode=yes',
    `ConnectTimeout=${connectSeconds}`,
    'StrictHostKeyChecking=accept-new',
    `UserKnownHostsFile=${quoted(knownHosts)}`,
    'GlobalKnownHostsFile=/dev/null',
    'UpdateHostKeys=no',
    'LogLevel=ERROR',
    'ControlPath=none',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
    ...(ssh.privateKey === undefined
      ? []
      : ['IdentitiesOnly=yes', `IdentityFile=${quoted(ssh.privateKey)}`]),
  ];
  const settings = options.flatMap((option) => ['-o', option]);
  const login = ['-p', String(ssh.port), '-l', ssh.user];
  return ['-F', '/dev/null', '-T', ...settings, ...login, '--', address, script];
}

/** As ssh_config(5) requires paths: `%` starts a token, blanks end the path. */
function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}

function failureOf(output: string, knownHosts: string): CallFailed {
  const why = whyForPerson(output, knownHosts);
  return why === undefined ? new CallFailed(`ssh: ${output}`) : new CallFailed(why, 'needs-person');
}

/** What only a person can change; undefined: anything else. */
function whyForPerson(output: string, knownHosts: string): string | undefined {
  if (changedHostKey.test(output)) {
    return `the host key has changed; if the device was reinstalled, remove this host's line from ${knownHosts}`;
  }
  if (rejectedLogin.test(output)) {
    return `the device rejects this machine's SSH key (${output}); add the public key of \`ssh.privateKey\` to the device's authorized_keys`;
  }
  if (!noAccess.test(output)) return undefined;
  return `ssh: ${output}; on the device, change the account or the settings of sshd`;
}

const marker = '--- skolo ---';
/** A separate line after each part. */
const ends = new RegExp(`^${marker}$\\n?`, 'm');

/** Temperatures and battery, if the remote kernel reports any. */
const sensorsScript =
  'grep -H . /sys/class/thermal/thermal_zone*/type /sys/class/thermal/thermal_zone*/temp /sys/class/power_supply/*/type /sys/class/power_supply/*/scope /sys/class/power_supply/*/capacity';

/**
 * A device that is read by one script: its uptime, its sensors, and the parts of its kind. Each part may fail separately.
 *
 * @param read the dimensions, from the output of each part
 */
export function sshDevice(
  device: AttachedDevice,
  deps: DeviceDeps,
  parts: readonly string[],
  read: (outputs: readonly string[]) => Dimensions,
): Device {
  const ssh = createSsh(device, deps);
  const writeForTasks = sshMachineFile(device, deps);
  const script = ['cat /proc/uptime', sensorsScript, ...parts]
    .map((part) => `${part} 2>/dev/null`)
    .join(`; echo '${marker}'; `);

  async function readAll(signal: AbortSignal): Promise<DeviceReading> {
    await writeForTasks();
    const lines = linesOf(await ssh.do(`${script}; true`, signal));
    const [uptime = '', sensors = '', ...outputs] = lines.join('\n').split(ends);
    const uptimeSeconds = readUptime(uptime);
    if (uptimeSeconds === undefined)
      throw new Missing(`the device did not report a valid uptime: "${excerpt(uptime)}"`);
    return { dimensions: read(outputs), ...readSysfsSensors(sensors), uptimeSeconds };
  }

  return {
    read: retried(readAll),
    repairs: { 'device-reboot': (signal) => ssh.reboot(signal) },
  };
}

const usualPath = '/tmp/ssh_machine.json';

/**
 * Where the scripts of Skia's tasks look up the device that they must reach by ssh: `{"user_ip": "root@192.168.1.60"}`. The returned
 * function writes it once, and again if it was deleted. It never fails: the device also works without it.
 */
function sshMachineFile(
  { address }: AttachedDevice,
  { settings, sshMachineFile: path = usualPath, log }: DeviceDeps,
): () => Promise<void> {
  let written: string | undefined;
  return async () => {
    if (address === undefined) return;
    const about = {
      Comment: "Written by this machine's agent. Changes to this file will be lost.",
      user_ip: `${settings().ssh.user}@${address}`,
    };
    const text = `${JSON.stringify(about)}\n`;
    try {
      const isThere = (await readFileIfExists(path)) !== undefined;
      if (isThere && written === text) return;
      await writeFileAtomic(path, text, { mode: 0o644 });
      written = text;
    } catch (error) {
      if (written !== '')
        log.warn({ err: error, path }, 'device address could not be written for tasks');
      written = '';
    }
  };
}
