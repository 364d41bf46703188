/** The identity of this machine: its slice of rack.yaml, and the source of that. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { errorText } from '@skolo/base';
import type { Emit, EventLog } from '@skolo/common/light';
import { readFileIfExists, writeFileAtomic } from '@skolo/durable/atomic-file';
import { type MachineSlice, readMachineSlice } from '@skolo/rack/slice';
import type { AgentEvent } from '../events.ts';

export interface KnownIdentity {
  /** Undefined: not known yet, or of another machine. The same object as long as its content is the same. */
  slice: MachineSlice | undefined;
  from: 'metadata-server' | 'kept copy' | 'file' | 'nowhere';
  /** Why it is not known, or not up to date; for people. */
  why?: string;
}

/** The metadata server, or a rack.yaml. It reports each slice, or why it cannot. */
export interface SliceSource {
  readonly from: 'metadata-server' | 'file';
  start(report: { slice(value: unknown): void; failed(why: string): void }): void;
  stop(): Promise<void>;
}

interface IdentityDeps {
  /** The name of this machine, which is also the id of its bot. */
  machine: string;
  stateDir: string;
  log: Pick<EventLog, 'warn'>;
  emit: Emit<AgentEvent>;
}

/** On an SD card: written only when it is another one. */
const file = 'slice.json';

/** Keeps the slice of this machine: the newest one that there was, also over a restart on a day without the jumphost. */
export class IdentityKeeper {
  private readonly deps: IdentityDeps;
  private now: KnownIdentity = {
    slice: undefined,
    from: 'nowhere',
    why: 'no source was asked yet',
  };
  private source: SliceSource | undefined;
  private keptText: string | undefined;
  private keeping: Promise<void> = Promise.resolve();

  constructor(deps: IdentityDeps) {
    this.deps = deps;
  }

  get(): KnownIdentity {
    return this.now;
  }

  slice(): MachineSlice | undefined {
    return this.now.slice;
  }

  whyUnknown(): string {
    return this.now.why ?? 'no source was asked';
  }

  /** Reads the kept copy, and starts the source. */
  async start(source: SliceSource): Promise<void> {
    this.source = source;
    await this.readKept();
    source.start({
      slice: (value) => this.receive(value, source.from),
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
      const slice = this.own(JSON.parse(text), path);
      this.keptText = text;
      this.become({ slice, from: 'kept copy', why: 'the metadata server has not answered yet' });
    } catch (error) {
      this.deps.log.warn({ file: path, why: errorText(error) }, 'kept slice cannot be used');
    }
  }

  private receive(value: unknown, from: SliceSource['from']) {
    try {
      const received = this.own(value, from);
      const { slice: known } = this.now;
      const slice = isDeepStrictEqual(received, known) ? known : received;
      this.become({ slice, from });
      this.keep(`${JSON.stringify(slice)}\n`);
    } catch (error) {
      if (error instanceof OtherMachine)
        this.become({ slice: undefined, from, why: error.message });
      else this.failed(`its slice for this machine cannot be used: ${errorText(error)}`);
    }
  }

  /** What is known stays in force. */
  private failed(why: string) {
    const { slice, from } = this.now;
    if (this.now.why === why) return;
    this.become({ slice, from: slice === undefined ? 'nowhere' : from, why });
  }

  /** @throws OtherMachine @throws RackError */
  private own(value: unknown, from: string): MachineSlice {
    const slice = readMachineSlice(value, from);
    if (slice.name === this.deps.machine) return slice;
    throw new OtherMachine(
      `rack.yaml has ${slice.name} at the address of this machine, whose name is ${this.deps.machine}; correct one of them (--machine)`,
    );
  }

  private keep(text: string) {
    if (text === this.keptText) return;
    this.keptText = text;
    const path = join(this.deps.stateDir, file);
    this.keeping = this.keeping
      .then(() => writeFileAtomic(path, text))
      .catch((error: unknown) => {
        this.keptText = undefined;
        this.deps.log.warn({ file: path, why: errorText(error) }, 'slice cannot be kept');
      });
  }

  private become(now: KnownIdentity) {
    const before = this.now;
    this.now = now;
    this.deps.emit({ type: 'identity', now, before });
  }
}

class OtherMachine extends Error {}
