/** Puts text of other programs or people on one line, without control characters. @param most characters */
export function oneLine(text: string, most?: number): string {
  return text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, most)
    .replace(/ ?\p{Cs}?$/u, '');
}
