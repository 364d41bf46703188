/** Cycles with scripted lives, so that each test sees the same. Their times are invented, too. */
import type { CycleStep, Outcome, PowerAction, PowerCycle } from '@skolo/api';

interface Moment {
  /** Seconds after the start. */
  seconds: number;
  step: CycleStep;
  text: string;
}

interface Life {
  outlets: string[];
  moments: Moment[];
  /** Absent: it never ends. */
  end?: { seconds: number; outcome: Outcome; failedStep?: CycleStep; detail: string };
}

/** `skia-rpi2-rack4-shelf1-004` is powered by `switch-1/4`, others by the PDU. */
function outletOf(target: string): string {
  const [, number] = /-shelf\d+-0*(\d+)$/.exec(target) ?? [];
  return number === undefined ? 'pdu-1/5' : `switch-1/${number}`;
}

function lifeOf(target: string, action: PowerAction): Life {
  const outlet = outletOf(target);
  const off: Moment = { seconds: 0, step: 'turn-off', text: `${outlet}: turning off` };
  const isOff: Moment = { seconds: 2, step: 'off', text: `${outlet} is reported as off` };
  const on: Moment = { seconds: 7, step: 'turn-on', text: `${outlet}: turning on` };
  const isOn: Moment = { seconds: 8, step: 'see-back', text: `${outlet} is reported as on` };
  const life = { outlets: [outlet], moments: [off, isOff, on, isOn] };
  if (action === 'off') {
    const detail = `${outlet} is reported as off`;
    return { ...life, moments: [off], end: { seconds: 2, outcome: 'off', detail } };
  }
  if (action === 'on') {
    const detail = `${outlet} is reported as on`;
    return {
      ...life,
      moments: [{ ...on, seconds: 0 }],
      end: { seconds: 1, outcome: 'on', detail },
    };
  }
  if (target.endsWith('-004')) {
    const detail = `${outlet} is still on after 3 attempts`;
    const end = { seconds: 12, outcome: 'failed', failedStep: 'turn-off', detail } as const;
    const again = [4, 8].map((seconds) => ({
      ...off,
      seconds,
      text: `${outlet} is still on; turning it off again`,
    }));
    return { ...life, moments: [off, ...again], end };
  }
  if (target.endsWith('-left')) return { ...life, outlets: [`${target}/1-1.1`] };
  if (target.startsWith('skia-e-')) {
    const detail = 'on; there is no way to check whether it is back';
    return { ...life, end: { seconds: 9, outcome: 'on', detail } };
  }
  const detail = 'a new boot, seen over ssh';
  return { ...life, end: { seconds: 41, outcome: 'back', detail } };
}

/** A cycle that advances by one step per call. */
export class ScriptedCycle {
  private readonly began: number;
  now: PowerCycle;
  private readonly life: Life;
  private left: Moment[];

  /** @param began when it was requested; the same for all, so that their total time is known in advance */
  constructor(
    asked: Pick<
      PowerCycle,
      'id' | 'target' | 'action' | 'mode' | 'reason' | 'by' | 'force' | 'offSeconds'
    >,
    began: number,
  ) {
    this.began = began;
    this.life = lifeOf(asked.target, asked.action);
    this.left = [...this.life.moments];
    this.now = {
      ...asked,
      outlets: this.life.outlets,
      origin: 'person',
      requestedAt: this.at(0),
      step: 'queued',
      position: 2,
      steps: [{ at: this.at(0), step: 'queued', text: `requested by ${asked.by}` }],
    };
  }

  get isOver(): boolean {
    return this.now.outcome !== undefined;
  }

  advance(): void {
    const [moment, ...left] = this.left;
    this.left = left;
    const { end } = this.life;
    if (this.isOver) return;
    const { position: _, ...now } = this.now;
    if (moment !== undefined) {
      const { seconds, step, text } = moment;
      const record = { at: this.at(seconds), step, text };
      const steps = [...now.steps, record];
      this.now = { ...now, startedAt: this.at(0), step, steps, detail: text };
    } else if (end !== undefined) {
      const { seconds, ...rest } = end;
      this.now = { ...now, ...rest, finishedAt: this.at(seconds) };
    }
  }

  cancel(): void {
    const detail = 'cancelled before it began';
    this.now = { ...this.now, outcome: 'cancelled', finishedAt: this.at(0), detail };
  }

  private at(seconds: number): string {
    return new Date(this.began + seconds * 1000).toISOString();
  }
}
