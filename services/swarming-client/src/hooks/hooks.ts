/** Decides what the agent does and returns for each hook of the Swarming bot, such as before and after a task. */
import { dimensionsFor } from './dimensions.ts';
import type { Jobs } from './jobs.ts';
import { type AgentView, type Given, stateFor } from './state.ts';
import type { Task, TaskOutcome } from './task.ts';

export interface HookWork {
  view: () => AgentView;
  task: Pick<Task, 'start' | 'end'>;
  /** Of a machine without a bot. */
  jobs: Pick<Jobs, 'start' | 'end'>;
}

export interface HookRequest {
  /** A POST's body. */
  given: Given;
  query: Readonly<Record<string, unknown>>;
}

export interface Hook {
  method: 'GET' | 'POST';
  answer(work: HookWork, request: HookRequest): object;
  /** On a machine without a bot, for other schedulers; absent: only the bot may call it. */
  withoutBot?(work: HookWork, request: HookRequest): object;
}

/** A Swarming task's ID: hexadecimal. Other text is ignored. */
const taskId = /^[\w.-]{1,100}$/;
/** The default of `isolatedCacheBytes` in rack.yaml, until that is known. */
const usualCacheBytes = 8 * 2 ** 30;

/** It only counts as a call. */
function ofNoted(name: string): [string, Hook] {
  return [name, { method: 'GET', answer: () => ({}) }];
}

export const hooks: ReadonlyMap<string, Hook> = new Map<string, Hook>([
  [
    'get_dimensions',
    { method: 'POST', answer: ({ view }, { given }) => dimensionsFor(given, view()) },
  ],
  ['get_state', { method: 'POST', answer: ({ view }, { given }) => stateFor(given, view()) }],
  ['get_settings', { method: 'GET', answer: ({ view }) => settingsFor(view()) }],
  ['on_before_task', { method: 'GET', answer: beforeTask, withoutBot: beforeJob }],
  ['on_after_task', { method: 'GET', answer: afterTask, withoutBot: afterJob }],
  ...['setup_bot', 'on_bot_startup', 'on_handshake', 'on_before_poll'].map(ofNoted),
  ...['on_after_poll', 'on_bot_idle', 'on_bot_shutdown'].map(ofNoted),
]);

export const hookNames: readonly string[] = [...hooks.keys()];

function settingsFor({ machinePart }: AgentView) {
  const size = machinePart?.swarming.isolatedCacheBytes ?? usualCacheBytes;
  return { caches: { isolated: { size } } };
}

function beforeTask({ task }: HookWork, { query }: HookRequest) {
  task.start(idOf(query));
  return {};
}

function afterTask({ task }: HookWork, { query }: HookRequest) {
  task.end(outcomeOf(query));
  return {};
}

function beforeJob({ jobs }: HookWork, { query }: HookRequest) {
  jobs.start({ id: idOf(query), pid: textOf(query.pid), until: textOf(query.until) });
  return {};
}

function afterJob({ jobs }: HookWork, { query }: HookRequest) {
  jobs.end({ id: idOf(query), pid: textOf(query.pid) }, outcomeOf(query));
  return {};
}

function idOf({ task_id: id }: HookRequest['query']): string | undefined {
  return typeof id === 'string' && taskId.test(id) ? id : undefined;
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : String(value);
}

/** As Python writes them. */
function outcomeOf({ failure, internal_failure }: HookRequest['query']): TaskOutcome {
  if (internal_failure === 'True') return 'internal-failure';
  return failure === 'True' ? 'failed' : 'succeeded';
}
