import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a program, and returns what it prints; throws if it fails. */
export const run = promisify(execFile);
