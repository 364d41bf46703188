/** What an attempt is given, what it stores, and how it ends. */
import type { DeviceResult, FailureClass } from '@skolo/api';
import type { Version } from '@skolo/backup';
import type { Left } from './jumphost/find.ts';
import type { DeviceRecord } from './state.ts';

/** Why a device is read. */
export interface Occasion {
  run: string;
  by: string;
  reason?: string | undefined;
  /** A person asked for it: a version that was suspiciously small, and is the same again, is right. */
  isByHand: boolean;
}

/** What the history has of a target now. */
export interface Stored {
  before?: Version | undefined;
  after: Version;
  isNew: boolean;
  size?: number | undefined;
  left?: Left[] | undefined;
  /** For its record. */
  facts: Pick<DeviceRecord, 'unsaved' | 'identity' | 'startup' | 'legacyAlgorithms' | 'versions'>;
}

export interface Outcome {
  result: Exclude<DeviceResult, 'not-backed-up'>;
  failure?: FailureClass | undefined;
  detail?: string | undefined;
  /** Of an error that has no class. */
  stack?: string | undefined;
  version?: string | undefined;
  unsaved?: boolean | undefined;
  size?: number | undefined;
  seconds: number;
  /** Of the jumphost: paths that could not be read, the first few. */
  left?: Left[] | undefined;
  /** The version before, where this one is new. */
  before?: Version | undefined;
  after?: Version | undefined;
}

/** Why an attempt is given up when the service stops. */
export class Stopping extends Error {
  constructor() {
    super('the service is stopping');
    this.name = 'Stopping';
  }
}
