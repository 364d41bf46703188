/** What the gate says of versions that fail, from what a real kubelet reports. */

import {
  type ControlPlane,
  nodePrograms,
  peer,
  startControlPlane,
  whyNoRealNodes,
} from '@skolo/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateKinds, judge } from './gate.ts';
import { readAnswer } from './objects.ts';

const seldom = { interval: 500 };
let plane: ControlPlane;

interface Failing {
  command?: string;
  image?: string;
  limit?: string;
  livenessProbe?: object;
  readinessProbe?: object;
}

const failing: Record<string, Failing> = {
  crash: { command: 'echo cannot open the database >&2; exit 1' },
  configuration: { command: 'echo rack.yaml:3:1 unknown key >&2; exit 78' },
  memory: { command: 'echo starts; exec tail /dev/zero', limit: '16Mi' },
  files: { command: 'echo state > /state' },
  liveness: {
    command: 'echo hangs; sleep 1000',
    livenessProbe: { exec: { command: ['/usr/bin/false'] }, periodSeconds: 1, failureThreshold: 1 },
  },
  readiness: {
    command: 'sleep 1000',
    readinessProbe: { exec: { command: ['/usr/bin/false'] }, periodSeconds: 1 },
  },
  pull: { image: 'registry.invalid/skolo/pull:1' },
};

function deployment(name: string, given: Failing): object {
  const { command = '', limit = '64Mi', image = 'test.skolo/pause:1', ...probes } = given;
  const labels = { app: name };
  const container = {
    name: 'main',
    image,
    command: ['/usr/bin/sh', '-c', command],
    terminationMessagePolicy: 'FallbackToLogsOnError',
    securityContext: { readOnlyRootFilesystem: true },
    resources: { limits: { memory: limit } },
    volumeMounts: nodePrograms.volumeMounts,
    ...probes,
  };
  const spec = {
    terminationGracePeriodSeconds: 0,
    containers: [container],
    volumes: nodePrograms.volumes,
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

describe.skipIf(whyNoRealNodes())('the gate, on a real node', () => {
  beforeAll(async () => {
    plane = await startControlPlane(peer('control-plane') ?? '', peer('kubectl') ?? '', {
      realNodes: [{ name: 'n1', address: '192.168.1.8' }],
    });
    const items = Object.entries(failing).map(([name, one]) => deployment(name, one));
    await plane.kubectl(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
  });
  afterAll(() => plane?.close());

  it.each([
    ['crash', 'failed', /^keeps crashing \(Error, exit 1\): cannot open the database$/],
    [
      'configuration',
      'failed',
      /^the configuration was rejected \(exit code 78\): rack.yaml:3:1 unknown key$/,
    ],
    ['memory', 'failed', /^keeps crashing \(OOMKilled, exit 137\)/],
    ['files', 'failed', /^keeps crashing \(Error, exit 2\): .*\/state: Read-only file system$/],
    ['liveness', 'failed', /^keeps crashing \(Error, exit 137\): hangs$/],
    ['readiness', 'waiting', /^running, but not ready$/],
    ['pull', 'failed', /^image registry.invalid\/skolo\/pull:1 cannot be pulled: /],
  ])('quotes the container of a version that fails: %s', async (name, state, cause) => {
    await expect
      .poll(async () => {
        const text = await plane.kubectl(['get', gateKinds.join(','), '-o', 'json']);
        return judge({ kind: 'Deployment', name }, readAnswer(text)).pods[0];
      }, seldom)
      .toMatchObject({ state, cause: expect.stringMatching(cause) });
  });
});
