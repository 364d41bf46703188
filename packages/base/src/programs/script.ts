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
  return inFront(script, `set -- ${words.map((word) => shellWord(`${word}`)).join(' ')}\n`);
}

/** The script with values for variables: for a program that is installed, and has arguments of its own. It begins with `: "${NAME:?}"`. */
export function withVariables(script: string, values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values).map(([name, value]) => `${name}=${shellWord(value)}\n`);
  return inFront(script, lines.join(''));
}

/** The script with text in front of it, such as functions that it calls. The first line of an installed program names its interpreter. */
export function inFront(script: string, text: string): string {
  return script.replace(/^(#!.*\n)?/, (first) => `${first}${text}`);
}

/**
 * A command with which Node runs a module with these arguments, which everybody on the computer can read.
 *
 * @param node by default, where `prepare` installs it
 */
export function nodeCommand(
  module: string,
  words: readonly (string | number)[],
  node = '/usr/bin/node',
): string {
  const given = [module, ...words].map((word) => shellWord(`${word}`));
  return `${node} --no-warnings --input-type=module -e ${given.join(' ')}`;
}
