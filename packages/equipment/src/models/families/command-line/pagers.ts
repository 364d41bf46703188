/** Pagers that wait for a key: the line that they show, and the key that continues. */
import type { Pager } from '@skolo/equipment/transports';

/** `--More-- or (q)uit`, of Fastpath. */
export const fastpathPager: Pager = { line: /^--More-- or \(q\)uit$/, key: ' ' };
/** ` --More-- `, of IOS and its relatives. */
export const iosPager: Pager = { line: /^--More--$/i, key: ' ' };
/** `-- MORE --, next page: Space, …`, of ProCurve. */
export const procurvePager: Pager = {
  line: /^-- MORE --, next page: Space, next line: Enter, quit: (?:Control-C|q)$/,
  key: ' ',
};

/** All known pagers, for unknown devices. */
export const allPagers: readonly Pager[] = [
  fastpathPager,
  iosPager,
  // `-- [Q quit|D dump|down]`, of RouterOS: D shows all the rest.
  { line: /^-- \[Q quit\|.*\]$/, key: 'd' },
  // more(1) and `--More--(byte 1234)`
  { line: /^--More--\s?\([^()]*\)$/i, key: ' ' },
  procurvePager,
  // `---(more 12%)---`, of Junos.
  { line: /^---\(more(?: \d+%)?\)---$/, key: ' ' },
  // ASA
  { line: /^<--- More --->$/, key: ' ' },
  // D-Link, TP-Link
  { line: /^Press any key (?:to continue )?\(Q to quit\)$/i, key: ' ' },
  // less(1), of EOS, VyOS, FRR
  { line: /^lines \d+-\d+(?:\/\d+)?(?: \d+%)?$/, key: ' ' },
  { line: /^:$/, key: ' ' },
  { line: /^(?:lines \d+-\d+(?:\/\d+)? )?\(END\)$/, key: 'q' },
];
