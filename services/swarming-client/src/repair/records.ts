/** Records of past repair steps, for people and for metrics. */
import type { Emit } from '@skolo/common/light';
import type { RepairStep } from './ladder.ts';

/**
 * - `under-way`, `done`: carried out; whether it helped is not known yet.
 * - `helped`: the device was well afterwards. `no-help`: it was not, before the next step was due.
 * - `failed`, `rejected`, `postponed`: it was not carried out; `text` contains the reason.
 * - `would-have`: rack.yaml has `acts: false`, so it was only noted; `text` contains the purpose.
 */
export const repairOutcomes = [
  'under-way',
  'done',
  'helped',
  'no-help',
  'failed',
  'rejected',
  'postponed',
  'would-have',
] as const;
type RepairOutcome = (typeof repairOutcomes)[number];

export interface RepairView {
  device: string;
  round: number;
  step: RepairStep | 'reboot';
  at: Date;
  outcome: RepairOutcome;
  text: string;
}

/** The final outcome of a step. */
export interface RepairOutcomeEvent {
  type: 'repair-outcome';
  repair: Readonly<RepairView>;
}

const mostKept = 20;

/** A step that is postponed repeatedly is one record. */
export class RepairRecords {
  private readonly kept: RepairView[] = [];
  private readonly emit: Emit<RepairOutcomeEvent>;

  constructor(emit: Emit<RepairOutcomeEvent>) {
    this.emit = emit;
  }

  start(step: Pick<RepairView, 'device' | 'round' | 'step' | 'at'>): RepairView {
    this.isOver(step.device);
    const last = this.kept.findLast(({ device }) => device === step.device);
    if (last?.outcome === 'postponed' && last.step === step.step && last.round === step.round) {
      return Object.assign(last, { at: step.at, outcome: 'under-way', text: '' } as const);
    }
    const record: RepairView = { ...step, outcome: 'under-way', text: '' };
    this.kept.push(record);
    if (this.kept.length > mostKept) this.kept.shift();
    return record;
  }

  ended(record: RepairView, { outcome, text }: StepResult): void {
    record.outcome = outcome;
    record.text = text;
    if (outcome !== 'done') this.count(record);
  }

  /** The device is well: the last step carried out has helped. */
  isWell(device: string): void {
    this.settle(device, 'helped');
  }

  /** The device is given up, or another step is tried: the last step carried out has not helped. */
  isOver(device: string): void {
    this.settle(device, 'no-help');
  }

  view(): readonly RepairView[] {
    return this.kept.map((record) => ({ ...record }));
  }

  private settle(device: string, outcome: 'helped' | 'no-help'): void {
    for (const record of this.kept) {
      if (record.device !== device || record.outcome !== 'done') continue;
      record.outcome = outcome;
      this.count(record);
    }
  }

  private count(repair: RepairView): void {
    this.emit({ type: 'repair-outcome', repair });
  }
}

/**
 * The result of a step. `done`: carried out, and whether it helped is not known yet. `rejected`: by the part that would carry it out.
 * `postponed`: it may be retried in `later` seconds.
 */
export type StepResult =
  | { outcome: 'done' | 'failed' | 'rejected' | 'would-have'; text: string }
  | { outcome: 'postponed'; text: string; later: number };
