/** What rack.yaml says of this machine: its slice, and where that is from. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { errorText, type Logger } from '@skolo/common/light';
import { readFileIfExists, writeFileAtomic } from '@skolo/durable/atomic-file';
import { type MachineSlice, readMachineSlice } from '@skolo/rack/slice';

export interface KnownIdentity {
  /** Undefined: nobody has said yet, or it is not for this machine. The same object as long as it says the same. */
  slice: MachineSlice | undefined;
  from: 'metadata-server' | 'kept copy' | 'file' | 'nowhere';
  /** Why it is not known, or not known anew; for people. */
  why?: string;
}

/** Where a slice comes from: the metadata server, or a rack.yaml. It tells of each, and of why there is none. */
export interface SliceSource {
  readonly from: 'metadata-server' | 'file';
  start(tell: { slice(value: unknown): void; failed(why: string): void }): void;
  stop(): Promise<void>;
}

export interface IdentityDeps {
  /** The name of this machine, which is also the id of its bot. */
  machine: string;
  stateDir: string;
  source: SliceSource;
  log: Pick<Logger, 'info' | 'warn' | 'error'>;
  onChange: (now: KnownIdentity, before: KnownIdentity) => void;
}

/** On an SD card: written only when it is another one. */
const file = 'slice.json';

/** Keeps the slice of this machine: the newest one that there was, also over a restart on a day without the jumphost. */
export class IdentityKeeper {
  private readonly deps: IdentityDeps;
  private now: KnownIdentity;
  private keptText: string | undefined;
  private keeping: Promise<void> = Promise.resolve();

  constructor(deps: IdentityDeps) {
    this.deps = deps;
    this.now = { slice: undefined, from: 'nowhere', why: 'nobody was asked yet' };
  }

  get(): KnownIdentity {
    return this.now;
  }

  /** Reads the kept copy, and begins to ask. */
  async start(): Promise<void> {
    await this.readKept();
    this.deps.source.start({
      slice: (value) => this.heard(value),
      failed: (why) => this.failed(why),
    });
  }

  async stop(): Promise<void> {
    await this.deps.source.stop();
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

  private heard(value: unknown) {
    const { from } = this.deps.source;
    try {
      const heard = this.own(value, from);
      const { slice: known } = this.now;
      const slice = isDeepStrictEqual(heard, known) ? known : heard;
      this.become({ slice, from });
      this.keep(`${JSON.stringify(slice)}\n`);
    } catch (error) {
      if (error instanceof OtherMachine)
        this.become({ slice: undefined, from, why: error.message });
      else this.failed(`what it says of this machine cannot be used: ${errorText(error)}`);
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
      `rack.yaml has ${slice.name} at the address of this machine, which calls itself ${this.deps.machine}; correct one of them (--machine)`,
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
    this.deps.onChange(now, before);
  }
}

class OtherMachine extends Error {}
