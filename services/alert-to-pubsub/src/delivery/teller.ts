/** Sees to it that a gap is told, once what had waited has arrived. */
import type { Clock } from '@skolo/common';
import type { EmitAlertEvent } from '../events.ts';
import type { NoticeDraft } from '../notices.ts';
import { Gaps } from './gaps.ts';
import type { Pause } from './send.ts';
import type { Waiting } from './window.ts';

export interface TellerDeps {
  sink: string;
  intake: { notify(notice: NoticeDraft): Promise<void> };
  /** The next sequence number of the spool. */
  next(): number;
  clock: Clock;
  emit: EmitAlertEvent;
  pause: Pause;
  /** After so many failures in a row. */
  rest(failures: number): Promise<void>;
  stopping: AbortSignal;
  /** The place in the spool may move again. */
  onReleased(): void;
}

export class Teller {
  /** The place in the spool stays where it is, so that a crash does not cost the notice that is written just now. */
  isHolding = false;
  private readonly deps: TellerDeps;
  private readonly gaps = new Gaps();
  private telling: Promise<void> | undefined;

  constructor(deps: TellerDeps) {
    this.deps = deps;
  }

  /**
   * A batch has arrived.
   *
   * @param isBack the sink had failed before
   */
  arrived(batch: readonly Waiting[], isBack: boolean): void {
    const { clock, next } = this.deps;
    const at = { now: clock.now(), uptime: clock.uptime() };
    this.gaps.arrived(batch, at, next(), isBack);
  }

  /** What still waits: the first sequence number, and the oldest alert. */
  waits(lowest: number, oldest: Waiting | undefined): void {
    const { clock, next } = this.deps;
    if (!this.gaps.waits(lowest, oldest, clock.uptime(), next())) return;
    this.telling ??= this.tell().finally(() => {
      this.telling = undefined;
    });
  }

  /** Fulfilled when nothing is being told. */
  async idle(): Promise<void> {
    await this.telling;
  }

  /** What would be told later, with what comes until then, is told now. Never throws. */
  async flush(): Promise<void> {
    await this.tellNow(false);
  }

  /** Until there is nothing to tell. */
  private async tell() {
    const { clock, emit, sink, pause, rest, stopping } = this.deps;
    for (let failures = 0; !stopping.aborted; ) {
      const due = this.gaps.dueIn(clock.uptime());
      if (due === undefined) return;
      if (due > 0) await pause(due * 1000, stopping).catch(() => undefined);
      else if (await this.tellNow(failures === 0)) failures = 0;
      else {
        failures += 1;
        if (failures === 1) emit({ type: 'gap-notice-failed', sink });
        await rest(failures);
      }
    }
  }

  /** Holds the place only the first time: a full spool takes notices only once the place has moved. */
  private async tellNow(isFirst: boolean): Promise<boolean> {
    const { clock, sink, intake, onReleased } = this.deps;
    const gap = this.gaps.take(sink, clock.uptime());
    if (gap === undefined) return true;
    this.isHolding = isFirst;
    try {
      await intake.notify(gap.notice);
      return true;
    } catch {
      gap.putBack();
      return false;
    } finally {
      this.isHolding = false;
      onReleased();
    }
  }
}
