import { describe, expect, it } from 'vitest';
import { findCommand } from './command-table.ts';

const commands = [
  'show poe status all',
  'show poe status <port>',
  'show port <port>',
  'poe opmode auto|shutdown',
  'poe opmode passive24v',
  'description <text…>',
  'exit',
  'enable',
].map((pattern) => ({ pattern, run: pattern }));

describe('findCommand', () => {
  it.each([
    ['exit', 'exit', ['exit']],
    ['EN', 'enable', ['enable']],
    ['sh poe st 0/3', 'show poe status <port>', ['show', 'poe', 'status', '0/3']],
    ['show poe status all', 'show poe status all', ['show', 'poe', 'status', 'all']],
    ['poe op shut', 'poe opmode auto|shutdown', ['poe', 'opmode', 'shutdown']],
    ['poe op pass', 'poe opmode passive24v', ['poe', 'opmode', 'passive24v']],
    ['desc a  phone ', 'description <text…>', ['description', 'a  phone']],
  ])('takes %j for %j', (line, run, words) => {
    expect(findCommand(commands, line)).toEqual({ kind: 'command', run, words });
  });

  it.each([
    ['e', { kind: 'ambiguous' }],
    ['show po 0/3', { kind: 'ambiguous' }],
    ['show poe status', { kind: 'incomplete' }],
    ['show poe nonsense', { kind: 'invalid', column: 9 }],
    ['  poe opmode up', { kind: 'invalid', column: 13 }],
    ['exit now', { kind: 'invalid', column: 5 }],
  ])('rejects %j', (line, found) => {
    expect(findCommand(commands, line)).toEqual(found);
  });
});
