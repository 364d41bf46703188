/** What commands of several models do. */
import type { Run, Talk } from './model.ts';
import { linesOf, modeOf } from './talk.ts';

/** Goes to a mode. */
export function to(mode: string, said = ''): Run {
  return (talk) => {
    talk.mode = mode;
    // Somebody's session may have died in a section.
    if (modeOf(talk).configures) linesOf(talk).leave();
    return talk.device.fill(said);
  };
}

export function leave(talk: Talk): string {
  talk.isOver = true;
  return '';
}

/** Shows the configuration, or a text with it, so that its faults strike. */
export function configuration(text: string): Run {
  return ({ device, terminal }) => terminal.session.configuration(device.fill(text));
}

/** `terminal length N`: 0 turns the pager off, unless a fault keeps it. */
export function setPager(said: { off: string; on: string } = { off: '', on: '' }): Run {
  return ({ device, terminal }, words) => {
    const rows = Number(words[2]);
    const { pager } = device.model;
    if (terminal.session.faults.has('pager-stays')) return '';
    terminal.pager = rows === 0 || pager === undefined ? undefined : { ...pager, rows };
    return device.fill(rows === 0 ? said.off : said.on, { rows: String(rows) });
  };
}

/** Asks for a key: `y`, or anything else. */
export function confirm(question: string, yes: Run, no: string): Run {
  return async (talk, words) => {
    if ((await talk.terminal.readKey(question)) !== 'y') return no;
    return await yes(talk, words);
  };
}

interface Enable {
  question: string;
  hidden: 'none' | 'stars';
  tries: number;
  wrong: string;
  /** Where no password is set; absent: it lets everybody in. */
  unset?: string;
  onEnter?: (talk: Talk) => void;
}

/** Asks for the password of privileged mode. */
export function enable({ question, hidden, tries, wrong, unset, onEnter }: Enable): Run {
  return async (talk) => {
    const { device, terminal } = talk;
    const password = device.options.enablePassword;
    if (password === undefined && unset !== undefined) return unset;
    for (let count = 0; password !== undefined; count += 1) {
      if (count === tries) return wrong;
      const given = await terminal.readPassword(question, hidden);
      if (device.opens(given, device.model.accounts?.enable, password) ?? given === password) break;
    }
    talk.mode = 'privileged';
    onEnter?.(talk);
    return '';
  };
}
