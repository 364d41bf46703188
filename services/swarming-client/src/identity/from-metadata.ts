/** The machine's part of rack.yaml, from the metadata server, followed by waiting for each change. */

import { backOffMs, errorText, parseJson, pause } from '@skolo/base';
import { Unreachable } from '@skolo/base/request';
import type { PartSource } from './identity.ts';
import { type Attribute, type MetadataClient, MetadataRejected } from './metadata-client.ts';

const backOff = { firstMs: 1000, maxMs: 60_000 };
/** Between two changes; and if the server does not wait for one, because it has no etags or returns the same. */
const changePauseMs = 1000;
const noWaitPauseMs = 30_000;
/** A server that waits does so longer than this. */
const leastWaitMs = 5000;

export function partFromMetadata(client: Pick<MetadataClient, 'attribute'>): PartSource {
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> = Promise.resolve();

  async function run(report: Parameters<PartSource['start']>[0]) {
    let etag: string | undefined;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const from = performance.now();
        const attribute = await client.attribute('skolo-machine', { etag, signal });
        report.machinePart(parse(attribute));
        failures = 0;
        const isSame = attribute.etag === etag && performance.now() - from < leastWaitMs;
        etag = attribute.etag === '' ? undefined : attribute.etag;
        const hasWaited = etag !== undefined && !isSame;
        await pause(hasWaited ? changePauseMs : noWaitPauseMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        etag = undefined;
        report.failed(whyNot(error));
        await pause(backOffMs(failures, backOff), signal).catch(() => undefined);
      }
    }
  }

  return {
    from: 'metadata-server',
    start(report) {
      running = run(report);
    },
    async stop() {
      stopping.abort();
      await running.catch(() => undefined);
    },
  };
}

function parse({ text }: Attribute): unknown {
  const value = parseJson(text);
  if (value === undefined) {
    throw new MetadataRejected('the attribute skolo-machine is not JSON', 200);
  }
  return value;
}

function whyNot(error: unknown): string {
  const text = errorText(error);
  if (error instanceof Unreachable) return `the metadata server cannot be reached: ${text}`;
  const isUnknown = error instanceof MetadataRejected && [403, 404].includes(error.status ?? 0);
  return isUnknown
    ? `the metadata server does not recognise this machine's address: ${text}; add the address to rack.yaml`
    : `the metadata server did not return this machine's entry: ${text}`;
}
