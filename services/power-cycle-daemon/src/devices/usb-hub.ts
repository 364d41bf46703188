/**
 * Ports of a machine's own USB hub: through the agent on it, else by uhubctl over ssh.
 *
 *     rpi-1: { kind: rpi, address: 192.168.1.101, login: machines, device: { kind: android, power: usb/1-1.2 } }
 *
 * Requests to the agent are signed; user and key of the login are for ssh. That user may run uhubctl by sudo without a password: `pi ALL=(root) NOPASSWD: /usr/sbin/uhubctl`. uhubctl 2.5.0 or newer.
 *
 * Proven against: own simulator of machine and agent, behind a real ssh server's protocol; its uhubctl is written from the
 * source of 2.5.0, and its usage and errors were compared with the program of Debian. Hardware: none.
 *
 * Oddities. Exit status 0 means nothing: a hub may ignore a command, and a port that is not there is no error. So the
 * output is what counts, and only for that hub and that port. A hub without real switches shows a port as off while power
 * stays on it; where a device is still connected, or the USB 3 half still on, that is seen. Those in Raspberry Pis are known by
 * their model: all ports that have power together are switched, unless rack.yaml has the port as verified.
 */
import { ApiError, ApiUnreachable, createClient, type Signer, swarmingClientApi } from '@skolo/api';
import { errorText } from '@skolo/base';
import {
  type DeviceError,
  DeviceRefused,
  DeviceUnreachable,
  type ExecSession,
  openExec,
  SignInRefused,
} from '@skolo/equipment';
import {
  type DriverDeps,
  type OutletReading,
  type OutletState,
  oneByOne,
  outletDriver,
  type PowerDriver,
} from '@skolo/models/outlets';
import { type Machine, parseUsbPort, type UsbPort } from '@skolo/rack';
import { portIn, switchedWith, uhubctlArgs, whyUhubctlFailed } from '@skolo/rack/light';

export interface UsbHubDeps extends DriverDeps {
  /** Undefined: it has none. */
  agentUrl: string | undefined;
  /** For requests to the agent. @throws Error There is no key to sign with. */
  signer: () => Promise<Signer>;
}

/** `off-alone`: no other port that has its power with it. */
type Action = OutletState | 'off-alone';

/** A machine that is up answers at once, and ssh is still there for one that does not. */
const agentTimeoutMs = 3000;
/** Strangers are root there: its answer is short, or is not read. */
const agentMostBytes = 64 * 1024;
/** `-r 100` takes 2 s for each half of the hub. */
const commandTimeoutMs = 15_000;

export function createUsbHub(
  machine: Pick<Machine, 'name' | 'address' | 'ports' | 'devices'>,
  deps: UsbHubDeps,
): PowerDriver {
  const { name } = machine;

  function portOf(outlet: string): UsbPort {
    const port = parseUsbPort(outlet);
    if (port === undefined) throw new DeviceRefused(name, `no USB port ${JSON.stringify(outlet)}`);
    return port;
  }

  function isVerified({ hub, port }: UsbPort): boolean | undefined {
    return machine.devices.find(
      ({ power }) =>
        power !== undefined && 'hub' in power && power.hub === hub && power.port === port,
    )?.powerVerified;
  }

  async function ask(port: UsbPort, action: Action | undefined, signal: AbortSignal) {
    let answer: OutletReading | DeviceError;
    try {
      answer = await askAgent(port, action, signal);
    } catch (error) {
      signal.throwIfAborted();
      answer = refusalOf(name, error);
    }
    if ('state' in answer) return answer;
    try {
      return await askSsh(port, action, signal);
    } catch (error) {
      signal.throwIfAborted();
      // The refusal of an agent counts more than an ssh that is not there.
      throw answer instanceof DeviceUnreachable ? error : answer;
    }
  }

  async function askAgent(
    { hub, port }: UsbPort,
    action: Action | undefined,
    signal: AbortSignal,
  ): Promise<OutletReading> {
    if (deps.agentUrl === undefined) throw new DeviceUnreachable(name, 'it has no agent');
    const signer = await deps.signer().catch((error: unknown) => {
      throw new DeviceUnreachable(name, `its agent was not asked: ${errorText(error)}`);
    });
    const client = createClient(swarmingClientApi, {
      baseUrl: deps.agentUrl,
      timeoutMs: agentTimeoutMs,
      mostBytes: agentMostBytes,
      signer,
    });
    const params = { hub, port };
    const what = { on: action === 'on', ...(action === 'off-alone' && { alone: true }) };
    const body = { ...what, why: 'the power-cycle daemon was asked to' };
    const answer =
      action === undefined
        ? await client.usbPort({ params, signal })
        : await client.setUsbPort({ params, body, signal });
    if (answer.hub === hub && answer.port === port) return { state: answer.on ? 'on' : 'off' };
    throw new DeviceRefused(
      name,
      `its agent answers for port ${answer.hub}.${answer.port} instead`,
    );
  }

  function askSsh(port: UsbPort, action: Action | undefined, signal: AbortSignal) {
    const isAlone = action === 'off-alone' || isVerified(port);
    return deps.sessions.use(
      name,
      (either) => openSsh(either),
      async (session, either) => {
        const uhubctl = async (step?: OutletState, ports?: readonly number[]) => {
          const command = `sudo -n uhubctl ${uhubctlArgs(port, step, ports).join(' ')}`;
          const limits = { signal: either, timeoutMs: commandTimeoutMs };
          const { status, stdout, stderr } = await session.exec(command, limits);
          const why = whyUhubctlFailed(status, stderr);
          if (why !== undefined) {
            throw new DeviceRefused(name, `${JSON.stringify(command)}: ${why}`);
          }
          const reading = portIn(stdout, port);
          if (reading) return { reading, ports: switchedWith(stdout, port, isAlone) };
          if (status === undefined) throw new DeviceUnreachable(name, `no end of "${command}"`);
          throw new DeviceRefused(name, `uhubctl shows no port ${port.port} of hub ${port.hub}`);
        };
        const found = await uhubctl();
        if (action === undefined) return found.reading;
        return (await uhubctl(action === 'on' ? 'on' : 'off', found.ports)).reading;
      },
      signal,
    );
  }

  async function openSsh(signal: AbortSignal): Promise<ExecSession> {
    const { address, ports } = machine;
    if (address === undefined) throw new DeviceRefused(name, 'rack.yaml gives it no address');
    const credentials = await deps.credentials();
    if (credentials.username === undefined) {
      throw new SignInRefused(name, 'rack.yaml gives it no login with a user for ssh');
    }
    const target = { name, address, port: ports.ssh ?? 22, credentials };
    return openExec(target, { hostKeys: deps.hostKeys }, signal);
  }

  const driver = outletDriver(name, {
    key: portOf,
    read: oneByOne((port: UsbPort, signal) => ask(port, undefined, signal)),
    set: async (port, state, signal) => void (await ask(port, state, signal)),
  });
  return {
    ...driver,
    async turnOff(outlet, signal, alone) {
      await ask(portOf(outlet), alone ? 'off-alone' : 'off', signal);
    },
  };
}

/** What came of asking the agent. */
function refusalOf(name: string, error: unknown): DeviceError {
  if (error instanceof ApiUnreachable) {
    return new DeviceUnreachable(name, `its agent: ${error.message}`, { cause: error });
  }
  if (error instanceof DeviceRefused || error instanceof DeviceUnreachable) return error;
  if (!(error instanceof ApiError)) throw error;
  const { status, problem } = error;
  const what = `its agent refuses: ${problem.detail.slice(0, 500)}`;
  return status === 401 || status === 403
    ? new SignInRefused(name, what, { cause: error })
    : new DeviceRefused(name, what, { cause: error });
}
