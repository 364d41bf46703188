/** Settings of the pipeline, from the environment of its pod. */
import type { Objective } from './analysis.ts';

export interface TestSettings {
  url: string;
  /** Requests in a second, rising. */
  rates: number[];
  seconds: number;
  rounds: number;
  timeoutMs: number;
  objective: Objective;
  /** Name of the first run that counts as a baseline: a service may become slower on purpose. */
  baselineFrom?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws Error with the name of the variable that is missing or wrong. */
export function testSettings(env: Environment): TestSettings {
  return {
    url: text(env, 'TEST_URL'),
    rates: list(env, 'TEST_RATES')
      .map((each) => positive('TEST_RATES', each))
      .sort((a, b) => a - b),
    seconds: positive('TEST_SECONDS', text(env, 'TEST_SECONDS')),
    rounds: positive('TEST_ROUNDS', text(env, 'TEST_ROUNDS')),
    timeoutMs: positive('TEST_TIMEOUT_MS', text(env, 'TEST_TIMEOUT_MS')),
    objective: {
      p99Ms: positive('TEST_P99_MS', text(env, 'TEST_P99_MS')),
      answeredShare: 0.999,
    },
    ...(env.TEST_BASELINE_FROM && { baselineFrom: env.TEST_BASELINE_FROM }),
  };
}

export function text(env: Environment, name: string): string {
  const value = env[name];
  if (value === undefined || value === '') throw new Error(`${name}: not set`);
  return value;
}

/** Values between commas. */
export function list(env: Environment, name: string): string[] {
  return text(env, name)
    .split(',')
    .map((each) => each.trim());
}

function positive(name: string, value: string): number {
  const number = Number(value);
  if (!(number > 0) || !Number.isFinite(number)) {
    throw new Error(`${name}: "${value}" is not a number above 0`);
  }
  return number;
}
