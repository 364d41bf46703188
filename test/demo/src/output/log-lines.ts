/** Makes services' stdout readable, which is one JSON object per line. */
import { isObject } from '@skolo/base';
import { coloured } from './colour.ts';

interface LogStyle {
  /** Precedes each line. */
  service: string;
  /** Shorter service names are padded. */
  width: number;
  colour: boolean;
}

/** Contained in the line's other parts, or in the demo's own text. */
const notShown = new Set(['level', 'time', 'service', 'msg', 'version', 'err']);

/** One line of a service's log for people, followed by more lines for lists or a stack. */
export function readableLine(line: string, style: LogStyle): string {
  const event = parseEvent(line);
  if (event === undefined) return `${prefix(style, new Date())}${line}`;
  const { level, msg, time } = event;
  const { inline, lists } = factsOf(event);
  const first = [paint(wordOf(level) + msg, level, style), ...inline].join('  ');
  const at = typeof time === 'string' || typeof time === 'number' ? new Date(time) : new Date();
  return [prefix(style, at) + first, ...lists.map((text) => `  ${text}`)].join('\n');
}

/** The port that each service's log line `listening` names; undefined for all other lines. */
export function listeningPort(line: string): number | undefined {
  const event = parseEvent(line);
  if (event?.msg !== 'listening' || typeof event.port !== 'number') return undefined;
  return event.port;
}

/** Whether a service reports that its port is not available. */
export function cannotListen(line: string): boolean {
  return parseEvent(line)?.msg === 'cannot listen';
}

interface LogEvent extends Record<string, unknown> {
  msg: string;
}

function parseEvent(line: string): LogEvent | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEvent(value: unknown): value is LogEvent {
  return isObject(value) && typeof value.msg === 'string';
}

function factsOf(event: LogEvent): { inline: string[]; lists: string[] } {
  const inline: string[] = [];
  const lists: string[] = [];
  for (const [key, value] of Object.entries(event)) {
    if (notShown.has(key)) continue;
    if (isListOfText(value)) lists.push(...value);
    else inline.push(`${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  }
  if (isError(event.err)) {
    inline.push(event.err.message);
    // Errors with a code are expected, and their message says what to do. Others are printed with their stack.
    if (event.err.code === undefined) lists.push(...stackOf(event.err));
  }
  return { inline, lists };
}

interface LoggedError {
  message: string;
  code?: unknown;
  stack?: unknown;
}

function isError(value: unknown): value is LoggedError {
  return isObject(value) && typeof value.message === 'string';
}

function stackOf({ stack }: LoggedError): string[] {
  if (typeof stack !== 'string') return [];
  return stack.split('\n').filter((line) => /^\s*at /.test(line));
}

function isListOfText(value: unknown): value is string[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string')
  );
}

function wordOf(level: unknown): string {
  return level === 'warn' ? 'WARNING ' : isBad(level) ? 'ERROR ' : '';
}

function isBad(level: unknown): boolean {
  return level === 'error' || level === 'fatal';
}

function paint(text: string, level: unknown, { colour }: LogStyle): string {
  if (!colour || !(isBad(level) || level === 'warn')) return text;
  return coloured(isBad(level) ? 'red' : 'yellow', text);
}

function prefix({ service, width, colour }: LogStyle, at: Date): string {
  const time = at.toTimeString().slice(0, 8);
  const text = `${time} ${service.padEnd(width)}  `;
  return colour ? coloured('dim', text) : text;
}
