import { describe, expect, it } from 'vitest';
import { readHealth } from './rack-health.ts';

/** As Prometheus answers. */
function answer(...samples: [figure: string, value: number | string, labels?: object][]): string {
  const result = samples.map(([figure, value, labels]) => ({
    metric: { figure, ...labels },
    value: [1_795_000_000, String(value)],
  }));
  return JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
}

const runs = ['services', 1, { service: 'metadata-server', version: '1.2.0' }] as const;
const missing = { alertname: 'MachineMissing', severity: 'critical' };
const overdue = { alertname: 'BackupOverdue', severity: 'warning' };

describe('the health of a rack', () => {
  it('has what Prometheus knows, and nothing else', () => {
    const newer = { service: 'metadata-server', version: '1.3.0' };
    const health = readHealth(
      answer(
        [...runs],
        ['services', 1, newer],
        ['agents', 39, { version: '1.2.0' }],
        ['alerts', 1, overdue],
        ['alerts', 1, { ...missing, machine: 'rpi-1', alertstate: 'firing' }],
        ['alerts', 1, { ...missing, machine: 'rpi-2' }],
        ['machines', 0, { machine: 'rpi-1' }],
        ['machines', 1, { machine: 'rpi-2' }],
        ['health', 0, { machine: 'rpi-1', verdict: 'recovering' }],
        ['health', 1, { machine: 'rpi-2', verdict: 'ok' }],
        ['health', 1, { machine: 'rpi-3', verdict: 'quarantined' }],
        ['health', 1, { machine: 'rpi-4', verdict: 'ok' }],
        ['tasksEnded', 2.6, { machine: 'rpi-2' }],
        ['tasksEnded', 4.2, { machine: 'rpi-4' }],
        ['tasksFailed', 1.1, { machine: 'rpi-4' }],
        ['tasksEnded', 1, { machine: 'constructor' }],
        ['counted', 1, { alert: 'SwarmingBotsDown', machine: 'rpi-2' }],
        ['counted', 0, { alert: 'SwarmingBotsDown', machine: 'rpi-4' }],
        ['counted', 1, { alert: 'MachinesMissing', machine: 'rpi-1' }],
        ['conditions', 37, { condition: 'ok' }],
        ['conditions', 1, { condition: 'gone' }],
        ['serviceStates', 1, { service: 'router-backup', state: 'degraded' }],
        ['losses', 70],
        ['held', 12, { by: 'ann' }],
        ['held', 1, { by: 'bob' }],
        ['delivery', 1, { state: 'silent' }],
        ['token', 1800.5],
        ['spool', 'NaN'],
      ),
    );

    expect(health).toEqual({
      at: 1_795_000_000,
      losses: 70,
      state: 'critical',
      versions: { 'metadata-server': ['1.2.0', '1.3.0'] },
      agents: { '1.2.0': 39 },
      down: [],
      alerts: [
        {
          name: 'MachineMissing',
          severity: 'critical',
          count: 2,
          subjects: [{ machine: 'rpi-1' }, { machine: 'rpi-2' }],
        },
        { name: 'BackupOverdue', severity: 'warning', count: 1, subjects: [{}] },
      ],
      machines: { all: 2, silent: 1, held: 13, heldBy: { ann: 12, bob: 1 } },
      seen: { 'rpi-1': false, 'rpi-2': true },
      health: { ok: 2, quarantined: 1 },
      reports: {
        'rpi-1': { verdict: 'recovering', isLate: true },
        'rpi-2': { verdict: 'ok', tasks: { all: 3, failed: 0 } },
        'rpi-3': { verdict: 'quarantined' },
        'rpi-4': { verdict: 'ok', tasks: { all: 4, failed: 1 } },
        constructor: { tasks: { all: 1, failed: 0 } },
      },
      counted: {
        SwarmingBotsDown: { 'rpi-2': true, 'rpi-4': false },
        MachinesMissing: { 'rpi-1': true },
      },
      tasksEnded: { all: 8, failed: 1 },
      conditions: { ok: 37, gone: 1 },
      serviceStates: { 'router-backup': 'degraded' },
      delivery: 'silent',
      tokenSeconds: 1800.5,
    });
  });

  it.each([
    ['ok', answer([...runs])],
    ['warning', answer([...runs], ['alerts', 1, overdue])],
    ['warning', answer([...runs], ['delivery', 1, { state: 'failing' }])],
    ['ok', answer([...runs], ['delivery', 1, { state: 'not confirmed' }])],
    ['critical', answer([...runs], ['alerts', 1, missing], ['alerts', 1, overdue])],
    ['critical', answer([...runs], ['down', 0, { job: 'router-backup' }])],
    ['unknown', answer([...runs], ['conditions', 1, { condition: 'unknown' }])],
    ['ok', answer([...runs], ['conditions', 0, { condition: 'unknown' }])],
    ['unknown', answer()],
  ])('%s', (state, text) => {
    expect(readHealth(text).state).toBe(state);
  });

  it('does not know agents by machine from an answer to an earlier version', () => {
    const health = readHealth(answer(['health', 39, { verdict: 'ok' }], ['tasksEnded', 12]));

    expect(health.reports).toBeUndefined();
    expect(readHealth(answer()).reports).toEqual({});
  });

  it('is not read from the answer of something else', () => {
    expect(() => readHealth('<html>')).toThrow(SyntaxError);
    expect(() => readHealth('{"status":"error"}')).toThrow('data');
  });
});
