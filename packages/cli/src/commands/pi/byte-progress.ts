/** Progress of bytes: a line that is redrawn in a terminal, and one every ten percent elsewhere. */
import type { Io } from '../../io.ts';
import { livePicture } from '../../output/live-area.ts';
import { plain } from '../../output/text.ts';
import { isRedrawn } from '../../output/waiting.ts';

export interface ByteProgress {
  at(done: number, total: number | undefined): void;
  end(): void;
}

/** @param what `raspios.img.xz` */
export function byteProgress(io: Io, what: string): ByteProgress {
  const start = io.now();
  let now: { done: number; total: number | undefined } | undefined;
  let first: number | undefined;
  const line = () => {
    if (now === undefined) return [];
    const seconds = (io.now() - start) / 1000;
    return [plain(byteLine(what, { ...now, from: first ?? 0, seconds }))];
  };
  if (isRedrawn(io)) {
    const picture = livePicture(io, line);
    return {
      at(done, total) {
        first ??= done;
        now = { done, total };
        picture.changed();
      },
      end: () => picture.end(false),
    };
  }
  let shown = -1;
  return {
    at(done, total) {
      first ??= done;
      now = { done, total };
      const tenth = total === undefined ? Math.floor(done / 1e9) : Math.floor((done / total) * 10);
      if (tenth <= shown) return;
      shown = tenth;
      for (const each of line()) io.err(each);
    },
    end() {},
  };
}

export interface ByteCount {
  done: number;
  total: number | undefined;
  /** What was there at the start. */
  from?: number;
  /** Since the start. */
  seconds: number;
}

/** `raspios.img.xz: 100 of 500 MB, 20 %, 12.3 MB/s` */
export function byteLine(what: string, { done, total, from = 0, seconds }: ByteCount): string {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
  const rate = seconds > 0 ? (done - from) / seconds / 1e6 : 0;
  const share =
    total === undefined || total === 0
      ? `${mb(done)} MB`
      : `${mb(done)} of ${mb(total)} MB, ${Math.floor((done / total) * 100)} %`;
  return `${what}: ${share}, ${rate.toFixed(1)} MB/s`;
}
