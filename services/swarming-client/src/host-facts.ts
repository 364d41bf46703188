/** What the machine itself is, for Swarming: asked now and then, where no device is attached to it. */
import type { Logger } from '@skolo/common/light';
import type { Dimensions } from './devices/device.ts';
import { hostDimensions } from './devices/host.ts';
import type { RunCommand } from './run-command.ts';

export interface HostFactsDeps {
  run: RunCommand;
  onChange: () => void;
  log: Pick<Logger, 'info'>;
}

/** A driver is updated now and then; a processor never. */
const everyMs = 3600_000;

export class HostFacts {
  private readonly deps: HostFactsDeps;
  private readonly ended = new AbortController();
  private known: Dimensions | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isWanted = false;

  constructor(deps: HostFactsDeps) {
    this.deps = deps;
  }

  /** Undefined: not known yet, or nobody wants to know. */
  dimensions(): Dimensions | undefined {
    return this.isWanted ? this.known : undefined;
  }

  /** Whether they count: a machine with a phone is no test machine itself. */
  wanted(isWanted: boolean): void {
    if (isWanted === this.isWanted) return;
    this.isWanted = isWanted;
    clearTimeout(this.timer);
    if (isWanted) void this.look();
  }

  stop(): void {
    this.ended.abort(new Error('the agent stops'));
    clearTimeout(this.timer);
  }

  private async look(): Promise<void> {
    const { signal } = this.ended;
    if (signal.aborted) return;
    // Throws nothing but the reason of the signal.
    this.known = await hostDimensions(this.deps.run, { signal }).catch(() => this.known);
    if (signal.aborted || !this.isWanted) return;
    this.deps.onChange();
    // A look that began before it was unwanted for a while has set one, too.
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), everyMs);
  }
}
