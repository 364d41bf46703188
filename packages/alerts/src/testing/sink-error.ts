import { SinkError } from '../sink.ts';

/** The error that a sink throws; throws if there is none, or a different one. */
export async function sinkErrorOf(sending: Promise<void>): Promise<SinkError> {
  const error = await sending.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof SinkError) return error;
  throw new Error('no SinkError', { cause: error });
}
