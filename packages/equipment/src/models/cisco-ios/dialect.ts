/**
 * Cisco IOS, IOS-XE, and similar command lines: `host>`, `host#`, `host(config-if)#`.
 *
 * In configuration modes the host name is cut to 20 characters. Log messages appear anywhere, even after a prompt, which is then not
 * repeated. Lines wider than the terminal are scrolled and cut with `$`.
 *
 * Sources: Cisco IOS Configuration Fundamentals, "Using the Command-Line Interface"; System Message Guide for the form of log messages.
 */

import { type Dialect, escapePattern } from '@skolo/equipment/transports';
import { iosLike } from '../families/command-line/ios-like.ts';

/** Length of a host name in a configuration mode. */
const longestInMode = 20;

export const ciscoIos: Dialect = {
  ...iosLike,
  name: 'cisco-ios',
  prompt: /^(?<base>[A-Za-z0-9][\w.:/@+-]{0,62})(?:\([\w.:/-]+\))?[>#]$/,
  prompts(base) {
    const names = [base, base.slice(0, longestInMode)].map(escapePattern);
    return `(?:${names.join('|')})(?:\\([\\w.:/-]+\\))?[>#]`;
  },
  // `% Invalid input detected at '^' marker.`; not `%LINK-3-UPDOWN:`, not `% Warning:`
  errors: [
    /^% ?(?!warning)(?![A-Z0-9_]+-\d-[A-Z0-9_]+:)[A-Za-z]/i,
    /^Command (?:authorization failed|rejected)/i,
    /^(?:Access denied|ERROR: )/i,
  ],
  // `*Mar  1 00:05:33.123: %LINK-3-UPDOWN: …`, `000042: Nov 20 …: %…`, `19-Nov-2026 10:00:00 %LINK-W-Down: …`
  noise: [
    /^(?:[*.]?(?=\S*\d|[A-Z][a-z]{2} )\S+ +(?:[\w:.+-]+ +){0,5}:?)?%[A-Z]\w*(?:-\w+)*-[0-7A-Z]-\w+: /,
  ],
  // From `terminal exec prompt timestamp`.
  preamble: [
    /^Load for five secs: \d+%/,
    /^(?:Time source is [\w -]+|No time source), [*.]?\d\d:\d\d:\d\d/,
  ],
};
