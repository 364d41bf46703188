import { decode } from '@skolo/alerts';
import { describe, expect, it } from 'vitest';
import { messageLine } from './message-line.ts';

const published = Date.parse('2026-11-20T07:30:00Z');

function lineOf(data: string, attributes: Record<string, string> = {}): string {
  const decoded = decode(data, attributes);
  const message = { decoded, attributes, published, messageId: '1', data: Buffer.from(data) };
  return messageLine(message, false);
}

describe('the line of a message', () => {
  it('also decodes messages of the original', () => {
    const beat = lineOf('{"__name__":"HEALTHZ","skia_location":"skia-public"}');
    const alert = lineOf(
      '{"alertname":"BotMissing","severity":"critical","machine":"rpi-001","__state__":"active","skia_location":"rack4"}',
    );

    expect(beat).toBe('2026-11-20T07:30:00Z  skia-public  healthy    HEALTHZ');
    expect(alert).toBe('2026-11-20T07:30:00Z  rack4  firing     BotMissing  critical  rpi-001');
  });

  it('gives the reason for an unreadable message', () => {
    const line = lineOf('<html>', { location: 'rack4' });

    expect(line).toMatch(/^2026-11-20T07:30:00Z {2}rack4 {2}unreadable {2}\S/);
  });

  it('moves no cursor, and is one line', () => {
    const line = lineOf(
      JSON.stringify({ alertname: 'A\u001b[2J', summary: 'first\nsecond', __state__: 'active' }),
      { location: 'r\u001b[1A' },
    );

    expect(line).toBe('2026-11-20T07:30:00Z  r  firing     A  -  -  first second');
  });
});
