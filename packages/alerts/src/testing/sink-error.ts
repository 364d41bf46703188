import { SinkError } from '../sink.ts';

/** What a sink throws; throws itself where that is nothing, or something else. */
export async function sinkErrorOf(sending: Promise<void>): Promise<SinkError> {
  const error = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof SinkError) return error;
  throw new Error('no SinkError', { cause: error });
}
