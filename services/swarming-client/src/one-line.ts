/** Text of others as one line, without what a terminal would obey. */
export function inOneLine(text: string): string {
  return text.replace(/[\p{C}\s]+/gu, ' ').trim();
}
