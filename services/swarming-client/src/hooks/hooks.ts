/** The hooks of the Swarming bot, each with what it does here and what it answers. */

import type { MachineSlice } from '@skolo/rack/slice';
import type { DeviceView, Dimensions } from '../devices/device.ts';
import type { Health } from '../health/health.ts';
import { dimensionsFor, type Given } from './dimensions.ts';
import { stateFor } from './state.ts';

export interface HookWork {
  view: () => AgentView;
  beforeTask: (id?: string) => void;
  afterTask: () => void;
}

export interface Asked {
  /** The body of a POST. */
  given: Given;
  query: URLSearchParams;
}

export interface Hook {
  method: 'GET' | 'POST';
  answer(work: HookWork, asked: Asked): unknown;
}

/** Of a Swarming task: hexadecimal; what else may come is not believed. */
const taskId = /^[\w.-]{1,100}$/;
/** The default of `isolatedCacheBytes` in rack.yaml, as long as nothing else is known. */
const usualCacheBytes = 8 * 2 ** 30;

/** Nothing happens but that it was called. */
const noted: Hook = { method: 'GET', answer: () => ({}) };

export const hooks: ReadonlyMap<string, Hook> = new Map<string, Hook>([
  [
    'get_dimensions',
    { method: 'POST', answer: ({ view }, { given }) => dimensionsFor(given, view()) },
  ],
  ['get_state', { method: 'POST', answer: ({ view }, { given }) => stateFor(given, view()) }],
  ['get_settings', { method: 'GET', answer: ({ view }) => settingsFor(view()) }],
  ['on_before_task', { method: 'GET', answer: beforeTask }],
  ['on_after_task', { method: 'GET', answer: afterTask }],
  ['setup_bot', noted],
  ['on_bot_startup', noted],
  ['on_handshake', noted],
  ['on_before_poll', noted],
  ['on_after_poll', noted],
  ['on_bot_idle', noted],
  ['on_bot_shutdown', noted],
]);

/** All names, as they come to `onHook`. */
export const hookNames: readonly string[] = [...hooks.keys()];

function settingsFor({ slice }: AgentView) {
  return {
    caches: { isolated: { size: slice?.swarming.isolatedCacheBytes ?? usualCacheBytes } },
  };
}

function beforeTask(work: HookWork, { query }: Asked) {
  const id = query.get('task_id');
  if (id !== null && taskId.test(id)) work.beforeTask(id);
  else work.beforeTask();
  return {};
}

function afterTask(work: HookWork) {
  work.afterTask();
  return {};
}

/** All that an answer to the bot's hooks is made of: what is known now. Nothing here waits for anything. */
export interface AgentView {
  /** Also the id of the bot. */
  machine: string;
  /** Undefined: not known yet; see `whyUnknown`. */
  slice: MachineSlice | undefined;
  /** Why the slice is not known, for people. */
  whyUnknown?: string;
  devices: readonly DeviceView[];
  /** Of the machine itself; they count where no device is attached. */
  host: Dimensions;
  health: Health;
  version: string;
}
