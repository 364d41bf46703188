import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shownBy } from '../rules/descriptions.ts';
import { CycleRecord, type Phase } from '../state/records.ts';
import { cycleRecord } from '../testing/records.ts';
import {
  type CycleEvent,
  type CycleFacts,
  hasNotBegun,
  holdsPower,
  next,
  stepOf,
} from './cycle.ts';

const facts: CycleFacts = { now: Date.parse('2026-11-20T12:00:01Z'), canBeSeen: true, tries: 1 };

/** Events in short: `begin`, `checked running`. Those with a text tell their own name. */
const written = {
  begin: { is: 'begin' },
  'checked running': {
    is: 'checked',
    task: 'running',
    text: 'a task is running',
    bootId: 'boot-1',
  },
  'checked idle': { is: 'checked', task: 'idle', text: 'no task is running', bootId: 'boot-1' },
  'checked unknown': { is: 'checked', task: 'unknown', text: 'silent, which counts as not busy' },
  'soft-sent': { is: 'soft-sent', text: 'asked to reboot' },
  'soft-impossible': { is: 'soft-impossible', text: 'not asked to reboot' },
  'went-down': { is: 'went-down', text: 'seen down' },
  'not-down': { is: 'not-down', text: 'did not go down' },
  contacted: {
    is: 'contacted',
    modes: new Map([['switch-1/1', { mode: 'forced-on' }]]),
    text: 'switch-1/1 is on',
  },
  'contact-failed': { is: 'contact-failed', text: 'switch-1: no answer' },
  admitted: { is: 'admitted' },
  'admitted, unproven': { is: 'admitted', unproven: { key: 'table' } },
  'admitted, mixed': { is: 'admitted', unproven: {} },
  'neighbours-up': { is: 'neighbours-up', names: ['b'] },
  'out-of-reach': { is: 'out-of-reach' },
  forbidden: { is: 'forbidden', text: 'under repair' },
  'task-begun': { is: 'task-begun', text: 'a task is running' },
  noted: { is: 'noted', text: 'tried again' },
  moved: { is: 'moved', text: 'another outlet moved' },
  'seen-down': { is: 'seen-down', text: 'seen down', how: 'refused connections', wasUp: true },
  'seen-down already': {
    is: 'seen-down',
    text: 'seen down',
    how: 'refused connections',
    wasUp: false,
  },
  'seen-off': { is: 'seen-off', text: 'seen off' },
  'off-natively': { is: 'off-natively', text: 'seen off; switch-1 turns it on automatically' },
  'off-failed': { is: 'off-failed', text: 'not seen off' },
  'off-unseen': { is: 'off-unseen', text: 'the outlet was never reported as off' },
  'cycled-natively': { is: 'cycled-natively', text: 'seen on' },
  'left-off': { is: 'left-off', text: 'did not turn the outlet on in time' },
  'off-waited': { is: 'off-waited' },
  'off-waited, up': { is: 'off-waited', isUp: true },
  'silent-at-on': { is: 'silent-at-on', text: 'silent at on', how: 'did not respond' },
  'back-at-off': { is: 'back-at-off', text: 'back at off' },
  'silent-at-off': { is: 'silent-at-off', text: 'silent at off, too' },
  'seen-on, toggled': { is: 'seen-on', text: 'seen on', toggles: 'on toggles' },
  'seen-on': { is: 'seen-on', text: 'seen on' },
  stuck: { is: 'stuck', text: 'could not be verified as on' },
  'on-failed': { is: 'on-failed', text: 'not seen on' },
  back: { is: 'back', text: 'back: ssh answers' },
  'back, new boot': { is: 'back', text: 'back: ssh answers', proof: 'a new boot' },
  'not-back': { is: 'not-back', text: 'not back within 300 s' },
  'not-visible': { is: 'not-visible', text: 'nothing tells' },
  cancelled: { is: 'cancelled', text: 'cancelled by ann' },
  broke: { is: 'broke', text: 'x is not a function' },
  restarted: { is: 'restarted' },
} as const satisfies Record<string, CycleEvent>;
type Written = keyof typeof written;

const stillPending =
  'the outlet will still be turned off as soon as possible; to cancel this, run skolo power on a';

/** What may come in a phase, from the runner, while all goes its way. */
const expected: Record<Phase, readonly Written[]> = {
  queued: ['begin'],
  check: ['checked running', 'checked idle', 'checked unknown'],
  'soft-reboot': ['soft-sent', 'soft-impossible'],
  'going-down': ['went-down', 'not-down'],
  contact: ['contacted', 'contact-failed', 'forbidden'],
  ready: ['admitted', 'admitted, unproven', 'out-of-reach', 'forbidden', 'task-begun'],
  'turn-off': ['seen-off', 'off-failed', 'off-unseen', 'cycled-natively', 'left-off'],
  off: ['off-waited', 'off-waited, up'],
  'turn-on': ['seen-on', 'seen-on, toggled', 'stuck'],
  'see-back': ['back', 'back, new boot', 'not-back', 'not-visible'],
  'put-back': ['back-at-off', 'silent-at-off'],
  finished: [],
};
const expectedOfOff = ['seen-off', 'off-failed'] as const;

/** @returns the record after all events, and the phases that it entered */
function tell(record: CycleRecord, events: readonly Written[], own: Partial<CycleFacts> = {}) {
  const phases: Phase[] = [];
  let now = record;
  for (const event of events) {
    const { phase } = now;
    now = next(now, written[event], { ...facts, ...own });
    if (now.phase !== phase) phases.push(now.phase);
  }
  return { record: now, phases };
}

function story({ steps }: CycleRecord): string[] {
  return steps.map(({ step, text }) => `${step}: ${text}`);
}

const upToOff = ['begin', 'checked idle', 'soft-impossible', 'contacted', 'admitted'] as const;
/** In mode hard. */
const upToTurnOff = ['begin', 'checked idle', 'contacted', 'admitted'] as const;
const upToGoingDown = ['begin', 'checked idle', 'soft-sent'] as const;

interface Way {
  name: string;
  /** By default in mode hard. */
  own?: Partial<CycleRecord>;
  facts?: Partial<CycleFacts>;
  events: readonly Written[];
  /** Those that it enters. */
  phases: string;
  /** With the failed step: `failed at contact`. */
  outcome: string;
  /** Its steps, where they are not just the texts of the events. */
  story?: readonly string[];
}

const checked = 'check: no task is running';
const notAsked = 'soft-reboot: not asked to reboot';
const read = 'contact: switch-1/1 is on';

const ways: Way[] = [
  {
    name: 'is off, seen off, on, seen on and seen back',
    own: { mode: 'auto' },
    events: [...upToOff, 'seen-off', 'seen-down', 'off-waited', 'seen-on', 'back'],
    phases: 'check soft-reboot contact ready turn-off off turn-on see-back finished',
    outcome: 'back',
    story: [
      ...[checked, notAsked, read, 'turn-off: seen off', 'off: seen down'],
      ...['turn-on: seen on', 'see-back: back: ssh answers'],
    ],
  },
  {
    name: 'leaves the outlet alone where the machine reboots itself',
    own: { mode: 'auto' },
    events: [...upToGoingDown, 'went-down', 'back'],
    phases: 'check soft-reboot going-down see-back finished',
    outcome: 'back',
    story: [
      checked,
      'soft-reboot: asked to reboot',
      'soft-reboot: seen down',
      'see-back: back: ssh answers',
    ],
  },
  {
    name: 'cuts a machine that was asked to reboot and did not',
    own: { mode: 'auto' },
    events: [...upToGoingDown, 'not-down', 'contacted'],
    phases: 'check soft-reboot going-down contact ready',
    outcome: 'under way',
  },
  {
    name: 'cuts a machine that went down by itself and did not come back',
    own: { mode: 'auto' },
    events: [...upToGoingDown, 'went-down', 'not-back', 'contacted', 'admitted', 'seen-off'],
    phases: 'check soft-reboot going-down see-back contact ready turn-off off',
    outcome: 'under way',
    story: [
      ...[checked, 'soft-reboot: asked to reboot', 'soft-reboot: seen down'],
      ...['see-back: not back within 300 s', read, 'turn-off: seen off'],
    ],
  },
  {
    name: 'never cuts in mode soft',
    own: { mode: 'soft' },
    events: [...upToGoingDown, 'not-down'],
    phases: 'check soft-reboot going-down finished',
    outcome: 'failed at soft-reboot',
  },
  {
    name: 'has nothing left to try with a machine that no outlet feeds',
    own: { mode: 'auto', feeds: [] },
    events: ['begin', 'checked unknown', 'soft-impossible'],
    phases: 'check soft-reboot finished',
    outcome: 'failed at soft-reboot',
  },
  {
    name: 'does not ask the machine in mode hard',
    events: ['begin', 'checked idle'],
    phases: 'check contact',
    outcome: 'under way',
  },
  {
    name: 'does not cut a running task',
    own: { mode: 'auto' },
    events: ['begin', 'checked running'],
    phases: 'check finished',
    outcome: 'busy',
  },
  {
    name: 'cuts a running task when forced',
    own: { force: true },
    events: ['begin', 'checked running'],
    phases: 'check contact',
    outcome: 'under way',
  },
  {
    name: 'touches nothing where the controller does not respond',
    events: ['begin', 'checked idle', 'noted', 'contact-failed'],
    phases: 'check contact finished',
    outcome: 'failed at contact',
    story: [checked, 'contact: tried again', 'contact: switch-1: no answer'],
  },
  {
    name: 'reaches its controller again where that was lost while it waited for its turn',
    events: ['begin', 'checked idle', 'contacted', 'out-of-reach', 'contact-failed'],
    phases: 'check contact ready contact finished',
    outcome: 'failed at contact',
  },
  {
    name: 'is not begun where it was held while it waited for its turn',
    events: ['begin', 'checked idle', 'contacted', 'forbidden'],
    phases: 'check contact ready finished',
    outcome: 'failed at queued',
  },
  {
    name: 'is not begun where a task was begun while it waited for its turn',
    events: ['begin', 'checked idle', 'contacted', 'task-begun'],
    phases: 'check contact ready finished',
    outcome: 'busy',
  },
  {
    name: 'is on again before it tells that off was not verified',
    events: [...upToTurnOff, 'off-failed', 'seen-on'],
    phases: 'check contact ready turn-off turn-on finished',
    outcome: 'failed at turn-off',
  },
  {
    name: 'is stuck off where on cannot be verified',
    events: [...upToTurnOff, 'seen-off', 'off-waited', 'stuck'],
    phases: 'check contact ready turn-off off turn-on finished',
    outcome: 'stuck-off',
  },
  {
    name: 'believes a device that cycled by itself, since it was seen off and on',
    events: [...upToTurnOff, 'cycled-natively', 'back'],
    phases: 'check contact ready turn-off see-back finished',
    outcome: 'back',
  },
  ...(
    [
      ['by its outage', ['seen-down', 'seen-on', 'back'], 'an observed outage'],
      ['by its boot', ['seen-on', 'back, new boot'], 'a new boot'],
    ] as const
  ).map(
    ([how, more, proof]): Way => ({
      name: `believes the machine ${how} where no reading showed the outlet off`,
      events: [...upToTurnOff, 'off-unseen', ...more],
      phases: 'check contact ready turn-off turn-on see-back finished',
      outcome: 'back',
      story: [
        ...[checked, read, 'turn-off: the outlet was never reported as off'],
        ...(how === 'by its outage' ? ['turn-on: seen down'] : []),
        'turn-on: seen on',
        `see-back: back: ssh answers; ${proof} confirms that the power was off`,
      ],
    }),
  ),
  ...(
    [
      ['a machine that was down before', 'seen-down already', 'back', 'back: ssh answers'],
      ['one that never went down', 'noted', 'not-back', 'not back within 300 s'],
    ] as const
  ).map(
    ([who, seen, end, text]): Way => ({
      name: `fails where no reading showed the outlet off, and ${who} proves nothing`,
      events: [...upToTurnOff, 'off-unseen', seen, 'seen-on', end],
      phases: 'check contact ready turn-off turn-on see-back finished',
      outcome: 'failed at turn-off',
      story: [
        ...[checked, read, 'turn-off: the outlet was never reported as off'],
        ...[seen === 'noted' ? 'turn-on: tried again' : 'turn-on: seen down', 'turn-on: seen on'],
        `see-back: ${text}`,
      ],
    }),
  ),
  {
    name: 'turns on itself what the device left off',
    events: [...upToTurnOff, 'left-off', 'seen-on', 'back'],
    phases: 'check contact ready turn-off turn-on see-back finished',
    outcome: 'back',
  },
  {
    name: 'ends with on where nothing could see it back',
    facts: { canBeSeen: false },
    events: [...([...upToTurnOff, 'seen-off'] as const), ...(['off-waited', 'seen-on'] as const)],
    phases: 'check contact ready turn-off off turn-on finished',
    outcome: 'on',
  },
  {
    name: 'fails at its last step where the machine does not come back',
    events: [
      ...([...upToTurnOff, 'seen-off'] as const),
      ...(['off-waited', 'seen-on', 'not-back'] as const),
    ],
    phases: 'check contact ready turn-off off turn-on see-back finished',
    outcome: 'failed at see-back',
  },
  {
    name: 'tries as often as rack.yaml says',
    facts: { tries: 2 },
    events: [
      ...upToTurnOff,
      'cycled-natively',
      'not-back',
      'contacted',
      'admitted',
      'cycled-natively',
      'not-back',
    ],
    phases: 'check contact ready turn-off see-back contact ready turn-off see-back finished',
    outcome: 'failed at see-back',
    story: [
      ...[checked, read, 'turn-on: seen on'],
      ...['see-back: not back within 300 s; attempt 2 of 2', read, 'turn-on: seen on'],
      'see-back: not back within 300 s',
    ],
  },
  {
    name: 'turns off without waiting for a turn, since that draws no current',
    own: { action: 'off' },
    events: ['begin', 'checked idle', 'contacted', 'seen-off'],
    phases: 'check contact turn-off finished',
    outcome: 'off',
  },
  {
    name: 'leaves off what could not be seen off, when off was asked for',
    own: { action: 'off' },
    events: ['begin', 'checked idle', 'contacted', 'off-failed'],
    phases: 'check contact turn-off finished',
    outcome: 'failed at turn-off',
    story: [checked, read, `turn-off: not seen off; ${stillPending}`],
  },
  {
    name: 'of an off that an operator asked for says that it is pending where nothing answers',
    own: { action: 'off' },
    events: ['begin', 'checked idle', 'contact-failed'],
    phases: 'check contact finished',
    outcome: 'failed at contact',
    story: [checked, `contact: switch-1: no answer; ${stillPending}`],
  },
  {
    name: 'of an off that a program asked for leaves nothing pending',
    own: { action: 'off', origin: 'endpoint' },
    events: ['begin', 'checked idle', 'contact-failed'],
    phases: 'check contact finished',
    outcome: 'failed at contact',
  },
  {
    name: 'of an off that is not allowed any more leaves nothing pending',
    own: { action: 'off' },
    events: ['begin', 'checked idle', 'forbidden'],
    phases: 'check contact finished',
    outcome: 'failed at contact',
  },
  {
    name: 'is over with the client of a program that a restart cut off before it had begun',
    own: { origin: 'endpoint' },
    events: ['begin', 'checked idle', 'restarted'],
    phases: 'check contact finished',
    outcome: 'cancelled',
    story: [checked, 'contact: the daemon was restarted before the cycle began'],
  },
  {
    name: 'of an on that a program asked for is not tried for ever',
    own: { action: 'on', origin: 'endpoint' },
    events: ['begin', 'contacted', 'admitted', 'on-failed'],
    phases: 'contact ready turn-on finished',
    outcome: 'failed at turn-on',
  },
  {
    name: 'leaves a running task its power, also when off was asked for',
    own: { action: 'off' },
    events: ['begin', 'checked running'],
    phases: 'check finished',
    outcome: 'busy',
  },
  {
    name: 'turns on in its turn',
    own: { action: 'on' },
    events: ['begin', 'contacted', 'admitted', 'seen-on'],
    phases: 'contact ready turn-on finished',
    outcome: 'on',
  },
  {
    name: 'turns on again whatever goes wrong inside the daemon',
    events: [...upToTurnOff, 'seen-off', 'broke', 'seen-on'],
    phases: 'check contact ready turn-off off turn-on finished',
    outcome: 'failed at off',
  },
  {
    name: 'fails where something goes wrong before it is touched',
    events: ['begin', 'checked idle', 'broke'],
    phases: 'check contact finished',
    outcome: 'failed at contact',
  },
];

describe('a cycle', () => {
  it.each(ways)('$name', ({ own, facts, events, phases, outcome, story: told }) => {
    const { record, phases: entered } = tell(cycleRecord({ mode: 'hard', ...own }), events, facts);

    expect(entered.join(' ')).toBe(phases);
    if (told) expect(story(record)).toEqual(told);
    const at = record.failedStep === undefined ? '' : ` at ${record.failedStep}`;
    expect(`${record.outcome ?? 'under way'}${at}`).toBe(outcome);
  });

  const tried = ['begin', 'checked idle', 'contacted', 'admitted, unproven'] as const;
  it.each<[string, Written[], string, Partial<CycleRecord>?]>([
    [
      'its target lost power at off, and got it at on',
      ['seen-down', 'seen-off', 'off-waited', 'seen-on', 'back'],
      'back',
    ],
    [
      'it was down before',
      ['seen-down already', 'seen-off', 'off-waited', 'seen-on', 'back'],
      'unproven',
    ],
    ['it was not seen down at all', ['seen-off', 'off-waited', 'seen-on', 'back'], 'unproven'],
    [
      'it was seen down after on',
      ['seen-off', 'off-waited', 'seen-on', 'seen-down', 'back'],
      'unproven',
    ],
    [
      'it returned before on',
      ['seen-down', 'seen-off', 'off-waited, up', 'seen-on', 'back'],
      'unproven',
    ],
    ['nothing sees it', ['seen-off', 'off-waited', 'seen-on', 'not-visible'], 'unproven'],
    [
      'a neighbour became silent, too',
      ['seen-down', 'seen-off', 'moved', 'off-waited', 'seen-on', 'back'],
      'failed',
    ],
    [
      'the daemon was restarted',
      ['seen-down', 'seen-off', 'restarted', 'seen-on', 'back'],
      'unproven',
    ],
    [
      'it returned after a second on',
      ['seen-down', 'seen-off', 'off-waited', 'seen-on', 'not-back', 'seen-on', 'back'],
      'unproven',
    ],
    [
      'it did not return',
      ['seen-down', 'seen-off', 'off-waited', 'seen-on', 'not-back', 'seen-on', 'not-back'],
      'failed',
    ],
    ['on toggles', ['seen-down', 'seen-off', 'off-waited', 'seen-on, toggled'], 'failed'],
    [
      'it became silent at on, and returned at off',
      ['seen-off', 'off-waited, up', 'seen-on', 'silent-at-on', 'back-at-off'],
      'inverted',
    ],
    [
      'the same, with a restart',
      ['seen-off', 'off-waited, up', 'seen-on', 'silent-at-on', 'restarted', 'back-at-off'],
      'inverted',
    ],
    [
      'it became silent at on, and stayed so',
      ['seen-off', 'off-waited, up', 'seen-on', 'silent-at-on', 'silent-at-off', 'seen-on'],
      'failed',
    ],
  ])('with an unproven description ends with what it has shown: %s', (_what, events, outcome) => {
    const { record } = tell(cycleRecord({ mode: 'hard' }), [...tried, ...events]);

    expect(record.outcome).toBe(outcome);
    const state = { back: 'confirmed', inverted: 'inverted' }[outcome];
    expect(shownBy(record)?.state).toBe(state);
  });

  it('of outlets with several descriptions confirms none', () => {
    const { record } = tell(cycleRecord({ mode: 'hard' }), [
      ...(['begin', 'checked idle', 'contacted', 'admitted, mixed', 'seen-down'] as const),
      ...(['seen-off', 'off-waited', 'seen-on', 'back'] as const),
    ]);

    expect(record).toMatchObject({
      outcome: 'unproven',
      detail: expect.stringContaining('different descriptions'),
    });
    expect(shownBy(record)).toBeUndefined();
  });

  it('reports what went wrong first, however it went on', () => {
    const { record } = tell(cycleRecord({ mode: 'hard' }), [
      ...([...upToTurnOff, 'off-failed', 'seen-on'] as const),
    ]);

    expect(record).toMatchObject({ outcome: 'failed', detail: 'not seen off' });
  });

  it('remembers how its outlet was on', () => {
    const { record } = tell(cycleRecord(), [...upToOff]);

    expect(record.feeds).toEqual([{ controller: 'switch-1', outlet: '1', mode: 'forced-on' }]);
  });

  it('has the same text in a row once', () => {
    const { record } = tell(cycleRecord({ mode: 'hard' }), [
      ...(['begin', 'checked idle', 'noted', 'noted', 'noted', 'contacted'] as const),
    ]);

    expect(story(record)).toEqual([checked, 'contact: tried again', read]);
  });

  it.each([
    ['queued', []],
    ['check', ['begin']],
    ['contact', ['begin', 'checked idle', 'soft-impossible']],
    ['ready', ['begin', 'checked idle', 'soft-impossible', 'contacted']],
  ] as const)('can be cancelled in phase %s', (phase, events) => {
    const before = tell(cycleRecord(), events).record;

    const { record } = tell(before, ['cancelled']);

    expect(before.phase).toBe(phase);
    expect(hasNotBegun(before)).toBe(true);
    expect(record).toMatchObject({
      phase: 'finished',
      outcome: 'cancelled',
      detail: 'cancelled by ann',
    });
  });

  it.each([
    ['while it may be asked to reboot', {}, ['begin', 'checked idle']],
    ['once it was asked to reboot', {}, [...upToGoingDown]],
    ['after a restart while it was asked', {}, ['begin', 'checked idle', 'restarted']],
    ['before the outlet, after the machine', {}, [...upToGoingDown, 'not-down']],
    ['while it is turned off', {}, [...upToOff]],
    ['when it is finished', {}, ['begin', 'checked running']],
    ['where off holds since it was accepted', { action: 'off' }, ['begin']],
    ['where on holds since it was accepted', { action: 'on' }, ['begin', 'contacted']],
  ] as const)('cannot be cancelled %s', (_name, own, events) => {
    const { record } = tell(cycleRecord(own), events);

    expect(hasNotBegun(record)).toBe(false);
    expect(() => tell(record, ['cancelled'])).toThrow('cancelled in phase');
  });

  it('rejects what cannot come now', () => {
    expect(() => tell(cycleRecord(), ['seen-off'])).toThrow(
      'cycle cycle-1: seen-off in phase queued',
    );
    expect(() => tell(tell(cycleRecord(), [...upToOff]).record, ['back'])).toThrow(
      'cycle cycle-1: back in phase turn-off',
    );
  });
});

describe('a restart', () => {
  it.each([
    ['queued', {}, [], 'queued'],
    ['check', {}, ['begin'], 'queued'],
    ['contact', {}, ['begin', 'checked idle', 'soft-impossible'], 'queued'],
    ['ready', {}, ['begin', 'checked idle', 'soft-impossible', 'contacted'], 'queued'],
    ['contact after a soft reboot', {}, [...upToGoingDown, 'not-down'], 'contact'],
    ['soft-reboot', {}, ['begin', 'checked idle'], 'going-down'],
    ['going-down', {}, [...upToGoingDown], 'going-down'],
    ['turn-off', {}, [...upToOff], 'turn-on'],
    ['off', {}, [...upToOff, 'seen-off'], 'turn-on'],
    ['turn-on', {}, [...upToOff, 'seen-off', 'off-waited'], 'turn-on'],
    ['see-back', {}, [...upToOff, 'cycled-natively'], 'see-back'],
    ['finished', {}, ['begin', 'checked running'], 'finished'],
    ['turn-off of an off', { action: 'off' }, ['begin', 'checked idle', 'contacted'], 'turn-off'],
    ['turn-on of an on', { action: 'on' }, ['begin', 'contacted', 'admitted'], 'turn-on'],
  ] as const)('in phase %s goes on with the right one', (_name, own, events, phase) => {
    const before = tell(cycleRecord(own), events).record;

    expect(tell(before, ['restarted']).record.phase).toBe(phase);
  });

  it('counts a machine that may have been asked to reboot as touched', () => {
    const { record } = tell(cycleRecord(), ['begin', 'checked idle', 'restarted']);

    expect(record).toMatchObject({ begun: true, interrupted: true });
  });

  it('does not cut a machine that may be rebooting', () => {
    const { record } = tell(cycleRecord(), ['begin', 'checked idle', 'restarted', 'not-down']);

    expect(record).toMatchObject({ outcome: 'failed', failedStep: 'soft-reboot' });
  });

  it('after a device that cycles by itself was seen off goes on to see it back', () => {
    const { record } = tell(cycleRecord(), [...upToOff, 'off-natively', 'restarted']);

    expect(record.phase).toBe('turn-on');
    expect(tell(record, ['seen-on', 'back']).record).toMatchObject({ outcome: 'back' });
  });

  it('before the outlet was seen off is reported as a failure, once it is on', () => {
    const { record } = tell(cycleRecord(), [...upToOff, 'restarted', 'seen-on']);

    expect(record).toMatchObject({
      outcome: 'failed',
      failedStep: 'turn-off',
      detail: 'the daemon was restarted before the outlet was reported as off',
    });
  });
});

/** A cycle that meets whatever may come, restarts and strangers included, and is then left to finish. */
interface Life {
  own: Partial<CycleRecord>;
  facts: Partial<CycleFacts>;
  luck: number[];
}

const life = fc.record({
  own: fc.record({
    action: fc.constantFrom('cycle', 'cycle', 'on', 'off'),
    mode: fc.constantFrom('auto', 'soft', 'hard'),
    force: fc.boolean(),
    feeds: fc.constantFrom([], [{ controller: 'switch-1', outlet: '1' }]),
  }),
  facts: fc.record({ canBeSeen: fc.boolean(), tries: fc.integer({ min: 1, max: 4 }) }),
  luck: fc.array(fc.nat(), { maxLength: 60 }),
}) satisfies fc.Arbitrary<Life>;

function usual({ phase, action, begun, unproven, sawDown }: CycleRecord): readonly Written[] {
  if (phase === 'see-back' && unproven?.upWhileOff && !sawDown)
    return ['silent-at-on', ...expected['see-back']];
  // Nobody asks for tasks of what has been touched already.
  if (phase === 'ready' && begun) return expected.ready.filter((event) => event !== 'task-begun');
  return phase === 'turn-off' && action === 'off' ? expectedOfOff : expected[phase];
}

function possible(record: CycleRecord): Written[] {
  const { phase } = record;
  const isIdle = phase === 'finished' || phase === 'turn-on';
  return [
    ...usual(record),
    ...(phase === 'finished'
      ? []
      : (['noted', 'moved', 'seen-down', 'seen-down already', 'restarted'] as const)),
    ...(phase === 'turn-off' && record.action === 'cycle' ? (['off-natively'] as const) : []),
    ...(isIdle ? [] : (['broke'] as const)),
    ...(hasNotBegun(record) ? (['cancelled'] as const) : []),
  ];
}

/** What the journal would give the next process. */
function journaled(record: CycleRecord): CycleRecord {
  return CycleRecord.parse(JSON.parse(JSON.stringify(record)));
}

interface Moment {
  before: CycleRecord;
  event: Written;
  after: CycleRecord;
  /** The phase that it entered. */
  entered: Phase | undefined;
}

function live({ own, facts: given, luck }: Life): Moment[] {
  const moments: Moment[] = [];
  const isCycle = own.action === 'cycle';
  // What no outlet feeds is never switched.
  if (!isCycle && own.feeds?.length === 0) return [];
  let record = cycleRecord({ ...own, ...(!isCycle && { mode: 'hard' as const }) });
  const step = (event: Written) => {
    const before = event === 'restarted' ? journaled(record) : record;
    const after = next(before, written[event], { ...facts, ...given });
    const entered = after.phase === before.phase ? undefined : after.phase;
    moments.push({ before, event, after, entered });
    record = after;
  };
  for (const number of luck) {
    const events = possible(record);
    const event = events[number % events.length];
    if (event !== undefined) step(event);
  }
  // Then nothing disturbs it any more.
  for (let left = 100; left > 0; left -= 1) {
    const events = usual(record);
    const event = events[(left % 3) % events.length];
    if (event !== undefined) step(event);
  }
  return moments;
}

describe('whatever comes, a cycle', () => {
  it('ends, with an outcome', () => {
    fc.assert(
      fc.property(life, (one) => {
        const last = live(one).at(-1)?.after;
        fc.pre(last !== undefined);

        expect(last.phase).toBe('finished');
        expect(last.outcome).toBeDefined();
        expect(last.finishedAt).toBeDefined();
      }),
      runs(2000),
    );
  });

  it('leaves off nothing that it turned off, but by seeing it on or calling it stuck', () => {
    fc.assert(
      fc.property(life, (one) => {
        let mayBeOff = false;
        for (const { event, after, entered } of live(one)) {
          if (entered === 'turn-off' && after.action === 'cycle') mayBeOff = true;
          if (entered === 'put-back') mayBeOff = true;
          const isOver = ['seen-on', 'seen-on, toggled', 'cycled-natively', 'stuck', 'back-at-off'];
          if (isOver.includes(event)) mayBeOff = false;
          // Its outlets are turned on again, although they should be on.
          if (entered === 'turn-on' && after.action === 'cycle') mayBeOff = true;

          expect(mayBeOff).toBe(after.action === 'cycle' && holdsPower(after));
        }
      }),
      runs(2000),
    );
  });

  it('asks a machine to reboot once at most, and cuts it once for each attempt', () => {
    fc.assert(
      fc.property(life, (one) => {
        const moments = live(one).filter(({ after }) => after.action === 'cycle');
        const times = (phase: Phase) => moments.filter((moment) => moment.entered === phase).length;
        const attempts = moments.at(-1)?.after.attempt ?? 0;

        // One that was not even asked may be asked after a restart.
        const notAsked = moments.filter(({ event }) => event === 'soft-impossible').length;
        expect(times('soft-reboot') - notAsked).toBeLessThanOrEqual(1);
        expect(times('turn-off')).toBeLessThanOrEqual(attempts);
        expect(attempts).toBeLessThanOrEqual(one.facts.tries);
      }),
      runs(2000),
    );
  });

  it('records that it has begun before anything is touched', () => {
    fc.assert(
      fc.property(life, (one) => {
        for (const { after, entered } of live(one)) {
          if (entered === 'turn-off' || entered === 'turn-on' || entered === 'going-down') {
            expect(after.begun).toBe(true);
          }
          if (after.outcome === 'cancelled' || after.outcome === 'busy') {
            expect(after.begun).toBe(false);
          }
        }
      }),
      runs(2000),
    );
  });

  it('is a soft reboot only until an outlet is touched', () => {
    fc.assert(
      fc.property(life, (one) => {
        let isTouched = false;
        for (const { after, entered } of live(one)) {
          if (entered === 'turn-off' || entered === 'turn-on') isTouched = true;
          expect(after.softOnly ?? false).toBe(after.begun && !isTouched);
        }
      }),
      runs(2000),
    );
  });

  it('is the same after it was in the journal', () => {
    fc.assert(
      fc.property(life, (one) => {
        for (const { after } of live(one)) expect(journaled(after)).toEqual(after);
      }),
      runs(500),
    );
  });

  it('has a step for people', () => {
    fc.assert(
      fc.property(life, (one) => {
        for (const { after } of live(one)) {
          expect(stepOf(after)).toBeDefined();
          if (after.phase !== 'queued' && after.outcome !== 'cancelled') {
            expect(after.detail ?? 'queued').not.toBe('');
          }
        }
      }),
      runs(500),
    );
  });
});
