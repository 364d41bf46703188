/** Time as it is, and more of it where a test adds it: others, whose clock is their own, do not notice. */
import { type Clock, systemClock } from '@skolo/common';

interface MovedClock extends Clock {
  /** So much passes at once. */
  pass(seconds: number): void;
  /** The same without the wall clock, by which senders say how long their alerts are good for. */
  passUnseen(seconds: number): void;
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
  };
}
