/** The lives of cycles, the same in each test. Their times are invented, too. */
import type { CycleStep, Outcome, PowerAction, PowerCycle } from '@skolo/api';

type Moment = [secondsAfterTheStart: number, step: CycleStep, text: string];

interface Life {
  outlet: string;
  moments: Moment[];
  /** Absent: it never ends. */
  end?: { seconds: number; outcome: Outcome; failedStep?: CycleStep; detail: string };
}

function lifeOf(target: string, action: PowerAction): Life {
  // `skia-rpi2-rack4-shelf1-004` is powered by `switch-1/4`, others by the PDU.
  const [, number] = /-shelf\d+-0*(\d+)$/.exec(target) ?? [];
  const outlet = number === undefined ? 'pdu-1/5' : `switch-1/${number}`;
  const off: Moment = [0, 'turn-off', `${outlet}: turning off`];
  const isOff = `${outlet} is reported as off`;
  const isOn = `${outlet} is reported as on`;
  if (action === 'off') {
    return { outlet, moments: [off], end: { seconds: 2, outcome: 'off', detail: isOff } };
  }
  if (action === 'on') {
    const moments: Moment[] = [[0, 'turn-on', `${outlet}: turning on`]];
    return { outlet, moments, end: { seconds: 1, outcome: 'on', detail: isOn } };
  }
  if (target.endsWith('-004')) {
    const again = [4, 8].map(
      (at): Moment => [at, 'turn-off', `${outlet} is still on; turning it off again`],
    );
    const detail = `${outlet} is still on after 3 attempts`;
    const end = { seconds: 12, outcome: 'failed', failedStep: 'turn-off', detail } as const;
    return { outlet, moments: [off, ...again], end };
  }
  const moments: Moment[] = [
    off,
    [2, 'off', isOff],
    [7, 'turn-on', `${outlet}: turning on`],
    [8, 'see-back', isOn],
  ];
  if (target.endsWith('-left')) return { outlet, moments };
  if (target.startsWith('skia-e-')) {
    const detail = 'on; there is no way to check whether it is back';
    return { outlet, moments, end: { seconds: 9, outcome: 'on', detail } };
  }
  const detail = 'a new boot, seen over ssh';
  return { outlet, moments, end: { seconds: 41, outcome: 'back', detail } };
}

export function queued(
  asked: Pick<
    PowerCycle,
    'id' | 'target' | 'action' | 'mode' | 'reason' | 'by' | 'force' | 'offSeconds' | 'requestedAt'
  >,
): PowerCycle {
  return {
    ...asked,
    outlets: [lifeOf(asked.target, asked.action).outlet],
    origin: 'person',
    step: 'queued',
    position: 2,
    steps: [{ at: asked.requestedAt, step: 'queued', text: `requested by ${asked.by}` }],
  };
}

/** The next step of a cycle that is not over. */
export function advanced({ position: _, ...now }: PowerCycle): PowerCycle {
  const { moments, end } = lifeOf(now.target, now.action);
  const at = (seconds: number) =>
    new Date(Date.parse(now.requestedAt) + seconds * 1000).toISOString();
  const moment = moments[now.steps.length - 1];
  if (moment !== undefined) {
    const [seconds, step, text] = moment;
    const steps = [...now.steps, { at: at(seconds), step, text }];
    return { ...now, startedAt: at(0), step, steps, detail: text };
  }
  if (end === undefined) return now;
  const { seconds, ...result } = end;
  return { ...now, ...result, finishedAt: at(seconds) };
}
