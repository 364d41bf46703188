/** Keeps this machine's identity: its part of rack.yaml, from the metadata server, or a copy while that is down. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { errorText } from '@skolo/base';
import { readFileIfExists, writeFileAtomic } from '@skolo/base/durable/atomic-file';
import type { Emit, EventLog } from '@skolo/common/light';
import { type MachinePart, readMachinePart } from '@skolo/rack/machine-part';

/** rack.yaml's entry for this machine, or the reason why it is unknown, changed. */
export interface IdentityEvent {
  type: 'identity';
  now: KnownIdentity;
  before: KnownIdentity;
}

export interface KnownIdentity {
  /** Undefined: not known yet, or another machine's. The same object as long as its content is the same. */
  machinePart: MachinePart | undefined;
  from: 'metadata-server' | 'kept copy' | 'file' | 'nowhere';
  /** Why it is not known, or outdated; for people. */
  why?: string;
}

/** The metadata server, or a rack.yaml. It reports each version, or why it cannot. */
export interface PartSource {
  readonly from: 'metadata-server' | 'file';
  start(report: { machinePart(value: unknown): void; failed(why: string): void }): void;
  stop(): Promise<void>;
}

interface IdentityDeps {
  /** This machine's name, which is also its bot's ID. */
  machine: string;
  stateDir: string;
  log: Pick<EventLog, 'warn'>;
  emit: Emit<IdentityEvent>;
}

/** On an SD card: written only if it has changed. */
const file = 'machine-part.json';

/** Keeps the newest known version of the machine's part of rack.yaml, even across a restart while the jumphost is down. */
export class IdentityKeeper {
  private readonly deps: IdentityDeps;
  private now: KnownIdentity = {
    machinePart: undefined,
    from: 'nowhere',
    why: 'the agent has just started',
  };
  private source: PartSource | undefined;
  private keptText: string | undefined;
  private keeping: Promise<void> = Promise.resolve();

  constructor(deps: IdentityDeps) {
    this.deps = deps;
  }

  get(): KnownIdentity {
    return this.now;
  }

  machinePart(): MachinePart | undefined {
    return this.now.machinePart;
  }

  whyUnknown(): string {
    return this.now.why ?? 'the agent has just started';
  }

  /** Reads the kept copy, and starts the source. */
  async start(source: PartSource): Promise<void> {
    this.source = source;
    await this.readKept();
    source.start({
      machinePart: (value) => this.receive(value, source.from),
      failed: (why) => this.failed(why),
    });
  }

  async stop(): Promise<void> {
    await this.source?.stop();
    await this.keeping;
  }

  private async readKept() {
    const path = join(this.deps.stateDir, file);
    try {
      const text = await readFileIfExists(path);
      if (text === undefined) return;
      const machinePart = this.own(JSON.parse(text), path);
      this.keptText = text;
      this.become({
        machinePart,
        from: 'kept copy',
        why: 'the metadata server has not responded yet',
      });
    } catch (error) {
      this.deps.log.warn(
        { file: path, why: errorText(error) },
        "stored copy of this machine's entry cannot be used",
      );
    }
  }

  private receive(value: unknown, from: PartSource['from']) {
    try {
      const received = this.own(value, from);
      const { machinePart: known } = this.now;
      const machinePart = isDeepStrictEqual(received, known) ? known : received;
      this.become({ machinePart, from });
      this.writeCopy(`${JSON.stringify(machinePart)}\n`);
    } catch (error) {
      if (error instanceof OtherMachine)
        this.become({ machinePart: undefined, from, why: error.message });
      else this.failed(`this machine's entry cannot be used: ${errorText(error)}`);
    }
  }

  /** The known version stays in effect. */
  private failed(why: string) {
    const { machinePart, from } = this.now;
    if (this.now.why === why) return;
    this.become({ machinePart, from: machinePart === undefined ? 'nowhere' : from, why });
  }

  /** @throws OtherMachine @throws RackError */
  private own(value: unknown, from: string): MachinePart {
    const machinePart = readMachinePart(value, from);
    if (machinePart.name === this.deps.machine) return machinePart;
    throw new OtherMachine(
      `rack.yaml lists ${machinePart.name} at this machine's address, but the agent uses the name ${this.deps.machine}; fix rack.yaml or --machine`,
    );
  }

  private writeCopy(text: string) {
    if (text === this.keptText) return;
    this.keptText = text;
    const path = join(this.deps.stateDir, file);
    this.keeping = this.keeping
      .then(() => writeFileAtomic(path, text))
      .catch((error: unknown) => {
        this.keptText = undefined;
        this.deps.log.warn(
          { file: path, why: errorText(error) },
          "copy of this machine's entry could not be stored",
        );
      });
  }

  private become(now: KnownIdentity) {
    const before = this.now;
    this.now = now;
    this.deps.emit({ type: 'identity', now, before });
  }
}

class OtherMachine extends Error {}
