/**
 * Reads the hosts connected to each port from a switch or router, on request. One session per device at a time, including backups, and a
 * power cycle comes first: a reading gives way to it, except while the cycle only waits for the off-time.
 */
import type { ConnectedHosts } from '@skolo/api';
import { withDeadline } from '@skolo/base';
import { readCredentials } from '@skolo/base/secrets';
import { type Clock, type CrashNotes, HttpProblem, type Locks } from '@skolo/common';
import { models } from '@skolo/equipment/models';
import type {
  CreateConnectedHostsReader,
  ConnectedHosts as Found,
} from '@skolo/equipment/models/connected-hosts';
import { loadConnectedHosts } from '@skolo/equipment/models/load';
import { DeviceRejected, DeviceTimeout } from '@skolo/equipment/transports';
import { didYouMean, type Equipment, loginToRead, type Rack } from '@skolo/rack';
import type { Fetch } from './fetch.ts';
import type { PowerDaemon } from './power-daemon.ts';
import { Transcript, type Transcripts } from './transcript.ts';

/** For the whole reading, with a sign-in whose servers are slow: a person is waiting. */
const mostMs = 120_000;

interface ConnectedHostReadingsDeps {
  rack: () => Rack;
  fetch: Pick<Fetch, 'connected'>;
  locks: Locks;
  crashNotes: Pick<CrashNotes, 'noted' | 'whyNot'>;
  power: Pick<PowerDaemon, 'unlessWanted'>;
  transcripts: Pick<Transcripts, 'failure'>;
  clock: Pick<Clock, 'now'>;
  signal: AbortSignal;
}

export class ConnectedHostReadings {
  private readonly deps: ConnectedHostReadingsDeps;
  /** By device: requests made meanwhile share the same answer. */
  private readonly underWay = new Map<string, Promise<ConnectedHosts>>();

  constructor(deps: ConnectedHostReadingsDeps) {
    this.deps = deps;
  }

  /** @throws HttpProblem 404, 409: there is nothing to read. BackupFailed: it could not be read */
  async read(name: string): Promise<ConnectedHosts> {
    const reading = this.underWay.get(name) ?? this.alone(this.find(name));
    this.underWay.set(name, reading);
    try {
      return await reading;
    } finally {
      if (this.underWay.get(name) === reading) this.underWay.delete(name);
    }
  }

  private find(name: string): Equipment {
    const { equipment } = this.deps.rack();
    const device = equipment.get(name);
    if (device === undefined) {
      const guess = didYouMean(name, equipment.keys());
      throw new HttpProblem(404, `${name}: no such switch or router in rack.yaml${guess}`);
    }
    const why = whyNotRead(device);
    if (why !== undefined) throw new HttpProblem(409, `${name}: ${why}`);
    const paused = this.deps.crashNotes.whyNot(name);
    if (paused !== undefined) throw new HttpProblem(503, `${name}: ${paused}`);
    return device;
  }

  private async alone(device: Equipment): Promise<ConnectedHosts> {
    const { clock, transcripts, signal } = this.deps;
    const { name, model } = device;
    const transcript = new Transcript();
    const late = () =>
      new DeviceTimeout(name, `not read within ${mostMs / 1000} s; a backup may be running`);
    try {
      const create = await loadConnectedHosts(model);
      if (create === undefined)
        throw new DeviceRejected(
          name,
          `reading connected hosts is not supported for model ${model}`,
        );
      const found = await withDeadline({ ms: mostMs, late, signal }, (limit) =>
        this.inTurn(device, create, transcript, limit),
      );
      return { equipment: name, readAt: new Date(clock.now()).toISOString(), ...found };
    } catch (error) {
      throw await transcripts.failure(name, error, transcript, []);
    }
  }

  private async inTurn(
    device: Equipment,
    create: CreateConnectedHostsReader,
    transcript: Transcript,
    signal: AbortSignal,
  ): Promise<Found> {
    const { locks, power, fetch, rack, crashNotes } = this.deps;
    const reads = 'hosts';
    const credentials = () => readCredentials(rack(), loginToRead(rack(), device, reads));
    return await locks.hold(device.name, async () => {
      signal.throwIfAborted();
      return await power.unlessWanted(
        device.name,
        signal,
        (either) =>
          crashNotes.noted(device.name, () =>
            fetch.connected(
              device,
              transcript,
              either,
              (connection) => create(device).read({ connection, credentials, signal: either }),
              { reads },
            ),
          ),
        { isFineWhileOff: true },
      );
    });
  }
}

/** Why connected hosts are not visible at a device's ports; undefined: they are. */
function whyNotRead({ model: name }: Equipment): string | undefined {
  const { connectedHosts } = models.get(name) ?? {};
  if (connectedHosts === undefined) return `model ${name} does not report connected hosts`;
  return 'no' in connectedHosts ? connectedHosts.no : undefined;
}
