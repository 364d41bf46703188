/** The last lines of agent and bot, in memory: a Pi's SD card is not for logs. */

export interface RecentLine {
  /** Grows by one with each line. */
  number: number;
  at: Date;
  from: 'agent' | 'bot';
  text: string;
}

const mostLines = 1000;
const mostCharacters = 256 * 1024;
const longest = 2000;

export class RecentLines {
  private readonly lines: RecentLine[] = [];
  private characters = 0;
  private next = 0;

  add(from: RecentLine['from'], text: string, at: Date): void {
    const kept = text.length > longest ? `${text.slice(0, longest)} …` : text;
    this.lines.push({ number: this.next, at, from, text: kept });
    this.next += 1;
    this.characters += kept.length;
    while (this.lines.length > mostLines || this.characters > mostCharacters) {
      this.characters -= this.lines.shift()?.text.length ?? 0;
    }
  }

  /** The last ones, the newest last. */
  last(count: number, after = -1): RecentLine[] {
    return this.lines.filter(({ number }) => number > after).slice(-count);
  }
}
