/** Types of an attempt's input, what it stores, and its outcome. */
import type { FailureClass, RunResult } from '@skolo/api';
import type { Version } from '@skolo/backup';
import { NamedError } from '@skolo/base';
import type { Left } from './jumphost/find.ts';
import type { DeviceRecord } from './state.ts';

/** Why a device is read. */
export interface Occasion {
  run: string;
  by: string;
  reason?: string | undefined;
  /** A person requested it: a version that was suspiciously small, and is the same again, is right. */
  isByHand: boolean;
  /** Why it must not be contacted. */
  paused?: string | undefined;
}

/** The target's current state in the history. */
export interface Stored {
  before?: Version | undefined;
  after: Version;
  isNew: boolean;
  left?: Left[] | undefined;
  /** For the device's record. */
  facts: Pick<
    DeviceRecord,
    | 'unsaved'
    | 'identity'
    | 'startup'
    | 'legacyAlgorithms'
    | 'versions'
    | 'extent'
    | 'unseen'
    | 'doubt'
  >;
}

export interface Outcome {
  result: Exclude<RunResult, 'not-backed-up'>;
  failure?: FailureClass | undefined;
  detail?: string | undefined;
  /** For an error that has no class. */
  stack?: string | undefined;
  version?: string | undefined;
  unsaved?: boolean | undefined;
  /** Of the text with masked secrets. */
  size?: number | undefined;
  seconds: number;
  /** For the jumphost: the first few paths that could not be read. */
  left?: Left[] | undefined;
  /** The previous version, if this one is new. */
  before?: Version | undefined;
  after?: Version | undefined;
}

/** Why an attempt is aborted when the service stops. */
export class Stopping extends NamedError {
  constructor() {
    super('the service is stopping');
  }
}
