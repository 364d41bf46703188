import { expect, it } from 'vitest';
import { ScriptedAnswers } from './scripted.ts';

it('scripted answers apply in their order, to so many calls of these places', () => {
  const scripted = new ScriptedAnswers<string, 'get' | 'put'>();
  scripted.add('first', { at: ['get'], times: 1 });
  scripted.add('second', { times: 2 });
  scripted.add('last');

  const answers = (['put', 'get', 'get', 'get'] as const).map((place) => scripted.next(place));
  scripted.clear();

  expect(answers).toEqual(['second', 'first', 'second', 'last']);
  expect(scripted.next('get')).toBeUndefined();
});
