/** Opens, moves and closes a port as rack.yaml sets it. While it cannot be opened, the service continues, and tries again. */
import { isDeepStrictEqual } from 'node:util';
import { errorText } from '@skolo/base';

interface PortDeps<Settings, Opened> {
  /** From the current rack.yaml; undefined: there is no such port. */
  settings(): Settings | undefined;
  open(settings: Settings): Promise<Opened>;
  close(opened: Opened): Promise<void>;
  /** @param why it is not open although it should be */
  degraded(why: string | undefined): void;
  retryMs?: number | undefined;
}

export class ConfiguredPort<Settings, Opened> {
  /** Why it is not open although it should be. */
  failure: string | undefined;
  private readonly deps: PortDeps<Settings, Opened>;
  private current: { settings: Settings; opened: Opened } | undefined;
  private following: Promise<void> = Promise.resolve();
  private retrying: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(deps: PortDeps<Settings, Opened>) {
    this.deps = deps;
  }

  /** Undefined while it is not open. */
  get opened(): Opened | undefined {
    return this.current?.opened;
  }

  /** Opens, moves or closes it as rack.yaml says now. Never throws. */
  follow(): Promise<void> {
    this.following = this.following.then(() => this.followNow());
    return this.following;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.follow();
  }

  private async followNow(): Promise<void> {
    const { deps, current } = this;
    clearTimeout(this.retrying);
    const settings = this.isClosed ? undefined : deps.settings();
    if (settings !== undefined && isDeepStrictEqual(settings, current?.settings)) return;
    this.current = undefined;
    this.failure = undefined;
    try {
      if (current) await deps.close(current.opened);
      if (settings !== undefined) this.current = { settings, opened: await deps.open(settings) };
    } catch (error) {
      this.failure = errorText(error);
    }
    if (this.isClosed) return;
    deps.degraded(this.failure);
    if (this.failure === undefined) return;
    this.retrying = setTimeout(() => void this.follow(), deps.retryMs ?? 10_000).unref();
  }
}
