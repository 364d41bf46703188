import { runs } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Alert, AlertMessage } from '../message/message.ts';
import type { LocationReport, LocationState, Report } from './dead-man.ts';
import { watchChanges } from './watch-alerts.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const blindAfterMs = 90_000;

function of(state: LocationState, location = 'rack4'): LocationReport {
  const lastHeard = now - 100_000;
  return {
    location,
    state,
    since: lastHeard - 1000,
    lastHeard,
    ...(state === 'silent' && { silentSince: lastHeard }),
    heartbeat: {
      location,
      healthy: state !== 'unhealthy',
      why: 'Prometheus is dead',
      published: lastHeard,
    },
  };
}

function reportOf(...locations: LocationReport[]): Report {
  return { locations, unexpected: [] };
}

function changesFor(firing: readonly Alert[], report: Report, at = now) {
  const changes = watchChanges(firing, { report, now: at, blindAfterMs });
  return {
    ...changes,
    lines: changes.messages.map(
      ({ alert: { status, labels } }) => `${status} ${labels.alertname} ${labels.rack ?? '-'}`,
    ),
  };
}

describe('alerts of a watch', () => {
  it('fire for a silent rack, and are resolved when it is back', () => {
    const first = changesFor([], reportOf(of('silent'), of('well', 'rack5')));
    const same = changesFor(first.firing, reportOf(of('silent'), of('well', 'rack5')));
    const back = changesFor(same.firing, reportOf(of('well'), of('well', 'rack5')), now + 1000);

    expect(first.lines).toEqual(['firing RackSilent rack4']);
    expect(first.messages[0]?.alert).toMatchObject({
      startsAt: '2026-11-20T11:58:20.000Z',
      annotations: {
        summary:
          'rack4 has been silent since 2026-11-20T11:58:20Z; check the rack, its internet connection and alert-to-pubsub',
      },
    });
    expect(same.lines).toEqual([]);
    expect(back.lines).toEqual(['resolved RackSilent rack4']);
    expect(back.firing).toEqual([]);
    for (const message of [...first.messages, ...back.messages]) {
      expect(AlertMessage.parse(message)).toEqual(message);
      expect(message.id).toMatch(/^[0-9a-f]{32}$/);
    }
  });

  it('fire for an unhealthy rack until it is healthy', () => {
    const { firing, lines, messages } = changesFor([], reportOf(of('unhealthy')));

    expect(lines).toEqual(['firing RackUnhealthy rack4']);
    expect(messages[0]?.alert.annotations.summary).toBe('rack4: Prometheus is dead');
    const silent = changesFor(firing, reportOf(of('silent')));
    expect(silent.lines).toEqual(['firing RackSilent rack4']);
    expect(changesFor(silent.firing, reportOf(of('well'))).lines).toEqual([
      'resolved RackSilent rack4',
      'resolved RackUnhealthy rack4',
    ]);
  });

  it('do not change for a location that is not known yet', () => {
    const { firing } = changesFor([], reportOf(of('silent')));

    expect(changesFor(firing, reportOf(of('waiting'))).firing).toEqual(firing);
    expect(changesFor([], reportOf(of('waiting'))).lines).toEqual([]);
  });

  it('fire for a blind watch, and not for each rack', () => {
    const blind = { ...reportOf(of('well')), blindSince: now - 10_000 };

    const soon = changesFor([], blind);
    const later = changesFor(soon.firing, blind, now + 80_000);
    const over = changesFor(later.firing, reportOf(of('waiting')), now + 90_000);

    expect([soon.lines, later.lines, over.lines]).toEqual([
      [],
      ['firing WatchBlind -'],
      ['resolved WatchBlind -'],
    ]);
  });

  it('are resolved when a location is removed', () => {
    const { firing } = changesFor([], reportOf(of('silent')));

    expect(changesFor(firing, reportOf()).lines).toEqual(['resolved RackSilent rack4']);
  });

  it('report each change once, whatever happens', () => {
    const states = fc.constantFrom<LocationState>('well', 'unhealthy', 'silent', 'waiting');
    const look = fc.record({ a: states, b: states, blind: fc.boolean() });
    fc.assert(
      fc.property(fc.array(look), (looks) => {
        let firing: Alert[] = [];
        const fires = new Set<string>();
        for (const [i, { a, b, blind }] of looks.entries()) {
          const report = reportOf(of(a, 'a'), of(b, 'b'));
          const at = now + i * 100_000;
          const next = changesFor(
            firing,
            blind ? { ...report, blindSince: at - 95_000 } : report,
            at,
          );
          for (const { alert } of next.messages) {
            expect(fires.has(alert.fingerprint)).toBe(alert.status === 'resolved');
            if (alert.status === 'firing') fires.add(alert.fingerprint);
            else fires.delete(alert.fingerprint);
          }
          expect(new Set(next.firing.map(({ fingerprint }) => fingerprint))).toEqual(fires);
          firing = next.firing;
        }
      }),
      runs(500),
    );
  });
});
