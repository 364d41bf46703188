/** Programs that run on other computers, each in a file beside the module that sends it. */
import { readFileSync } from 'node:fs';
import { shellWord } from './shell-word.ts';

/**
 * The text of a shell script, or of a program for another interpreter. Bundles contain the text instead of the call
 * (scripts/bundle/plugins.mjs), so write it as `script(new URL('./…', import.meta.url))`.
 */
export function script(file: URL): string {
  return readFileSync(file, 'utf8');
}

/** The script with its arguments, which everybody on the computer can read: pass secrets on standard input. */
export function withArguments(script: string, ...words: readonly (string | number)[]): string {
  const set = `set -- ${words.map((word) => shellWord(`${word}`)).join(' ')}\n`;
  // The first line of a program that is installed names its interpreter.
  return script.replace(/^(#!.*\n)?/, (first) => `${first}${set}`);
}
