/**
 * What the router backup of the tests knows. Times are some half minutes away from where the words for them change, so
 * that a slow computer sees the same.
 */
import type {
  BackupDevice,
  BackupRun,
  BackupVersion,
  LostHistory,
  OffsiteStatus,
  RunDevice,
} from '@skolo/api';
import { ago } from '../ago.ts';
import type { BackupWorld, Version } from '../worlds.ts';
import { stationsOf } from './stations.ts';

const minutes = 60;
const hours = 3600;
const days = 86_400;

const good = { state: 'ok', versions: 3, reading: false, offsite: 'stored' } as const;

function devices(): BackupDevice[] {
  return [
    {
      ...good,
      name: 'jumphost-rack4',
      model: 'jumphost',
      lastSuccess: ago(4.5 * hours),
      lastAttempt: ago(4.5 * hours),
      version: '77aa3c0f5b1d4e1298a7cc01f2a95a5b0f3e1c77',
      changedAt: ago(4.5 * hours),
      size: 52_300_000,
      versions: 211,
      reading: true,
    },
    {
      ...good,
      name: 'router',
      model: 'edgeos',
      lastSuccess: ago(4.5 * hours),
      lastAttempt: ago(4.5 * hours),
      version: ids[0],
      changedAt: ago(30.5 * hours),
      size: 236,
      unsaved: false,
    },
    {
      ...good,
      name: 'switch-1',
      model: 'edgeswitch',
      lastSuccess: ago(4.5 * hours),
      lastAttempt: ago(4.5 * hours),
      version: 'c0ffee3c0f5b1d4e1298a7cc01f2a95a5b0f3e1c',
      changedAt: ago(20.5 * days),
      size: 12_345,
      unsaved: true,
      startup: '5a7e3c0f5b1d4e1298a7cc01f2a95a5b0f3e1c00',
      legacyAlgorithms: ['diffie-hellman-group1-sha1', 'ssh-rsa'],
      offsite: 'queued',
    },
    {
      ...good,
      name: 'switch-2',
      model: 'edgeswitch',
      state: 'overdue',
      lastSuccess: ago(76.5 * hours),
      lastAttempt: ago(20.5 * minutes),
      failure: 'timeout',
      detail: 'nothing heard for 30 s, waiting for the prompt after "show running-config"',
      failures: 12,
      hasTranscript: true,
      version: 'beef003c0f5b1d4e1298a7cc01f2a95a5b0f3e1c',
      changedAt: ago(40.5 * days),
      size: 9120,
    },
    {
      name: 'switch-3',
      model: 'edgeswitch',
      state: 'never',
      versions: 0,
      reading: false,
      offsite: 'none',
    },
    {
      ...good,
      name: 'pdu-1',
      model: 'apc-rpdu2',
      state: 'failed',
      lastSuccess: ago(4.5 * hours),
      lastAttempt: ago(90),
      failure: 'auth',
      detail: 'it does not take the password of logins.pdus',
      failures: 1,
      version: 'abba003c0f5b1d4e1298a7cc01f2a95a5b0f3e1c',
      changedAt: ago(90.5 * days),
      size: 4810,
      versions: 1,
    },
    {
      name: 'pdu-2',
      model: 'synaccess',
      state: 'not-backed-up',
      why: 'it has no way to export its configuration',
      versions: 0,
      reading: false,
      offsite: 'none',
    },
    {
      ...good,
      name: 'switch-9',
      model: 'edgeswitch',
      state: 'retired',
      lastSuccess: ago(100.5 * days),
      changedAt: ago(200.5 * days),
      size: 8000,
      retiredAt: ago(99.5 * days),
    },
  ];
}

function offsite(): OffsiteStatus[] {
  return [
    {
      kind: 'upload',
      url: 'gs://my-backups/rack4',
      queued: 2,
      lastSuccess: ago(26.5 * hours),
      problem: 'storage.googleapis.com: no route to its network (ENETUNREACH)',
    },
    {
      kind: 'git',
      url: 'git@git.example.com:racks/rack4.git',
      queued: 0,
      lastSuccess: ago(4.5 * hours),
    },
  ];
}

const ids = [
  '3f9a2c0f5b1d4e1298a7cc01f2a95a5b0f3e1c00',
  '18c04d7e5b1d4e1298a7cc01f2a95a5b0f3e1c11',
  '9d5e5b3a5b1d4e1298a7cc01f2a95a5b0f3e1c22',
] as const;

/** Of the router, the newest first. */
const contents = [
  config({ name: 'rack4', vlans: [10, 20, 30] }),
  config({ name: 'rack4', vlans: [10, 20] }),
  config({ name: 'ubnt', vlans: [10, 20] }),
];

function config({ name, vlans }: { name: string; vlans: number[] }): string {
  return [
    'interfaces {',
    '    ethernet eth1 {',
    ...vlans.map((vlan) => `        vif ${vlan}`),
    '    }',
    '}',
    'system {',
    `    host-name ${name}`,
    '    login {',
    '        user admin {',
    '            encrypted-password $6$s3same',
    '        }',
    '    }',
    '}',
    '',
  ].join('\n');
}

function masked(text: string): string {
  return text.replaceAll('$6$s3same', '<secret 5e1f00>');
}

function routerVersions(): BackupVersion[] {
  const common = { device: 'router', model: 'edgeos' };
  const size = (n: number) => Buffer.byteLength(contents[n] ?? '');
  return [
    {
      ...common,
      id: ids[0],
      time: ago(30.5 * hours),
      size: size(0),
      run: 'r0012',
      by: 'ann',
      reason: 'new vlan for the lab',
      changedBy: 'admin',
      summary: 'router: changed (+1 -0)',
    },
    {
      ...common,
      id: ids[1],
      time: ago(9.5 * days),
      size: size(1),
      run: 'r0011',
      by: 'schedule',
      summary: 'router: changed (+1 -1)',
    },
    {
      ...common,
      id: ids[2],
      time: ago(60.5 * days),
      size: size(2),
      run: 'r0001',
      by: 'schedule',
      summary: 'router: first version',
    },
  ];
}

/** The newest first. */
export function versionsOf(device: string): Version[] {
  if (device === 'router') {
    return routerVersions().map((version, i) => ({ version, content: contents[i] ?? '' }));
  }
  if (device === 'modem') {
    const content = 'dsl mode auto\npassword s3same\n';
    const id = '40de3c0f5b1d4e1298a7cc01f2a95a5b0f3e1c40';
    return [{ version: { id, device, time: ago(3.5 * days), size: content.length }, content }];
  }
  if (device !== 'switch-1') return [];
  const content = '!Current Configuration:\nset clibanner "\u001b[2Jgo away"\nexit\n';
  const id = 'c0ffee3c0f5b1d4e1298a7cc01f2a95a5b0f3e1c';
  const model = 'edgeswitch';
  const time = ago(20.5 * days);
  const version = { id, device, model, time, size: content.length, by: 'schedule' };
  return [{ version, content }];
}

/** What comes of each, whenever it is read. */
export function resultOf(device: string): RunDevice {
  const done = { device, state: 'done' } as const;
  switch (device) {
    case 'router':
      return {
        ...done,
        result: 'changed',
        version: '40c04d7e5b1d4e1298a7cc01f2a95a5b0f3e1c44',
        size: 252,
        seconds: 0.31,
        unsaved: false,
      };
    case 'switch-1':
      return { ...done, result: 'unchanged', size: 12_345, seconds: 1.24, unsaved: true };
    case 'switch-2':
      return {
        ...done,
        result: 'failed',
        failure: 'timeout',
        detail: 'nothing heard for 30 s, waiting for the prompt after "show running-config"',
        seconds: 31.5,
      };
    case 'pdu-1':
      return {
        ...done,
        result: 'failed',
        failure: 'auth',
        detail: 'it does not take the password of logins.pdus',
        seconds: 0.8,
      };
    case 'pdu-2':
      return {
        ...done,
        result: 'not-backed-up',
        detail: 'it has no way to export its configuration',
      };
    default:
      return { ...done, result: 'unchanged', size: 52_300_000, seconds: 12 };
  }
}

/** The newest first. */
function pastRuns(): BackupRun[] {
  return [
    {
      id: 'r0013',
      origin: 'schedule',
      by: 'schedule',
      requestedAt: ago(4.5 * hours),
      finishedAt: ago(4.5 * hours - 41),
      devices: ['jumphost-rack4', 'switch-1', 'switch-2', 'pdu-2'].map(resultOf),
    },
    {
      id: 'r0012',
      origin: 'person',
      by: 'ann',
      reason: 'new vlan for the lab',
      requestedAt: ago(30.5 * hours),
      finishedAt: ago(30.5 * hours - 2),
      devices: [resultOf('router')],
    },
  ];
}

/** What a copy does not have. */
function lost(): LostHistory[] {
  const newest = { id: 'c0ffee3c0f5b1d4e1298a7cc01f2a95a5b0f3e1c', time: ago(20.5 * days) };
  return [{ device: 'switch-1', since: ago(2.5 * hours), versions: 3, newest, unsent: [newest] }];
}

export const exampleBackups: BackupWorld = {
  devices,
  offsite,
  versionsOf,
  masked,
  pastRuns,
  resultOf,
  lost,
  stationsOf,
};
