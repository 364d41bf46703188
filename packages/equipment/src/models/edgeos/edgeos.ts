/**
 * Ubiquiti EdgeRouter (EdgeOS): PoE ports, over ssh.
 *
 *     router: { model: edgeos, address: 192.168.1.1, login: router, portCount: 5 }
 *     logins: { router: { username: skolo, privateKey: secrets/id_ed25519 } }    # a user of level admin
 *
 * Verified with: our simulator, which OpenSSH has also connected to. Netmiko (2.4.2, `vyos`) commits in configuration mode, not through the
 * wrapper. Reading the saved configuration is only tested with texts.
 *
 * A port supplies 24 V, 48 V or nothing, without detecting the connected device, which the wrong voltage destroys. So a port is only turned
 * on in its previous mode: the last one read, otherwise the one in the saved configuration. If neither is known, it stays off, and the
 * error says so; `auto` is never assumed.
 *
 * Changes are committed but not saved: after a reboot, ports are as in the saved configuration. The driver waits for other users' commits
 * (DeviceBusy). Failures appear in the output, whatever the exit status. No watts are reported.
 *
 * Sources: vyatta-cfg, scripts/vyatta-cfg-cmd-wrapper; EdgeOS user guide, "PoE"; scripts of users.
 */

import { DeviceBusy, DeviceRejected } from '@skolo/equipment/transports';
import type { Device } from '../contract/device.ts';
import {
  type DriverDeps,
  driverKind,
  type OutletDriver,
  readBriefly,
} from '../contract/outlets.ts';
import { outputOf, type Shell, shellOf, shortened } from '../families/command-line/session.ts';
import { findRow } from '../families/command-line/table.ts';
import { linuxConnectedHosts, vyattaLeases } from '../families/unix/linux-connected-hosts.ts';
import { settingsIn, splitVersions, valueIn } from '../families/vyatta/configuration.ts';

export const outlets = driverKind({ model: 'edgeos', automaticRepair: false, create });

const wrapper = '/opt/vyatta/sbin/vyatta-cfg-cmd-wrapper';
const activeValue = '/bin/cli-shell-api returnActiveValue';
const listPorts = '/opt/vyatta/bin/vyatta-op-cmd-wrapper show interfaces ethernet poe';
const savedConfiguration = 'cat /config/config.boot';
const onModes: ReadonlySet<string> = new Set(['24v', '24v-4pair', '48v', 'auto', 'pthru']);
/** A commit takes a few seconds on small models. */
const commitMs = 20_000;

function create(device: Device, deps: DriverDeps): OutletDriver<string> {
  const use = shellOf(device, deps);

  return {
    key: (outlet) => outlet,
    isMode: (mode) => onModes.has(mode),
    async read(ports, signal) {
      const outputs = await use((shell) => readOutputs(shell, ports), signal);
      return (port) => {
        const output = outputs.get(port);
        if (output === undefined)
          throw new DeviceRejected(
            device.name,
            `${port} has no PoE, or its poe output is not valid`,
          );
        return output === 'off' ? { state: 'off' } : { state: 'on', mode: output };
      };
    },
    async set(port, state, signal, mode) {
      await use(async (shell) => {
        const on = async () => mode ?? (await knownMode(shell, port, signal));
        await setOutput(shell, port, state === 'on' ? await on() : 'off');
      }, signal);
    },
  };
}

/** The committed setting, by port; those that are not valid, or of ports without PoE, are missing. */
async function readOutputs(shell: Shell, ports: readonly string[]): Promise<Map<string, string>> {
  const command = ports
    .map((port) => {
      const ask = `${activeValue} interfaces ethernet ${port} poe output`;
      return `echo "port ${port}"; ${ask}; echo " status $?"`;
    })
    .join('; ');
  const [, ...answers] = (await outputOf(shell, command)).split(/^port (\S+)\r?$/m);
  const outputs = new Map<string, string>();
  let list: string | undefined;
  for (const port of ports) {
    const said = answers[answers.indexOf(port) + 1] ?? '';
    const [, output = '', status] = /^(\S*) status (\d+)\r?$/m.exec(said) ?? [];
    if (status === '0' && (output === 'off' || onModes.has(output))) outputs.set(port, output);
    if (status !== '1' || output !== '') continue;
    // Not configured: off, if the port supports PoE at all.
    list ??= await outputOf(shell, listPorts);
    if (findRow(list, port) !== undefined) outputs.set(port, 'off');
  }
  return outputs;
}

async function setOutput(shell: Shell, port: string, output: string): Promise<void> {
  const { device } = shell;
  const change = `${wrapper} set interfaces ethernet ${port} poe output ${output}`;
  // A session of the configuration system belongs to the shell that starts it.
  const command = `${wrapper} begin; ${change} && ${wrapper} commit; status=$?; ${wrapper} end; exit $status`;
  const { stdout, stderr, status } = await shell.exec(command, { timeoutMs: commitMs });
  const printed = shortened(`${stdout} ${stderr}`);
  if (/locked|commit in progress/i.test(printed)) throw new DeviceBusy(device, printed);
  const hasFailed = /failed|not valid|not supported|error/i.test(printed);
  if (!hasFailed && (status === 0 || /already exists/i.test(printed))) return;
  throw new DeviceRejected(device, `did not set poe output of ${port} to ${output}: ${printed}`);
}

/** The value of `interfaces ethernet PORT poe output` in config.boot; undefined if there is none, or the file is incomplete. */
export function savedPoeOutput(configuration: string, port: string): string | undefined {
  const settings = settingsIn(splitVersions(configuration).body);
  if (typeof settings === 'string') return undefined;
  return valueIn(settings, `interfaces ethernet ${port} poe output`);
}

/** The mode in which to turn on a port whose previous mode is unknown. */
async function knownMode(shell: Shell, port: string, signal: AbortSignal): Promise<string> {
  const look = <T>(read: () => Promise<T>) => readBriefly(shell.device, signal, read);
  const committed = (await look(() => readOutputs(shell, [port])))?.get(port);
  if (committed !== undefined && onModes.has(committed)) return committed;
  const { stdout = '', status } = (await look(() => shell.exec(savedConfiguration))) ?? {};
  const saved = status === 0 ? savedPoeOutput(stdout, port) : undefined;
  if (saved !== undefined && onModes.has(saved)) return saved;
  const what =
    `the voltage for ${port} is unknown, and the wrong voltage could destroy the attached device; ` +
    `turn the port on once at the router (set interfaces ethernet ${port} poe output 24v or 48v)`;
  throw new DeviceRejected(shell.device, what);
}

/**
 * Ubiquiti EdgeRouter (EdgeOS).
 *
 * Verified with: its simulator only, whose texts are those of vyatta-cfg; RANCID can also read it.
 * rack.yaml: `router: { model: edgeos, address: 192.168.1.1, login: router, export: file }`; a user of level admin.
 * Quirks: `show configuration` hides secrets, but the command that `save` uses does not. A commit with confirmation requires `system
 * config-management commit-revisions`, and is rolled back by a reboot to the saved configuration. Not included: other files in /config,
 * such as keys and certificates in /config/auth.
 * Source: vyatta-cfg (vyatta-save-config.pl, vyatta-load-config.pl), vyatta-config-mgmt; EdgeOS user guide.
 */

export { backup } from '../families/vyatta/backup.ts';

/**
 * Ubiquiti EdgeRouter: see families/unix/linux-connected-hosts.ts. The kernel does not report the ports of its switch chip, `switch0`.
 *
 * Leases: verified with our simulator only, in the form of recorded sessions.
 */
export const connectedHosts = linuxConnectedHosts([
  vyattaLeases('show dhcp leases', 'Client Name'),
]);
