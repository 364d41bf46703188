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
    const rate = seconds > 0 ? (now.done - (first ?? 0)) / seconds / 1e6 : 0;
    return [plain(`${what}: ${share(now)}, ${rate.toFixed(1)} MB/s`)];
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

function share({ done, total }: { done: number; total: number | undefined }): string {
  const of = (bytes: number) => (bytes / 1e6).toFixed(0);
  if (total === undefined) return `${of(done)} MB`;
  return `${of(done)} of ${of(total)} MB, ${total === 0 ? 100 : Math.floor((done / total) * 100)} %`;
}
