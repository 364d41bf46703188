import { describe, expect, it } from 'vitest';
import { didYouMean, nearest, withHint } from './suggest.ts';

describe('nearest', () => {
  it.each([
    ['pwoer', 'power'],
    ['adress', 'address'],
    ['Edgeswitch', 'edgeswitch'],
    ['uplnk', 'uplink'],
    ['colour', undefined],
    ['', undefined],
    ['x', undefined],
  ])('%s: %s', (typed, expected) => {
    expect(nearest(typed, ['address', 'power', 'uplink', 'edgeswitch', 'mac'])).toBe(expected);
  });

  it('takes the first of equals', () => {
    expect(nearest('switch-4', ['switch-1', 'switch-2'])).toBe('switch-1');
  });
});

describe('didYouMean', () => {
  it('says nothing where nothing is near', () => {
    expect(didYouMean('bots', ['jumphost'])).toBe('');
    expect(didYouMean('bot', ['bots'])).toBe('; did you mean "bots"?');
  });

  it('appends a hint only without a question', () => {
    expect(didYouMean('bots', ['jumphost'], 'run skolo racks')).toBe('; run skolo racks');
    expect(didYouMean('bot', ['bots'], 'run skolo racks')).toBe('; did you mean "bots"?');
  });
});

it('a hint is a new sentence if the message is a question', () => {
  expect(withHint('no such rack', 'run skolo racks')).toBe('no such rack; run skolo racks');
  expect(withHint('did you mean "x"?', 'run skolo racks')).toBe(
    'did you mean "x"? Run skolo racks',
  );
});
