import { expect, it } from 'vitest';
import { Locks } from './locks.ts';

it('gives each caller its turns in order, and a failure ends one', async () => {
  const turns = new Locks(2);
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (caller: string, name: string) =>
    turns.hold(caller, () => {
      started.push(name);
      return new Promise<string>((resolve, reject) => {
        ends.set(name, () => (name === 'a1' ? reject(new Error('failed')) : resolve(name)));
      });
    });
  const failed = expect(work('a', 'a1')).rejects.toThrow('failed');
  const others = ['a2', 'a3', 'a4'].map((name) => work('a', name));
  const another = work('b', 'b1');

  expect(started).toEqual(['a1', 'a2', 'b1']);
  ends.get('a1')?.();
  await failed;
  expect(started).toEqual(['a1', 'a2', 'b1', 'a3']);
  for (const name of ['a2', 'a3', 'b1']) ends.get(name)?.();
  await expect.poll(() => started.at(-1)).toBe('a4');
  ends.get('a4')?.();

  expect(await Promise.all([...others, another])).toEqual(['a2', 'a3', 'a4', 'b1']);
});
