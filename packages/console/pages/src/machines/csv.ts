/**
 * A table as text for spreadsheets (RFC 4180).
 *
 * Spreadsheets execute a cell that begins with one of these characters, also behind spaces, and even if it is quoted. Machines may report
 * such text. An apostrophe in front of it makes it text: https://owasp.org/www-community/attacks/CSV_Injection
 */
const formula = /^[\s=+\-@|＝＋－＠]/u;

/** @param rows the first one names the columns */
export function csvOf(rows: readonly (readonly (string | number | undefined)[])[]): string {
  return rows.map((row) => `${row.map(cellOf).join(',')}\r\n`).join('');
}

function cellOf(value: string | number | undefined): string {
  if (value === undefined || typeof value === 'number') return String(value ?? '');
  const text = formula.test(value) ? `'${value}` : value;
  // Always quoted, because some spreadsheets also split at semicolons and tabs.
  return `"${text.replaceAll('"', '""')}"`;
}
