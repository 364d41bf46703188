import { Unreachable } from '@skolo/base/request';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { partFromMetadata } from './from-metadata.ts';
import { type Attribute, MetadataRejected } from './metadata-client.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Follows a server for a minute, and counts how often that was asked. */
async function askedInAMinute(attribute: (etag: string | undefined) => Promise<Attribute>) {
  const etags: (string | undefined)[] = [];
  const heard: unknown[] = [];
  const source = partFromMetadata({
    attribute: (_name, { etag }) => {
      etags.push(etag);
      return attribute(etag);
    },
  });
  source.start({ machinePart: (value) => heard.push(value), failed: () => undefined });
  await vi.advanceTimersByTimeAsync(60_000);
  await source.stop();
  return { etags, heard };
}

it('asks a server that does not wait for a change now and then, not all the time', async () => {
  const { etags, heard } = await askedInAMinute(async () => ({ text: '{}', etag: 'a' }));

  expect(heard.length).toBeGreaterThan(0);
  expect(etags.length).toBeLessThan(10);
});

it('does not ask all the time where everything is a change', async () => {
  let count = 0;
  const { etags } = await askedInAMinute(async () => ({ text: '{}', etag: String(count++) }));

  expect(etags.length).toBeLessThan(100);
});

it('receives a change at once from a server without etags', async () => {
  const { etags, heard } = await askedInAMinute(async () => ({ text: '{}', etag: '' }));

  expect(heard.length).toBe(etags.length);
  expect(etags.length).toBeLessThan(10);
});

it.each([
  [new Unreachable('connect ECONNREFUSED'), 'cannot be reached: connect ECONNREFUSED'],
  [
    new MetadataRejected('no identity for 192.168.1.9', 404),
    "does not recognise this machine's address: no identity for 192.168.1.9; add the address to rack.yaml",
  ],
  [new MetadataRejected('busy', 503), "did not return this machine's entry: busy"],
  [
    new MetadataRejected('http://metadata is not a metadata server', undefined),
    "did not return this machine's entry: http://metadata is not a metadata server",
  ],
])('reports why there is no entry: %s', async (error, why) => {
  const source = partFromMetadata({ attribute: () => Promise.reject(error) });

  const reported = await new Promise<string>((failed) => {
    source.start({ machinePart: () => undefined, failed });
  });
  await source.stop();

  expect(reported).toBe(`the metadata server ${why}`);
});
