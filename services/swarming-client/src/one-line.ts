/** Text of others as one line, without what a terminal would obey. @param most characters */
export function inOneLine(text: string, most?: number): string {
  return text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, most);
}
