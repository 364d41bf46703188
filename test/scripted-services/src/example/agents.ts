/** What the agents of the tests say. Times are some half minutes away from where the words for them change. */
import type { AgentStatus, LogLine } from '@skolo/api';
import { ago } from '../ago.ts';

const hour = 3600;

const server = 'https://chromium-swarm.appspot.com';

export function agentStatuses(): AgentStatus[] {
  const since = ago(2.5 * hour);
  const running = {
    state: 'running',
    since,
    startedAt: since,
    healthy: true,
    starts: 3,
    pid: 812,
    server,
  } as const;
  const phone = {
    name: 'device',
    state: 'present',
    kind: 'android',
    since: ago(5.5 * hour),
    readAt: ago(12),
    serial: '0A1B2C3D',
    batteryPercent: 87,
    temperaturesCelsius: { battery: 27.2, tsens_tz_sensor0: 31.6 },
  } as const;

  const well = { verdict: 'ok', since: ago(5.5 * hour), reasons: [] } as const;
  return [
    {
      machine: 'rpi-001',
      task: { running: true, id: '67e8a4c01f2b3d10', since: ago(11.5 * 60) },
      devices: [{ ...phone, temperaturesCelsius: { ...phone.temperaturesCelsius } }],
      health: { ...well, reasons: [] },
      bot: running,
    },
    {
      machine: 'rpi-002',
      task: { running: false },
      devices: [
        {
          name: 'device',
          state: 'missing',
          kind: 'android',
          since: ago(3.5 * hour),
          why: 'adb does not see it',
          repairSteps: ['adb-reconnect', 'adb-restart', 'usb-cycle'],
        },
      ],
      health: {
        verdict: 'quarantined',
        since: ago(3.5 * hour),
        reasons: [
          {
            verdict: 'quarantined',
            code: 'needs-hands',
            text: 'needs hands: 2 rounds of repair (adb-reconnect, usb-cycle) did not bring it back',
            since: ago(2.5 * hour),
            device: 'device',
          },
          {
            verdict: 'quarantined',
            code: 'missing',
            text: 'missing: adb does not see it',
            since: ago(3.5 * hour),
            device: 'device',
          },
        ],
      },
      bot: running,
      repairs: [
        {
          at: ago(2.5 * hour),
          device: 'device',
          round: 2,
          step: 'usb-cycle',
          outcome: 'done',
          text: 'port 1-1.2 reported off for 5 s, and is on again',
        },
      ],
    },
    {
      machine: 'rpi-003',
      task: { running: false },
      devices: [{ ...phone, batteryPercent: 12, temperaturesCelsius: { battery: 29 } }],
      health: {
        verdict: 'recovering',
        since: ago(40.5 * 60),
        reasons: [
          {
            verdict: 'recovering',
            code: 'battery-low',
            text: 'battery low: 12 %, good at 40 %',
            since: ago(40.5 * 60),
            device: 'device',
          },
        ],
      },
      bot: running,
    },
    {
      machine: 'rpi-004',
      task: { running: false },
      devices: [],
      health: { ...well, reasons: [] },
      bot: {
        state: 'backing-off',
        since: ago(4.5 * 60),
        healthy: false,
        starts: 0,
        why: 'https://chromium-swarm.appspot.com answers 403 to /bot_code: who is this?',
        server,
        nextStartAt: ago(-90.5 * 60),
      },
      identity: { rack: 'rack7', from: 'kept copy', why: 'http://metadata: connection refused' },
    },
    {
      machine: 'linux-\u001b[2Jevil',
      task: { running: true },
      devices: [
        { ...phone, name: 'left', temperaturesCelsius: {} },
        { name: 'right', state: 'unknown', kind: 'ios' },
      ],
      health: {
        verdict: 'maintenance',
        since: ago(30.5 * 60),
        reasons: [
          {
            verdict: 'maintenance',
            code: 'held:linux-1:ann',
            text: `held by ann: \u001b]0;new title\u0007new cable ${'x'.repeat(500)}`,
            since: ago(30.5 * 60),
          },
        ],
      },
      bot: { ...running, state: 'silent', healthy: false },
    },
  ];
}

export function logLines(): LogLine[] {
  return [
    { number: 3, at: ago(60), from: 'agent', text: 'bot started' },
    { number: 4, at: ago(59), from: 'bot', text: 'Downloading \u001b[31mred\u001b[0m' },
    { number: 5, at: ago(2), from: 'bot', text: 'Running task 67e8a4c01f2b3d10' },
  ];
}
