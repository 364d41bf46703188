/**
 * Decides whether a device that has left rack.yaml is retired: its history stays, nothing is deleted. An inventory that is empty, or
 * lost half of its devices, counts as an error: no device is retired until a person has requested a backup of all.
 */

import { errorText, inOrder } from '@skolo/base';
import type { Store } from '../history/store.ts';
import type { PartDeps } from '../part-deps.ts';
import type { DeviceRecord } from '../state.ts';
import { jumphostModel } from '../targets.ts';

interface InventoryDeps extends Pick<PartDeps, 'rack' | 'clock' | 'log' | 'emit' | 'state'> {
  store: Store;
}

export class Inventory {
  private readonly deps: InventoryDeps;
  private why: string | undefined;
  private readonly inTurn = inOrder();

  constructor(deps: InventoryDeps) {
    this.deps = deps;
  }

  /** Why rack.yaml looks like an error. Undefined: it does not. */
  get problem(): string | undefined {
    return this.why;
  }

  /**
   * Compares rack.yaml with the devices that have been backed up.
   *
   * @param isConfirmed whether a person has requested all devices that it lists
   */
  async check({ isConfirmed = false } = {}): Promise<void> {
    // One by one: half of a retirement looks like an error.
    await this.inTurn(() => this.checkNow(isConfirmed));
  }

  private async checkNow(isConfirmed: boolean): Promise<void> {
    const { rack, state, emit, log } = this.deps;
    const known = [...state.devices.all.values()].filter(
      ({ retiredAt, model }) => retiredAt === undefined && model !== jumphostModel,
    );
    const { equipment, disabled } = rack();
    // An entry with an error has not left rack.yaml.
    const gone = known.filter(({ name }) => !equipment.has(name) && !disabled?.names.has(name));
    const isTooMany = gone.length > 0 && gone.length * 2 >= known.length;
    if (isTooMany && !isConfirmed) {
      const why = `rack.yaml lists only ${known.length - gone.length} of the ${known.length} names that have been backed up; if this is the right file, run: skolo backup run`;
      if (this.why === undefined)
        log.error({ known: known.length, gone: gone.length }, 'inventory shrank');
      this.why = why;
      return emit({ type: 'degraded', what: 'inventory', why });
    }
    this.why = undefined;
    emit({ type: 'degraded', what: 'inventory' });
    for (const record of gone) await this.retire(record);
  }

  private async retire(record: DeviceRecord): Promise<void> {
    const { rack, state, store, clock, log, emit } = this.deps;
    const { name, model } = record;
    const retiredAt = new Date(clock.now()).toISOString();
    await state.writeLater([state.devices.put({ ...record, retiredAt })]);
    emit({ type: 'device-retired', device: name });
    const about = { rack: rack().name, model, run: '-', time: retiredAt, by: 'rack.yaml' };
    const note = async () => store.repository.note(name, 'retired: no longer in rack.yaml', about);
    await note().catch((error: unknown) => {
      log.warn(
        { device: name, why: errorText(error) },
        'retirement cannot be stored in the history',
      );
    });
  }
}
