/**
 * Limits the memory for equipment's answers, shared by all sessions of this process. If answers do not fit, the largest one fails, so
 * that one device never stops the others.
 */
import { totalmem } from 'node:os';
import { DeviceBusy, type DeviceError } from '../errors.ts';

/** Copies of an answer in memory: as it arrived, the result, and what the garbage collector has yet to free. */
const copies = 3;
/** The part of its memory that the process does not need for other purposes. */
const usual = Math.min(process.constrainedMemory() || totalmem(), totalmem()) / 4;

/** Of one answer, or of all results of a device. */
export interface Share {
  /** Bytes have arrived. */
  grow(bytes: number): void;
  /** Only the results are left. */
  settle(): void;
  /** Nothing is left. */
  release(): void;
}

export class Memory {
  private readonly most: number;
  private used = 0;
  private readonly shares = new Set<{ charge: number; end: () => void }>();

  constructor(most = usual) {
    this.most = most;
  }

  /** @param fail called if it is the largest share, and there is no room: ends its reading */
  open(device: string, fail: (why: DeviceError) => void): Share {
    let bytes = 0;
    const set = (charge: number) => {
      this.used += charge - share.charge;
      share.charge = charge;
      if (charge === 0) this.shares.delete(share);
      else this.shares.add(share);
    };
    const release = () => {
      bytes = 0;
      set(0);
    };
    const end = () => {
      const size = `${Math.ceil(bytes / 1024 / 1024)} MiB`;
      release();
      const what = `its answers (${size} so far) do not fit into memory beside others`;
      fail(new DeviceBusy(device, what));
    };
    const share = { charge: 0, end };
    return {
      grow: (more) => {
        bytes += more;
        set(share.charge + more * copies);
        while (this.used > this.most) this.largest()?.end();
      },
      settle: () => set(bytes),
      release,
    };
  }

  private largest() {
    return [...this.shares].sort((a, b) => b.charge - a.charge)[0];
  }
}

export const memory = new Memory();
