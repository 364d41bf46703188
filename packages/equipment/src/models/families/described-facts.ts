/** Common parts of models that are described in rack.yaml: templates, and expressions that parse an answer. */
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '@skolo/base';
import { z } from 'zod';
import {
  type Contradiction,
  literal,
  type Numbering,
  named,
  type Options,
} from '../contract/model.ts';

/** A JavaScript regular expression, as text. `[0-9]` is not a range of names in it. */
export const expression = literal(
  z
    .string()
    .min(1)
    .max(1000)
    .refine(isExpression, { error: ({ input }) => `"${input}" is not a regular expression` }),
);

export function isExpression(source: string): boolean {
  try {
    new RegExp(source);
    return true;
  } catch {
    return false;
  }
}

/** How to parse an answer: which text means on, and which off. An answer that matches neither or both is a failure. */
export const readBack = {
  on: expression.describe('Regular expression that matches the reported state “on”.'),
  off: expression.describe('Regular expression that matches the reported state “off”.'),
};

/** Outlets named by the templates; `outlets` limits them if they are numbers. */
export const free: Numbering = {
  ...named('outlet', 'names such as 1 or lamp', () => undefined),
  range: (options) =>
    options.outlets === undefined ? 'names such as 1 or lamp' : `1 to ${options.outlets}`,
  find(outlet, options) {
    if (options.outlets === undefined) return /^[\w.:-]{1,60}$/.test(outlet) ? outlet : undefined;
    return /^[1-9]\d{0,3}$/.test(outlet) && Number(outlet) <= Number(options.outlets)
      ? outlet
      : undefined;
  },
  only: (options) => (options.outlets === 1 ? '1' : undefined),
};

export const outlets = z
  .number()
  .int()
  .min(1)
  .max(9999)
  .exactOptional()
  .describe('Number of outlets, if they are numbered from 1.');

/** Which of these templates lack the outlet: without it, a device might switch all of them. */
export function withoutOutlet(
  options: Options,
  keys: readonly string[],
  names = /\{outlet\}/,
): Contradiction[] {
  if (options.outlets === 1) return [];
  const lacking = keys.filter((key) => !names.test(JSON.stringify(options[key] ?? '')));
  const what = 'does not contain the outlet; add {outlet}, or set `outlets: 1`';
  return lacking.map((key) => ({ key, what }));
}

interface Commands {
  /** With their keys. */
  on: [key: string, value: unknown];
  off: [key: string, value: unknown];
  /** What a reading sends. */
  query: [key: string, value: unknown];
  read: unknown;
}

/** What cannot be told apart: on and off, the states that they lead to, or a reading that would switch. */
export function sameTwice({ on, off, query, read }: Commands): Contradiction[] {
  const found: Contradiction[] = [];
  if (isDeepStrictEqual(on[1], off[1]))
    found.push({ key: off[0], what: `is the same as \`${on[0]}\`; correct one of them` });
  const [key, sent] = query;
  const command = [on, off].find(([, value]) => isDeepStrictEqual(value, sent));
  if (command !== undefined)
    found.push({
      key,
      what: `sends the same as \`${command[0]}\`, so reading would switch; correct it`,
    });
  if (isObject(read) && read.on === read.off)
    found.push({ key: 'read', what: 'has the same expression for on and off; correct it' });
  return found;
}
