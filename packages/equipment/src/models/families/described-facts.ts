/** Common parts of models that are described in rack.yaml: templates, and expressions that parse an answer. */
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '@skolo/base';
import { z } from 'zod';
import {
  type Contradiction,
  counted,
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

const names = named('outlet', 'names such as 1 or lamp', (outlet) =>
  /^[\w.:-]{1,60}$/.test(outlet) ? outlet : undefined,
);
const numbers = counted('outlet', 'outlets');
const numbering = ({ outlets: count }: Options) => (count === undefined ? names : numbers);

/** Outlets named by the templates, or numbers if there is their count, `outlets`. */
export const free: Numbering = {
  noun: 'outlet',
  range: (options) => numbering(options).range(options),
  find: (outlet, options) => numbering(options).find(outlet, options),
  all: (options) => numbering(options).all?.(options) ?? [],
  only: (options) => numbering(options).only?.(options),
};

export const outlets = z
  .number()
  .int()
  .min(1)
  .max(9999)
  .exactOptional()
  .describe('Number of outlets, if they are numbered from 1.');

/** In templates of descriptions, `{outlet}` is the outlet, `{outlet-1}` and `{outlet+1}` are the numbers before and after it. */
const places = /\{outlet([+-]1)?\}/g;

export function fillOutlet(template: string, outlet: string): string {
  return template.replaceAll(places, (_all, by?: string) =>
    by === undefined ? outlet : String(Number(outlet) + Number(by)),
  );
}

/** Whether any text in it has a place for the outlet. */
export function namesOutlet(value: unknown): boolean {
  return JSON.stringify(value ?? '').search(places) >= 0;
}

/** Whether any text in it counts from the outlet. */
export function countsOutlet(value: unknown): boolean {
  return /\{outlet[+-]1\}/.test(JSON.stringify(value ?? ''));
}

/** Which of these templates lack the outlet: without it, a device might switch all of them. */
export function withoutOutlet(options: Options, keys: readonly string[]): Contradiction[] {
  if (options.outlets === 1) return [];
  const what = 'does not contain the outlet; add {outlet}, or set `outlets: 1`';
  return keys.filter((key) => !namesOutlet(options[key])).map((key) => ({ key, what }));
}

/** The same, and which of them count from an outlet although it may be a name. */
export function outletErrors(options: Options, keys: readonly string[]): Contradiction[] {
  const counting = keys.filter((key) => countsOutlet(options[key]));
  const what = 'counts from an outlet; set `outlets`, so that outlets are numbers';
  const wrong = options.outlets === undefined ? counting.map((key) => ({ key, what })) : [];
  return [...withoutOutlet(options, keys), ...wrong];
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
