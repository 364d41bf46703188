import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { Secret } from '@skolo/base/secrets';
import { describe, expect, it } from 'vitest';
import { memoryLog } from '../testing/memory-log.ts';
import { createLogger, logWith, prettyLines } from './log.ts';

describe('createLogger', () => {
  it('writes one JSON object a line', () => {
    const { log, text, lines } = memoryLog();

    log.info({ device: 'switch-1', note: 'two\nlines' }, 'unreachable');

    expect(text().match(/\n/g)).toHaveLength(1);
    expect(lines()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        service: 'test',
        device: 'switch-1',
        note: 'two\nlines',
        msg: 'unreachable',
      },
    ]);
  });

  it.each([
    { token: 'hunter2' },
    { headers: { authorization: 'hunter2', cookie: 'hunter2' } },
    { req: { headers: { 'set-cookie': 'hunter2', authorization: 'hunter2' } } },
    { login: { password: 'hunter2', snmp: { authKey: 'hunter2' } } },
    {
      err: new Error('POST https://u:hunter2@host/?q=hunter2', {
        cause: new Error('Bearer hunter2'),
      }),
    },
    { secretValue: new Secret('hunter2') },
    { a: { b: { c: [{ d: { token: 'hunter2' } }] } } },
    { answers: [Object.assign(new Error('401'), { config: { headers: { cookie: 'hunter2' } } })] },
    { tried: [new Error('GET https://u:hunter2@host/')] },
    // As errors of some HTTP clients have it.
    {
      tried: [
        Object.assign(new Error('401'), { toJSON: () => ({ headers: { cookie: 'hunter2' } }) }),
      ],
    },
  ])('hides the secret in %o', (fields) => {
    const { log, text } = memoryLog();

    log.info(fields, 'event');

    expect(text()).toContain('event');
    expect(text()).not.toContain('hunter2');
  });

  it('hides what a part of the log always says', () => {
    const { log, text } = memoryLog();

    logWith(log, { device: 'switch-1', login: { password: 'hunter2' } }).info(
      { port: 22 },
      'event',
    );

    expect(text()).toContain('"device":"switch-1","login":{"password":"<secret>"}');
  });

  it('writes an object that contains itself', () => {
    const { log, lines } = memoryLog();
    const device: { name: string; self?: object } = { name: 'switch-1' };
    device.self = device;

    log.info({ device }, 'event');

    expect(lines()).toMatchObject([
      { msg: 'event', device: { self: { self: { name: 'switch-1' } } } },
    ]);
  });

  it('leaves out what is below its level', () => {
    const { text, destination } = memoryLog();
    const log = createLogger({ service: 'test', level: 'warn', destination });

    log.info('quiet');

    expect(text()).toBe('');
  });
});

it('prettyLines is for people: a line of text, and the facts below', async () => {
  const terminal = new PassThrough({ encoding: 'utf8' });
  const destination = await prettyLines(terminal);

  createLogger({ service: 'test', destination }).info({ port: 80 }, 'listening');

  const [text] = await once(terminal, 'data');
  expect(text).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] .*INFO.*: .*listening.*\n.*port.*: 80\n$/);
});
