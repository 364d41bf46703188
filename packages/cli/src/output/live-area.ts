/**
 * Lines at the bottom of a terminal that are drawn over. Only control functions that every terminal since the VT100
 * knows (ECMA-48): cursor up, erase in line, erase in page. The cursor stays visible and at the beginning of the line
 * below, so that whatever ends the process leaves the terminal as it should be.
 */
import { stripVTControlCharacters } from 'node:util';
import type { Io } from '../io.ts';
import { widthOf } from './text.ts';

export class LiveArea {
  private readonly io: Pick<Io, 'draw' | 'columns'>;
  private shown: readonly string[] = [];

  constructor(io: Pick<Io, 'draw' | 'columns'>) {
    this.io = io;
  }

  /**
   * Draws the lines in place of those before.
   *
   * @param lines fewer than the terminal has, each narrower than it: a terminal is of two minds about its last column
   */
  show(lines: readonly string[]): void {
    const drawn = lines.map((line) => `\x1b[2K${line}\n`).join('');
    this.io.draw(`${this.toTop()}${drawn}\x1b[J`);
    this.shown = lines;
  }

  /** Takes the lines away. What is printed then stands where they were. */
  clear(): void {
    this.io.draw(`${this.toTop()}\x1b[J`);
    this.shown = [];
  }

  private toTop(): string {
    const rows = this.shown.reduce((sum, line) => sum + this.rowsOf(line), 0);
    return rows === 0 ? '\r' : `\r\x1b[${rows}A`;
  }

  /** More than one where the window was made narrower meanwhile. */
  private rowsOf(line: string): number {
    const { columns } = this.io;
    const width = widthOf(stripVTControlCharacters(line));
    return columns === undefined ? 1 : Math.max(1, Math.ceil(width / columns));
  }
}
