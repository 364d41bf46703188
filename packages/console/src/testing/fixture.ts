/**
 * machine-state's console of a generated rack, and the services behind it: for tests, screenshots and `npm run fixture`. HTTP, sign-in,
 * audit and streams are real. Orders change the machines.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Api,
  alertToPubsubApi,
  consoleApi,
  type Machine,
  metadataServerApi,
  powerCycleDaemonApi,
  routerBackupApi,
} from '@skolo/api';
import { createApp, newToken, systemClock } from '@skolo/common';
import { openConsole } from '@skolo/console';
import {
  alertAnswers,
  backupAnswers,
  type Call,
  Changes,
  type GeneratedRack,
  generatedAlerts,
  generatedBackups,
  generatedClients,
  generatedMachines,
  generatedPower,
  generateRack,
  machineAnswers,
  type Place,
  powerAnswers,
  startScripted,
} from '@skolo/scripted-services';

interface FixtureOptions {
  machines?: number;
  port?: number;
  /** Networks that may read without signing in. */
  anonymousRead?: string[];
  /** Changes the machines before the start. */
  prepare?: (rack: GeneratedRack) => void;
}

type Roles = 'view' | 'operate' | 'admin';
type PeerName = 'metadata-server' | 'power-cycle-daemon' | 'router-backup' | 'alert-to-pubsub';

export interface Fixture {
  url: string;
  tokens: Record<Roles, string>;
  fixture: GeneratedRack;
  /** Requests to machine-state and the power-cycle daemon. */
  calls: Call[];
  /** Sends a machine's current state to all pages. */
  show(machine: Machine): void;
  showRack(): void;
  stopPeer(name: PeerName): Promise<void>;
  /** Restarts the service on the same port, without its sessions. */
  restart(version?: string): Promise<void>;
  stop(): Promise<void>;
  /** Of the audit log: what, who and outcome of each line. */
  dir: string;
  /** The services' clock: this computer's, until a test advances it. */
  clock: { pass(ms: number): void };
}

const apis: Record<PeerName, Api> = {
  'metadata-server': metadataServerApi,
  'power-cycle-daemon': powerCycleDaemonApi,
  'router-backup': routerBackupApi,
  'alert-to-pubsub': alertToPubsubApi,
};

export async function startFixture(options: FixtureOptions = {}): Promise<Fixture> {
  const dir = await mkdtemp(join(tmpdir(), 'skolo-console-'));
  const { file, tokens } = await createTokens(dir);
  const fixture = generateRack(options.machines ?? 300);
  options.prepare?.(fixture);
  const calls: Call[] = [];
  const clock = shiftedClock();
  const changes = new Changes();
  function show(machine: Machine) {
    const at = fixture.machines.findIndex(({ name }) => name === machine.name);
    if (at < 0) fixture.machines.push(machine);
    else fixture.machines[at] = machine;
    changes.machine(machine);
  }
  const { anonymousRead = [] } = options;
  const placeOf = (name: string) => ({ anonymousRead, clock, stateDir: join(dir, name) });
  const peers = await startPeers(fixture, { tokens: { file }, placeOf, calls });
  const answers = machineAnswers(generatedMachines(fixture, show), changes);

  function start(port: number, version: string) {
    return startScripted('machine-state', answers, {
      tokens: { file },
      place: { ...placeOf('machine-state'), port },
      calls,
      async serve(context, { api, handlers }) {
        const webConsole = await openConsole({ ...context, version }, (wanted) => {
          const found = peers.find(({ name }) => name === wanted);
          return found && { api: apis[found.name], url: found.url };
        });
        return createApp(context, {
          compresses: true,
          stages: webConsole.stages,
          instead: webConsole.instead,
          api: { ...api, ...consoleApi },
          handlers: { ...handlers, ...webConsole.handlers },
        });
      },
    });
  }

  let running = await start(options.port ?? 0, '0.1.0');
  const { url } = running;
  return {
    url,
    tokens,
    fixture,
    calls,
    dir,
    clock,
    show,
    showRack: () => changes.rack(fixture.rack),
    stopPeer: async (wanted) => peers.find(({ name }) => name === wanted)?.close(),
    async restart(version = '0.1.0') {
      await running.close();
      running = await start(Number(new URL(url).port), version);
    },
    async stop() {
      await running.close();
      for (const peer of peers) await peer.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function createTokens(dir: string) {
  const file = join(dir, 'tokens.yaml');
  const of = (role: Roles) => newToken(file, { name: `ann-${role}`, role, expiresInDays: 30 });
  const tokens = {
    view: await of('view'),
    operate: await of('operate'),
    admin: await of('admin'),
  };
  return { file, tokens };
}

/** Only the wall clock goes back. */
function shiftedClock() {
  let passedMs = 0;
  let ranMs = 0;
  return {
    now: () => systemClock.now() + passedMs,
    uptime: () => systemClock.uptime() + ranMs / 1000,
    presence: systemClock.presence,
    pass(ms: number) {
      passedMs += ms;
      ranMs += Math.max(0, ms);
    },
  };
}

interface PeerOptions {
  tokens: { file: string };
  placeOf(name: PeerName): Place;
  calls: Call[];
}

async function startPeers(fixture: GeneratedRack, { tokens, placeOf, calls }: PeerOptions) {
  const power = await startScripted('power-cycle-daemon', powerAnswers(generatedPower(fixture)), {
    tokens,
    place: placeOf('power-cycle-daemon'),
    calls,
  });
  const backup = await startScripted('router-backup', backupAnswers(generatedBackups(fixture)), {
    tokens,
    place: placeOf('router-backup'),
  });
  const alerts = await startScripted('alert-to-pubsub', alertAnswers(generatedAlerts(fixture)), {
    tokens,
    place: placeOf('alert-to-pubsub'),
  });
  const metadata = await startScripted('metadata-server', generatedClients(fixture), {
    tokens,
    place: placeOf('metadata-server'),
  });
  return [
    { name: 'power-cycle-daemon', ...power },
    { name: 'router-backup', ...backup },
    { name: 'alert-to-pubsub', ...alerts },
    { name: 'metadata-server', ...metadata },
  ] as const;
}
