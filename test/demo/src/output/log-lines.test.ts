import { describe, expect, it } from 'vitest';
import { listeningPort, readableLine } from './log-lines.ts';

const style = { service: 'router-backup', width: 15, colour: false };
const time = '2026-11-20T08:15:31.123Z';
const clock = new Date(time).toTimeString().slice(0, 8);

function readable(event: object) {
  return readableLine(JSON.stringify({ level: 'info', time, service: 'x', ...event }), style);
}

describe('readableLine', () => {
  it('shows message and facts on one line', () => {
    const line = readable({
      msg: 'listening',
      port: 8003,
      switch: { name: 'a' },
      version: '0.1.0',
    });

    expect(line).toBe(`${clock} router-backup    listening  port=8003  switch={"name":"a"}`);
  });

  it('shows each problem of rack.yaml on a line of its own', () => {
    const problems = ['rack.yaml:3:5 machines: is missing', 'rack.yaml:9:1 x: unknown key'];

    const line = readable({
      level: 'error',
      msg: 'rack.yaml rejected',
      file: 'rack.yaml',
      problems,
    });

    expect(line).toBe(
      `${clock} router-backup    ERROR rack.yaml rejected  file=rack.yaml
  rack.yaml:3:5 machines: is missing
  rack.yaml:9:1 x: unknown key`,
    );
  });

  it('shows the message of an error that was foreseen, and the stack of one that was not', () => {
    const stack = 'Error: port 80 is taken\n    at listen (listen.ts:3:1)';
    const err = { type: 'Error', message: 'port 80 is taken', stack };
    const start = `${clock} router-backup    WARNING failed  port 80 is taken`;

    expect(readable({ level: 'warn', msg: 'failed', err: { ...err, code: 'X' } })).toBe(start);
    expect(readable({ level: 'warn', msg: 'failed', err })).toBe(
      `${start}\n      at listen (listen.ts:3:1)`,
    );
  });

  it.each(['not JSON', '{"a": 1}', '{broken', '[]'])('shows %s as it is', (line) => {
    expect(readableLine(line, style)).toMatch(/^\d\d:\d\d:\d\d router-backup {4}/);
    expect(readableLine(line, style).slice(-line.length)).toBe(line);
  });

  it('colours errors and warnings only', () => {
    const coloured = (level: string) =>
      readableLine(JSON.stringify({ level, time, msg: 'this' }), { ...style, colour: true });

    expect(coloured('error')).toContain('\u001b[31mERROR this');
    expect(coloured('warn')).toContain('\u001b[33mWARNING this');
    expect(coloured('info')).toMatch(/this$/);
  });
});

describe('listeningPort', () => {
  it('knows the line by its message', () => {
    expect(listeningPort('{"msg":"listening","port":80}')).toBe(80);
    expect(listeningPort('{"msg":"stopping","port":80}')).toBeUndefined();
    expect(listeningPort('listening')).toBeUndefined();
  });
});
