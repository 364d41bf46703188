import { fakeClock } from '@skolo/common/testing';
import { expect, it } from 'vitest';
import { createNotices, type NoticeDraft } from './notices.ts';

it('the first dead letter of a sink is announced, and then their number once an hour', () => {
  const notices: NoticeDraft[] = [];
  const notify = async (notice: NoticeDraft) => void notices.push(notice);
  const clock = fakeClock();
  const emit = createNotices({
    intake: { notify },
    location: () => '',
    clock,
    emit: () => undefined,
  });
  const reject = (sink: string) => emit({ type: 'dead-letter', sink, why: 'no', code: '400' });

  for (const minutes of [0, 1, 58, 2, 30]) {
    clock.pass(minutes * 60_000);
    reject('pager');
  }
  reject('chat');

  expect(notices.map(({ facts }) => facts)).toEqual([
    { sink: 'pager', count: 1 },
    { sink: 'pager', count: 3 },
    { sink: 'chat', count: 1 },
  ]);
});
