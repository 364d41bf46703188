/** Recordings: answers of equipment, in files that people can pass on. */
export { neededPlaces } from './needed.ts';
export { Recorder } from './recorder.ts';
export { type Reading, RecordedTalk, Recording, recordingFile } from './recording.ts';
export { type IsNeeded, Redaction } from './redaction.ts';
export { replayOf } from './replay.ts';
