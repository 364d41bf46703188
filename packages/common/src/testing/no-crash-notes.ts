import { CrashNotes } from '../health/crash-notes.ts';
import { memoryDegraded } from './memory-degraded.ts';
import { memoryLog } from './memory-log.ts';

/** For a part of a service that no test kills. */
export const noCrashNotes = new CrashNotes({ degraded: memoryDegraded(), log: memoryLog().log });
