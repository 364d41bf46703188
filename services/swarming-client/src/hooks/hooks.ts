/** Decides what the agent does and returns for each hook of the Swarming bot, such as before and after a task. */
import { dimensionsFor } from './dimensions.ts';
import { type AgentView, type Given, stateFor } from './state.ts';
import type { Task, TaskOutcome } from './task.ts';

export interface HookWork {
  view: () => AgentView;
  task: Pick<Task, 'start' | 'end'>;
}

export interface HookRequest {
  /** A POST's body. */
  given: Given;
  query: Readonly<Record<string, unknown>>;
}

export interface Hook {
  method: 'GET' | 'POST';
  answer(work: HookWork, request: HookRequest): object;
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
  ['on_before_task', { method: 'GET', answer: beforeTask }],
  ['on_after_task', { method: 'GET', answer: afterTask }],
  ...['setup_bot', 'on_bot_startup', 'on_handshake', 'on_before_poll'].map(ofNoted),
  ...['on_after_poll', 'on_bot_idle', 'on_bot_shutdown'].map(ofNoted),
]);

export const hookNames: readonly string[] = [...hooks.keys()];

function settingsFor({ machinePart }: AgentView) {
  const size = machinePart?.swarming.isolatedCacheBytes ?? usualCacheBytes;
  return { caches: { isolated: { size } } };
}

function beforeTask({ task }: HookWork, { query: { task_id: id } }: HookRequest) {
  task.start(typeof id === 'string' && taskId.test(id) ? id : undefined);
  return {};
}

function afterTask({ task }: HookWork, { query }: HookRequest) {
  task.end(outcomeOf(query));
  return {};
}

/** As Python writes them. */
function outcomeOf({ failure, internal_failure }: HookRequest['query']): TaskOutcome {
  if (internal_failure === 'True') return 'internal-failure';
  return failure === 'True' ? 'failed' : 'succeeded';
}
