/** Real time, plus what a test adds: other processes, which have their own clock, do not notice. */
import { type Clock, systemClock } from '@skolo/common';

interface MovedClock extends Clock {
  /** Advances both clocks at once. */
  pass(seconds: number): void;
  /** The same without the wall clock, by which senders specify how long their alerts are valid. */
  passUnseen(seconds: number): void;
  /** Moves the wall clock only. */
  jump(seconds: number): void;
}

export function movedClock(): MovedClock {
  let seen = 0;
  let unseen = 0;
  return {
    now: () => systemClock.now() + seen * 1000,
    uptime: () => systemClock.uptime() + seen + unseen,
    pass(seconds) {
      seen += seconds;
    },
    passUnseen(seconds) {
      unseen += seconds;
    },
    jump(seconds) {
      seen += seconds;
      unseen -= seconds;
    },
  };
}
