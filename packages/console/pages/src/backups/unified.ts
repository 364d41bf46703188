/** Reads a unified diff. */

interface Line {
  number: number;
  text: string;
}

export type Row = { gap: string } | { older?: Line; newer?: Line };

/** Rows of two columns: removed lines next to their replacements. */
export function rowsOf(diff: string): Row[] {
  const rows: Row[] = [];
  let removed: Line[] = [];
  let added: Line[] = [];
  let [older, newer] = [0, 0];
  let isInHunk = false;

  function flush() {
    const count = Math.max(removed.length, added.length);
    for (let i = 0; i < count; i += 1) {
      const [left, right] = [removed[i], added[i]];
      rows.push({ ...(left && { older: left }), ...(right && { newer: right }) });
    }
    removed = [];
    added = [];
  }

  for (const line of diff.split('\n')) {
    const [, from, to, rest] = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)$/.exec(line) ?? [];
    if (from !== undefined) {
      flush();
      isInHunk = true;
      [older, newer] = [Number(from), Number(to)];
      rows.push({ gap: `line ${from}${rest ?? ''}` });
    } else if (!isInHunk) continue;
    else if (line.startsWith('-')) {
      removed.push({ number: older, text: line.slice(1) });
      older += 1;
    } else if (line.startsWith('+')) {
      added.push({ number: newer, text: line.slice(1) });
      newer += 1;
    } else if (line.startsWith(' ')) {
      flush();
      const text = line.slice(1);
      rows.push({ older: { number: older, text }, newer: { number: newer, text } });
      older += 1;
      newer += 1;
    }
  }
  flush();
  return rows;
}
