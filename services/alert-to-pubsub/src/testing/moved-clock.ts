/** Real time, plus what a test adds: other processes, which have their own clock, do not notice. */
import { type Clock, Presence, systemClock } from '@skolo/common';

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
  const uptime = () => systemClock.uptime() + seen + unseen;
  const presence = new Presence(uptime);
  /** As a process that runs all the time. */
  function step(seconds: number, by: (seconds: number) => void): void {
    for (let left = seconds; left > 0; left -= 1) {
      by(Math.min(left, 1));
      presence.beat();
    }
  }
  return {
    now: () => systemClock.now() + seen * 1000,
    uptime,
    presence,
    pass(seconds) {
      step(seconds, (each) => {
        seen += each;
      });
    },
    passUnseen(seconds) {
      step(seconds, (each) => {
        unseen += each;
      });
    },
    jump(seconds) {
      seen += seconds;
      unseen -= seconds;
    },
  };
}
