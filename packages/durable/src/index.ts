export { FileNotWritten, readFileIfExists, writeFileAtomic } from './atomic-file.ts';
