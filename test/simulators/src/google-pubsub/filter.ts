/**
 * The part of the language of filters that skolo's subscriptions use: `attributes.KEY = "VALUE"`, and several of them with
 * `AND` between. Source: https://cloud.google.com/pubsub/docs/subscription-message-filter
 */
import { invalid } from './rejection.ts';

export type Filter = (attributes: Readonly<Record<string, string>>) => boolean;

const condition =
  /\s*attributes\.(?<key>[\w-]+)\s*=\s*(?<value>"(?:[^"\\]|\\.)*")\s*(?<next>AND\b|$)/suy;

/** @throws Rejection */
export function parseFilter(text: string): Filter {
  const wanted: [key: string, value: unknown][] = [];
  condition.lastIndex = 0;
  for (let isMore = text.trim() !== ''; isMore; ) {
    const { key = '', value = '', next } = condition.exec(text)?.groups ?? {};
    if (key === '') throw invalid(`Invalid filter syntax: the filter ${text} is not understood.`);
    wanted.push([key, JSON.parse(value)]);
    isMore = next === 'AND';
  }
  return (attributes) =>
    wanted.every(([key, value]) => Object.hasOwn(attributes, key) && attributes[key] === value);
}
