/** Progress in bytes: lines that are redrawn in a terminal, otherwise one for every ten percent. */
import type { Io } from '../../io.ts';
import { showProgress } from '../../output/progress.ts';
import { plain } from '../../output/text.ts';
import { duration } from '../../output/time.ts';

interface Line {
  text: string;
  what: string;
  start: number;
  /** Bytes that existed at the start. */
  from: number;
  tenth: number;
}

/** One line for each target: its progress, or what a person must do. */
export function byteDisplay(io: Io) {
  const shown = new Map<string, Line>();
  const lines = () => [...shown.values()].map(({ text }) => plain(text));
  const { print, changed, end } = showProgress(io, lines, (text) => io.err(plain(text)));
  return {
    /** @param what `raspios.img.xz` @param total undefined: unknown @param then bytes of the next part, at the same rate */
    progress(place: string, what: string, done: number, total: number | undefined, then = 0) {
      const previous = shown.get(place);
      const isNew = previous?.what !== what;
      const { start, from } = isNew ? { start: io.now(), from: done } : previous;
      const tenth = total === undefined ? Math.floor(done / 1e9) : Math.floor((done / total) * 10);
      const text = byteLine(what, { done, total, then, from, seconds: (io.now() - start) / 1000 });
      shown.set(place, { text, what, start, from, tenth });
      if (isNew || previous.tenth < tenth) print(text);
      changed();
    },
    ask(place: string, text: string) {
      shown.set(place, { text, what: '', start: 0, from: 0, tenth: 0 });
      print(text);
      changed();
    },
    forget(place: string) {
      shown.delete(place);
      changed();
    },
    end: () => end(),
  };
}

interface ByteCount {
  done: number;
  total: number | undefined;
  then: number;
  from: number;
  /** Since the start. */
  seconds: number;
}

/** `raspios.img.xz: 100 of 500 MB, 20%, 12.3 MB/s, 32 s left` */
function byteLine(what: string, { done, total, then, from, seconds }: ByteCount): string {
  const mb = (bytes: number) => (bytes / 1e6).toFixed(0);
  const rate = seconds > 0 ? (done - from) / seconds / 1e6 : 0;
  const share =
    total === undefined || total === 0
      ? `${mb(done)} MB`
      : `${mb(done)} of ${mb(total)} MB, ${Math.floor((done / total) * 100)}%`;
  const left = total === undefined ? 0 : (total - done + then) / 1e6 / rate;
  const time = left > 0 && Number.isFinite(left) ? `, ${duration(Math.ceil(left))} left` : '';
  return `${what}: ${share}, ${rate.toFixed(1)} MB/s${time}`;
}
