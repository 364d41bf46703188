/**
 * Switches ports of a machine's own USB hub: through its agent, or else by uhubctl over ssh.
 *
 *     rpi-1: { kind: rpi, address: 192.168.1.101, login: machines, device: { kind: android, power: usb/1-1.2 } }
 *
 * Requests to the agent are signed; the login's user and key are for ssh. That user must be able to run uhubctl by sudo without a password:
 * `pi ALL=(root) NOPASSWD: /usr/sbin/uhubctl`. uhubctl 2.5.0 or newer.
 *
 * Verified with: our simulator of machine and agent, behind a real ssh server; its uhubctl is written from the source of 2.5.0, and its
 * usage and errors were compared with Debian's program.
 *
 * Oddities. Exit status 0 means nothing: a hub may ignore a command, and a missing port is not an error. So only the output counts, and
 * only for that hub and that port. A hub without real switches shows a port as off while it still has power; this is detected if a device
 * is still connected, or the USB 3 half still on. Hubs in Raspberry Pis are identified by their model: all ports that share power are
 * switched together, unless rack.yaml marks the port as verified.
 */
import { ApiError, ApiUnreachable, createClient, type Signer, swarmingClientApi } from '@skolo/api';
import { errorText } from '@skolo/base';
import {
  type DriverDeps,
  type OutletReading,
  type OutletState,
  oneByOne,
  outletDriver,
  type PowerDriver,
  readBriefly,
} from '@skolo/equipment/models/outlets';
import {
  type DeviceError,
  DeviceRejected,
  DeviceUnreachable,
  type ExecSession,
  openExec,
  SignInRejected,
} from '@skolo/equipment/transports';
import { type Machine, parseUsbPort, type UsbPort } from '@skolo/rack';
import { portIn, switchedWith, uhubctlArgs, whyUhubctlFailed } from '@skolo/rack/light';

export interface UsbHubDeps extends DriverDeps {
  /** Undefined: it has none. */
  agentUrl: string | undefined;
  /** For requests to the agent. @throws Error There is no key to sign with. */
  signer: () => Promise<Signer>;
}

/** `off-alone`: only if no other port shares its power. */
type Action = OutletState | 'off-alone';

/** A machine that is up responds immediately, and ssh remains for one that does not. */
const agentTimeoutMs = 3000;
/** Strangers have root on the machine: a long answer is not read. */
const agentMostBytes = 64 * 1024;
/** `-r 100` takes 2 s for each half of the hub. */
const commandTimeoutMs = 15_000;

type HubMachine = Pick<Machine, 'name' | 'address' | 'ports' | 'devices'>;

export function createUsbHub(machine: HubMachine, deps: UsbHubDeps): PowerDriver {
  const { name } = machine;
  const hub = new UsbHub(machine, deps);
  const portOf = (outlet: string): UsbPort => {
    const port = parseUsbPort(outlet);
    if (port === undefined) throw new DeviceRejected(name, `no USB port ${JSON.stringify(outlet)}`);
    return port;
  };
  const driver = outletDriver(name, {
    key: portOf,
    read: oneByOne((port: UsbPort, signal) => hub.ask(port, undefined, signal)),
    set: async (port, state, signal) => void (await hub.ask(port, state, signal)),
  });
  return {
    ...driver,
    async turnOff(outlet, signal, alone) {
      await hub.ask(portOf(outlet), alone ? 'off-alone' : 'off', signal);
    },
  };
}

class UsbHub {
  private readonly machine: HubMachine;
  private readonly deps: UsbHubDeps;
  /** Ports that were switched with a port, to turn them on where the hub cannot be read. */
  private readonly together = new Map<string, readonly number[]>();

  constructor(machine: HubMachine, deps: UsbHubDeps) {
    this.machine = machine;
    this.deps = deps;
  }

  /** @param action undefined: only reads it */
  async ask(
    port: UsbPort,
    action: Action | undefined,
    signal: AbortSignal,
  ): Promise<OutletReading> {
    let answer: OutletReading | DeviceError;
    try {
      answer = await this.askAgent(port, action, signal);
    } catch (error) {
      signal.throwIfAborted();
      answer = rejectionOf(this.machine.name, error);
    }
    if ('state' in answer) return answer;
    try {
      return await this.askSsh(port, action, signal);
    } catch (error) {
      signal.throwIfAborted();
      // A rejection by the agent is more informative than a missing ssh server.
      throw answer instanceof DeviceUnreachable ? error : answer;
    }
  }

  private async askAgent(
    { hub, port }: UsbPort,
    action: Action | undefined,
    signal: AbortSignal,
  ): Promise<OutletReading> {
    const { name } = this.machine;
    const { deps } = this;
    if (deps.agentUrl === undefined) throw new DeviceUnreachable(name, 'no agent');
    const signer = await deps.signer().catch((error: unknown) => {
      throw new DeviceUnreachable(name, `the agent was not queried: ${errorText(error)}`);
    });
    const client = createClient(swarmingClientApi, {
      baseUrl: deps.agentUrl,
      timeoutMs: agentTimeoutMs,
      mostBytes: agentMostBytes,
      signer,
    });
    const params = { hub, port };
    const what = { on: action === 'on', ...(action === 'off-alone' && { alone: true }) };
    const body = { ...what, why: 'requested by the power-cycle daemon' };
    const answer =
      action === undefined
        ? await client.usbPort({ params, signal })
        : await client.setUsbPort({ params, body, signal });
    if (answer.hub === hub && answer.port === port) return { state: answer.on ? 'on' : 'off' };
    throw new DeviceRejected(name, `the agent reports port ${answer.hub}.${answer.port} instead`);
  }

  private askSsh(port: UsbPort, action: Action | undefined, signal: AbortSignal) {
    const { name } = this.machine;
    const isAlone = action === 'off-alone' || this.isVerified(port);
    return this.deps.sessions.use(
      name,
      (either) => this.openSsh(either),
      async (session, either) => {
        const uhubctl = async (step?: OutletState, ports?: readonly number[]) => {
          const command = `sudo -n uhubctl ${uhubctlArgs(port, step, ports).join(' ')}`;
          const limits = { signal: either, timeoutMs: commandTimeoutMs };
          const { status, stdout, stderr } = await session.exec(command, limits);
          const why = whyUhubctlFailed(status, stderr);
          if (why !== undefined) {
            throw new DeviceRejected(name, `${JSON.stringify(command)}: ${why}`);
          }
          const reading = portIn(stdout, port);
          if (reading) return { reading, ports: switchedWith(stdout, port, isAlone) };
          if (status === undefined)
            throw new DeviceUnreachable(name, `"${command}" did not finish`);
          throw new DeviceRejected(
            name,
            `uhubctl does not list port ${port.port} of hub ${port.hub}`,
          );
        };
        if (action === undefined) return (await uhubctl()).reading;
        const isOn = action === 'on';
        const found = await (isOn ? readBriefly(name, either, () => uhubctl()) : uhubctl());
        const key = JSON.stringify(port);
        const ports = found?.ports ?? this.together.get(key);
        if (ports) this.together.set(key, ports);
        return (await uhubctl(isOn ? 'on' : 'off', ports)).reading;
      },
      signal,
    );
  }

  private async openSsh(signal: AbortSignal): Promise<ExecSession> {
    const { name, address, ports } = this.machine;
    if (address === undefined)
      throw new DeviceRejected(name, 'rack.yaml does not specify its address');
    const credentials = await this.deps.credentials();
    if (credentials.username === undefined) {
      throw new SignInRejected(
        name,
        'rack.yaml does not specify an SSH login with a user for the machine',
      );
    }
    const target = { name, address, port: ports.ssh ?? 22, credentials };
    return openExec(target, { hostKeys: this.deps.hostKeys }, signal);
  }

  private isVerified({ hub, port }: UsbPort): boolean | undefined {
    return this.machine.devices.find(
      ({ power }) =>
        power !== undefined && 'hub' in power && power.hub === hub && power.port === port,
    )?.powerVerified;
  }
}

/** The result of asking the agent. */
function rejectionOf(name: string, error: unknown): DeviceError {
  if (error instanceof ApiUnreachable) {
    return new DeviceUnreachable(name, `agent: ${error.message}`, { cause: error });
  }
  if (error instanceof DeviceRejected || error instanceof DeviceUnreachable) return error;
  if (!(error instanceof ApiError)) throw error;
  const { status, problem } = error;
  const what = `the agent rejected the request: ${problem.detail.slice(0, 500)}`;
  return status === 401 || status === 403
    ? new SignInRejected(name, what, { cause: error })
    : new DeviceRejected(name, what, { cause: error });
}
