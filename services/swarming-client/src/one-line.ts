/** Other programs' text as one line, without control sequences. @param most characters */
export function inOneLine(text: string, most?: number): string {
  return text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, most);
}
