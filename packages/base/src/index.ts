/** Error texts without secrets, deadlines, pauses, parallel work, value checks and shell quoting. Every package may import it. */
export { addChunk, bytesUpTo } from './bytes-up-to.ts';
export { closing } from './closing.ts';
export { count } from './count.ts';
export {
  asError,
  errorCode,
  errorText,
  isDiskFull,
  loggedError,
  redacted,
  stripSecrets,
} from './error-text.ts';
export { exitCodes } from './exit-codes.ts';
export type { Finding, FindingState } from './finding.ts';
export { ifThere } from './if-there.ts';
export { inParallel } from './in-parallel.ts';
export { inTurns } from './in-turns.ts';
export { jsonShare, measureJson, mostPerByte } from './json/memory.ts';
export { isObject, parseJson } from './json/parse-json.ts';
export { lazily } from './lazily.ts';
export { NamedError } from './named-error.ts';
export { oneLine } from './one-line.ts';
export {
  inFront,
  nodeCommand,
  script,
  withArguments,
  withVariables,
} from './programs/script.ts';
export { shellWord } from './programs/shell-word.ts';
export { tempFolder } from './programs/temp-folder.ts';
export { keyFingerprint, sha256, sha256Bytes, sha256OfFile } from './sha256.ts';
export { type BackOffOptions, backOffMs } from './time/back-off.ts';
export { readBootId } from './time/boot-id.ts';
export { threadCpuMs } from './time/cpu-time.ts';
export { orAborted, settlesWithin, withDeadline } from './time/deadline.ts';
export { inOrder } from './time/in-order.ts';
export { isoTime } from './time/iso-time.ts';
export { longestTimerMs, pause } from './time/pause.ts';
export { type Repetition, repeat } from './time/repeat.ts';
export { stopwatch } from './time/stopwatch.ts';
export { withoutName } from './without-name.ts';
