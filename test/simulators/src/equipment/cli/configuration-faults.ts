/**
 * What can go wrong while a device shows its configuration, for all command lines.
 *
 * A model does two things, and does not depend on individual faults:
 *
 *     // What it shows is composed with the lines that a fault adds, each in the form of its configuration (a comment, a
 *     // description); a size or checksum is told of the whole. `running()` of the device composes it in the same way.
 *     const text = compose(settings, core.addedLines().map((line) => `! ${line}`));
 *     // It is marked as the configuration where it is shown; everything else is done by the terminal.
 *     return terminal.session.configuration(text);
 *
 * A shell marks the files that are one: `UnixBox.files.isConfiguration(path)`. Where a model has its own wording, it says so in
 * `CoreOptions.configurationWords`: its log line, its error text.
 */
import type { DeviceFault } from '../device.ts';
import { escapeByte } from './text-bytes.ts';

export interface ConfigurationWords {
  /** A message of its log, which may appear anywhere. */
  logLine: string;
  /** Replaces the configuration, including its newline. */
  error: string;
}

export const usualWords: ConfigurationWords = {
  logLine: '<190> Nov 20 10:37:49 UBNT-1 TRAPMGR[trapTask]: traputil.c(721) 213 %% Link Up: 0/5',
  error: '% Authorization failed.\n',
};

interface State {
  has(fault: DeviceFault): boolean;
  hugeBytes: number;
}

const hugeLine =
  'that nobody has looked at since, and that nobody dares to remove, whatever it does';

const controlBytes = 'red \x1b[31mport\x1b[0m, a\rb, c\b\bd, e\0f, \x07';

/** Lines that a fault adds to the configuration. `prompt` is the device's command prompt, `logLine` the format of its log messages. */
export function addedLines(faults: State, prompt: string, logLine: string): string[] {
  const lines: string[] = [];
  if (faults.has('line-like-log')) lines.push(...logLine.split('\n'));
  if (faults.has('control-bytes')) lines.push(controlBytes);
  if (faults.has('prompt-in-configuration')) lines.push(prompt);
  if (faults.has('odd-bytes')) {
    lines.push(`caf${escapeByte(0xe9)} ${escapeByte(0xff)}${escapeByte(0x80)} 4.OG`);
  }
  if (faults.has('huge-configuration')) {
    const count = Math.ceil(faults.hugeBytes / (hugeLine.length + 10));
    for (let i = 0; i < count; i++) lines.push(`${String(i).padStart(8, '0')} ${hugeLine}`);
  }
  return lines;
}

/** A text that ends early: whole lines, from a third to nine tenths, different each `time`. */
export function cutShort(text: string, time: number): string {
  const part = 0.33 + ((time * 0.37) % 0.57);
  return text.slice(0, text.lastIndexOf('\n', Math.floor(text.length * part)) + 1);
}

const logPlaces = [0.8, 0.5, 0.2];

/** With log messages between lines, at different places each `time`. */
export function withLogLines(text: string, logLine: string, time: number): string {
  const lines = text.split('\n');
  for (const place of placesOf(lines, time)) lines.splice(place, 0, logLine);
  return lines.join('\n');
}

/** With log messages in the middle of lines, in different ones each `time`. */
export function withLogInside(text: string, logLine: string, time: number): string {
  const lines = text.split('\n');
  for (const place of placesOf(lines, time)) {
    const line = lines[place] ?? '';
    const middle = Math.ceil(line.length / 2);
    lines.splice(place, 1, line.slice(0, middle), logLine, line.slice(middle));
  }
  return lines.join('\n');
}

/** From the last one to the first. */
function placesOf(lines: readonly string[], time: number): number[] {
  const shift = (time * 0.037) % 0.18;
  return [...new Set(logPlaces.map((part) => Math.floor(lines.length * (part + shift))))];
}

const oddEnds = ['\r\r\n', '\n\r', '\r\n', '\r\0\n'];

/** Inconsistent line ends; the text on a screen is the same. */
export function withOddEnds(text: string): string {
  let count = 0;
  return text.replace(/\r?\n/g, () => oddEnds[count++ % oddEnds.length] ?? '\n');
}

export const longBanner = Array.from(
  { length: 500 },
  (_, i) => `* ${String(i + 1).padStart(3)} * Authorized use only. All you do here is seen. *\n`,
).join('');
