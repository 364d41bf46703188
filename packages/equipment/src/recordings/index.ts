/** Recordings: answers of equipment, in files that people can pass on. */
export { Recorder } from './recorder.ts';
export { type Reading, Recording, recordingFile } from './recording.ts';
export { Redaction } from './redaction.ts';
