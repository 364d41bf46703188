import { expect, it } from 'vitest';
import { withoutName } from './without-name.ts';

it.each([
  ['pdu-1: no answer', 'pdu-1', 'no answer'],
  ['pdu-1: pdu-1: no answer', 'pdu-1', 'no answer'],
  ['other-pdu-1: no answer', 'pdu-1', 'other-pdu-1: no answer'],
  ['no answer from pdu-1: timeout', 'pdu-1', 'no answer from pdu-1: timeout'],
  ['a.b: no answer', 'a?b', 'a.b: no answer'],
  ['pdu-1', 'pdu-1', 'pdu-1'],
])('%j without %j is %j', (text, name, rest) => {
  expect(withoutName(text, name)).toBe(rest);
});
