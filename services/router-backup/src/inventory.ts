/**
 * Who has left rack.yaml is retired: the history stays, nothing is deleted. An inventory that is empty, or lost half of
 * the devices, is taken for a mistake: nobody is retired until a person has asked for a backup of all.
 */
import { type Clock, type DegradedList, errorText, type Logger } from '@skolo/common';
import type { Rack } from '@skolo/rack';
import type { DeviceRecord } from './records.ts';
import type { State } from './state.ts';
import type { Store } from './store.ts';
import { jumphostModel } from './targets.ts';

const trouble = 'inventory';

export interface InventoryDeps {
  rack: () => Rack;
  state: State;
  store: Store;
  clock: Clock;
  log: Logger;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
}

export class Inventory {
  private readonly deps: InventoryDeps;
  private why: string | undefined;
  private looking: Promise<void> = Promise.resolve();

  constructor(deps: InventoryDeps) {
    this.deps = deps;
  }

  /** Why rack.yaml cannot be meant like that. Undefined: it can. */
  get problem(): string | undefined {
    return this.why;
  }

  /**
   * Compares rack.yaml with the devices that have been backed up.
   *
   * @param isMeant a person has asked for all that it lists
   */
  async look({ isMeant = false } = {}): Promise<void> {
    // One after the other: half of a retirement looks like a mistake.
    const look = () => this.lookNow(isMeant);
    this.looking = this.looking.then(look, look);
    await this.looking;
  }

  private async lookNow(isMeant: boolean): Promise<void> {
    const { rack, state, degraded, log } = this.deps;
    const known = [...state.devices.all.values()].filter(
      ({ retiredAt, model }) => retiredAt === undefined && model !== jumphostModel,
    );
    const { infrastructure, disabled } = rack();
    // An entry with a mistake has not left.
    const gone = known.filter(
      ({ name }) => !infrastructure.has(name) && !disabled?.names.has(name),
    );
    const isTooMany = gone.length > 0 && gone.length * 2 >= known.length;
    if (isTooMany && !isMeant) {
      const why = `rack.yaml lists ${known.length - gone.length} of the ${known.length} devices that have been backed up; is it the right file? If it is, run: skolo backup run`;
      if (this.why === undefined)
        log.error({ known: known.length, gone: gone.length }, 'inventory shrank');
      this.why = why;
      degraded.raise(trouble, why);
      return;
    }
    this.why = undefined;
    degraded.clear(trouble);
    for (const record of gone) await this.retire(record);
  }

  private async retire(record: DeviceRecord): Promise<void> {
    const { rack, state, store, clock, log } = this.deps;
    const { name, model } = record;
    const retiredAt = new Date(clock.now()).toISOString();
    await state.keep([state.devices.put({ ...record, retiredAt })]);
    log.warn({ device: name }, 'retired');
    const about = { rack: rack().name, model, run: '-', time: retiredAt, by: 'rack.yaml' };
    const note = async () => store.repository.note(name, 'retired: it has left rack.yaml', about);
    await note().catch((error: unknown) => {
      log.warn({ device: name, why: errorText(error) }, 'retirement is not in the history');
    });
  }
}
