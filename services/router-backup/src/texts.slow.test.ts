import { buffer } from 'node:stream/consumers';
import { sha256 } from '@skolo/base';
import { pack } from 'tar-stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Input, type TextLimits, Texts, TooMuchWork } from './texts.ts';

const key = Buffer.alloc(32, 1);

/** Its jobs have as much time as tests wait for anything. */
function start(limits: Partial<TextLimits> = {}): Texts {
  const texts = new Texts({ ms: 900_000, ...limits });
  onTestFinished(() => texts.close());
  return texts;
}

function masked(text: string, rules: readonly RegExp[] = []): Input<'text'> {
  return { content: Buffer.from(text), format: 'text', masking: { key, rules } };
}

const exponential = masked(`password ${'a'.repeat(64)}!`, [/^password (a|a)*b/]);
const itself = { name: '' };

describe('a text', () => {
  it('is masked in a thread, by the rules that it is given', async () => {
    const texts = start();
    const input = masked('hidden one\npassword two\n', [/^hidden (\S+)/]);

    const text = await texts.shown('text', { key: undefined, by: itself }, async () => input);

    expect(`${Buffer.from(text)}`).toMatch(/^hidden <secret \w+>\npassword <secret \w+>\n$/);
  });

  it('has no hash and size of a file in an archive that is not text', async () => {
    const archive = pack();
    archive.entry({ name: 'etc/secrets.db' }, '\0hunter2');
    archive.finalize();
    const content = await buffer(archive);
    const input = { content, format: 'tar' as const, masking: { key, rules: [] } };

    const masked = await start().run('text', input);
    const shown = await start().run('text', { ...input, masking: undefined });

    expect(`${Buffer.from(masked)}`).toMatch(
      /^===== etc\/secrets\.db, file 0644 0:0: <secret \w{12}>\n$/,
    );
    expect(`${Buffer.from(shown)}`).toContain(`8 bytes, SHA-256 ${sha256('\0hunter2')}`);
  });

  it.each([
    ['memory', { heapMegabytes: 16 }, masked('key a\nkey b\n'.repeat(400_000))],
    ['stack', {}, masked(`key "${'a'.repeat(16 << 20)}"`)],
  ])('that takes too much %s ends alone', async (_what, limits, input) => {
    const texts = start(limits);

    await expect(texts.run('text', input)).rejects.toThrow(TooMuchWork);

    // The start of the next thread is part of its time.
    const next = await vi.waitFor(() => texts.run('text', masked('password two')));
    expect(`${Buffer.from(next)}`).toMatch(/^password <secret \w+>$/);
  });

  it('ends when the service stops', async () => {
    const texts = start();
    const jobs = [exponential, masked('')].map((input) => texts.run('text', input));
    const ended = Promise.allSettled(jobs);

    await texts.close();

    const reason = expect.objectContaining({ message: 'the service is stopping' });
    expect(await ended).toEqual([1, 2].map(() => ({ status: 'rejected', reason })));
  });

  it('is prepared once, for everybody who may see it', async () => {
    const texts = start();
    let prepared = 0;
    const ask = (key: string | undefined) =>
      texts.shown('text', { key, by: { name: `${Math.random()}` } }, async () => {
        prepared += 1;
        return masked('text');
      });

    await Promise.all([ask('a'), ask('a'), ask('a')]);
    expect(prepared).toBe(1);
    await Promise.all([ask(undefined), ask(undefined)]);
    expect(prepared).toBe(3);
  });

  it('is forgotten where others take its place', async () => {
    const texts = start({ keptBytes: 10_000 });
    const prepared: string[] = [];
    const ask = (key: string) =>
      texts.shown('text', { key, by: itself }, async () => {
        prepared.push(key);
        return masked('x'.repeat(3000));
      });

    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) await ask(key);

    expect(prepared).toEqual(['a', 'b', 'c', 'b']);
  });
});

describe('callers', () => {
  it('take turns, however many requests one of them has', async () => {
    const texts = start();
    const done: string[] = [];
    const ask = async (name: string) => {
      await texts.shown('text', { key: undefined, by: { name } }, async () => masked(name));
      done.push(name);
    };

    await Promise.all([...Array.from({ length: 9 }, () => ask('eve')), ask('ann'), ask('bob')]);

    expect(done.indexOf('ann')).toBeLessThan(4);
    expect(done.indexOf('bob')).toBeLessThan(4);
  });

  it('are charged for size and time, and rejected before the work where nothing is left', async () => {
    const [texts, impatient] = [start(), start({ ms: 1000 })];
    let spent = 0;
    let budget = Infinity;
    const spend = (cost: number) => {
      if (spent >= budget) throw new Error('too many');
      spent += cost;
    };
    const ask = async (input: Input<'text'>, key?: string, thread = texts) => {
      spent = 0;
      await thread.shown('text', { key, by: { name: 'eve', spend } }, async () => input);
    };

    await ask(masked('x'.repeat(3 << 18)), 'large');
    expect(spent).toBeGreaterThanOrEqual(3);
    await ask(masked(''), 'large');
    expect(spent).toBe(3);
    // An expression that never ends.
    await expect(ask(exponential, undefined, impatient)).rejects.toThrow(TooMuchWork);
    // It ended alone. The start of the next thread is part of its time.
    await vi.waitFor(() => impatient.run('text', masked('password two')));
    expect(spent).toBeGreaterThanOrEqual(5);
    budget = 0;
    await expect(ask(masked('never'))).rejects.toThrow('too many');
  });
});
