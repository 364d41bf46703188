/**
 * Configuration sessions of EOS: a candidate that begins as what is active, or empty after `rollback clean-config`, and
 * takes its place as a whole. With `commit timer` it undoes itself unless it is confirmed in time.
 */

import type { Commands, Talk } from '../switch/model.ts';
import type { Switch } from '../switch/switch.ts';

/** Committed, and not yet confirmed. */
const pending = new WeakMap<Switch, { name: string; stop: () => void }>();

export const sessionCommands: Commands = {
  'configure session <name>'(talk, [, , name = '']) {
    const { device } = talk;
    talk.candidate = { name, lines: device.lines(device.running.print()) };
    talk.mode = 'config';
    return '';
  },
  'configure session <name> commit'({ device }, [, , name = '']) {
    const committed = pending.get(device);
    if (committed?.name !== name) return `% No pending commit timer for session ${name}\n`;
    committed.stop();
    pending.delete(device);
    return '';
  },
};

export const sessionStatements: Commands = {
  'rollback clean-config'({ device, candidate }) {
    if (candidate === undefined) return "% Invalid input (at token 0: 'rollback')\n";
    candidate.lines = device.lines('');
    return '';
  },
  commit: (talk) => commit(talk),
  'commit timer <time>': (talk, words) => commit(talk, words[2]),
  abort(talk) {
    delete talk.candidate;
    talk.mode = 'privileged';
    return '';
  },
};

function commit(talk: Talk, time?: string): string {
  const { device, terminal, candidate } = talk;
  if (candidate === undefined) return "% Invalid input (at token 0: 'commit')\n";
  delete talk.candidate;
  talk.mode = 'privileged';
  const before = device.running;
  terminal.session.act(() => {
    candidate.lines.leave();
    device.running = candidate.lines;
    device.changed(terminal.session.user);
  });
  if (time === undefined) return '';
  const [hours = 0, minutes = 0, seconds = 0] = time.split(':').map(Number);
  const stop = device.core.later(hours * 3600 + minutes * 60 + seconds, () => {
    device.running = before;
    pending.delete(device);
  });
  pending.set(device, { name: candidate.name, stop });
  return '';
}
