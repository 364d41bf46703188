/** The routes of the other services that the console reads, over the same rack. */
import {
  type Api,
  alertToPubsubApi,
  type BackupVersion,
  metadataServerApi,
  type PowerCycle,
  powerCycleDaemonApi,
  routerBackupApi,
} from '@skolo/api';
import {
  bindRoutes,
  createApp,
  HttpProblem,
  type RouteHandlers,
  type ServiceDefinition,
} from '@skolo/common';
import type { ServiceName } from '@skolo/rack';
import type { FixtureRack } from './fixture-rack.ts';
import type { Fixture } from './fixture-service.ts';

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();

export function fixturePeers(fixture: FixtureRack, calls: Fixture['calls']): ServiceDefinition[] {
  return [
    power(fixture, calls),
    backups(fixture),
    alerts(fixture),
    peer('metadata-server', pick(metadataServerApi, 'clients', 'identities'), {
      identities: () => ({
        status: 200,
        body: {
          identities: [
            {
              name: 'bots',
              email: 'bots@my-project.iam.gserviceaccount.com',
              project: 'my-project',
              scopes: [],
              tokenRemainingSeconds: 3120,
              lastSuccess: ago(8),
            },
          ],
        },
      }),
      clients: () => ({
        status: 200,
        body: {
          clients: fixture.machines.map(({ name, address }, i) => ({
            name,
            kind: 'machine' as const,
            address,
            identity: 'bots',
            lastAsked: ago(i % 30),
            lastTokenAsked: ago(i % 30),
            requests: 1200 + i,
          })),
        },
      }),
    }),
  ];
}

function power({ machines, rack }: FixtureRack, calls: Fixture['calls']): ServiceDefinition {
  const { requestCycles, cycles, cycleEvents, switchOutlets, outlets, controllers, holds, hold } =
    powerCycleDaemonApi;
  const api = {
    requestCycles,
    cycles,
    cycleEvents,
    switchOutlets,
    outlets,
    controllers,
    holds,
    hold,
  };
  const off = new Map<string, string>();
  const known = machines.slice(0, 6).map(({ name, wiring }, i): PowerCycle => {
    const isRunning = i < 2;
    return {
      id: `87e7096${i}-0000-4000-8000-000000000000`,
      target: name,
      action: 'cycle',
      mode: 'auto',
      outlets: wiring.power,
      reason: 'the phone is missing',
      by: i % 2 ? 'ann@example.com' : 'repair',
      origin: i % 2 ? 'person' : 'repair',
      requestedAt: ago(i * 30 + 1),
      startedAt: ago(i * 30 + 1),
      ...(!isRunning && { finishedAt: ago(i * 30) }),
      offSeconds: 5,
      force: false,
      step: isRunning ? 'off' : 'see-back',
      ...(!isRunning && { outcome: 'back' as const }),
      detail: isRunning ? 'off, verified; waiting 5 s' : 'ssh answers again',
      steps: [{ at: ago(i * 30 + 1), step: 'off', text: 'turned off, and reads off' }],
    };
  });
  return peer('power-cycle-daemon', api, {
    requestCycles({ body }) {
      calls.push({ name: 'requestCycles', body });
      const busy = body.machines.filter(
        (name) => machines.find((each) => each.name === name)?.cause,
      );
      if (busy.length > 0 && !body.force) {
        const refused = busy.map((target) => ({
          target,
          code: 'controller-failing' as const,
          detail: 'its switch does not answer',
        }));
        throw new HttpProblem(409, 'nothing was done', { members: { refused } });
      }
      const accepted = body.machines.map((target, i) => ({
        id: `new-${i}`,
        target,
        joined: false,
      }));
      return { status: 202, body: { cycles: accepted, refused: [] } };
    },
    cycles: () => ({ status: 200, body: { cycles: known } }),
    cycleEvents: () => ({
      status: 200,
      follow(send) {
        for (const cycle of known) send('cycle', cycle);
        return () => undefined;
      },
    }),
    switchOutlets({ body: { targets, state, reason, force }, caller }) {
      calls.push({ name: 'switchOutlets', body: { targets, state, reason, force } });
      const [outlet = ''] = targets;
      if (outlet.startsWith('switch-1/') && !force && state === 'off') {
        const detail = 'a task is running on it';
        const refused = [{ target: outlet, code: 'others-go-dark' as const, detail }];
        throw new HttpProblem(409, 'nothing was done', { members: { refused } });
      }
      if (state === 'off') off.set(outlet, caller.name);
      else off.delete(outlet);
      return { status: 202, body: { cycles: [], refused: [] } };
    },
    outlets: () => ({
      status: 200,
      body: {
        outlets: machines.map(
          (
            {
              name,
              wiring: {
                power: [outlet = ''],
              },
              cause,
            },
            i,
          ) => ({
            outlet,
            controller: outlet.split('/')[0] ?? '',
            feeds: [name],
            state: off.has(outlet)
              ? ('off' as const)
              : cause
                ? ('unknown' as const)
                : ('on' as const),
            ...(off.has(outlet) && {
              switchedOff: { by: off.get(outlet) ?? '', at: ago(0), reason: 'as ordered' },
            }),
            watts: 4.1 + (i % 9) / 10,
            stuckOff: false,
            ...(i === 3 && { owedSince: ago(2) }),
          }),
        ),
      },
    }),
    controllers: () => ({
      status: 200,
      body: {
        controllers: rack.elements.slice(1).map(({ name, model, state, why, since }) => ({
          name,
          model,
          state,
          experimental: false,
          queue: 0,
          lastContact: ago(state === 'up' ? 0.2 : 12),
          ...(since && { since }),
          ...(why && { detail: why }),
        })),
      },
    }),
    holds: () => ({ status: 200, body: { holds: [] } }),
    hold({ body }) {
      calls.push({ name: 'hold', body });
      return { status: 201, body: { holds: [] } };
    },
  });
}

function backups({ rack }: FixtureRack): ServiceDefinition {
  const versions = (device: string): BackupVersion[] =>
    [190, 2900, 12_400].map((minutes, i) => ({
      id: `${(i + 10).toString(16).repeat(8)}`,
      device,
      time: ago(minutes),
      size: 4211 - i * 40,
      changedBy: i === 0 ? 'admin' : 'ann',
    }));
  return peer('router-backup', pick(routerBackupApi, 'devices', 'versions', 'diff'), {
    devices: () => ({
      status: 200,
      body: {
        devices: rack.elements.map(({ name, model, state }) => ({
          name,
          model,
          state: state === 'down' ? ('failed' as const) : ('ok' as const),
          lastSuccess: ago(310),
          changedAt: ago(190),
          versions: 3,
          reading: false,
          offsite: 'stored' as const,
          ...(state === 'down' && { detail: 'no connection: timeout' }),
        })),
        offsite: [
          {
            kind: 'upload' as const,
            url: 'gs://my-backups/rack4',
            queued: 0,
            lastSuccess: ago(310),
          },
        ],
        lost: [],
      },
    }),
    versions: ({ params }) => ({ status: 200, body: { versions: versions(params.device) } }),
    diff({ params, query }) {
      const [newest] = versions(params.device);
      const find = (id: string) => versions(params.device).find((each) => each.id === id) ?? newest;
      const [from, to] = [find(query.from), find(query.to)];
      if (!from || !to) throw new HttpProblem(404, 'no such version');
      const diff = [
        `--- ${from.id}`,
        `+++ ${to.id}`,
        '@@ -14,7 +14,8 @@ interface 0/12',
        ' description "shelf1-012"',
        '-vlan participation include 10',
        '+vlan participation include 20',
        '+poe opmode auto',
        ' exit',
        ' interface 0/13',
        '-snmp-server community <masked 3f9a>',
        '+snmp-server community <masked 77c1>',
        ' exit',
      ].join('\n');
      return { status: 200, body: { from, to, diff } };
    },
  });
}

function alerts({ rack }: FixtureRack): ServiceDefinition {
  const api = pick(alertToPubsubApi, 'alerts', 'status', 'deadLetters', 'retryDeadLetters');
  return peer('alert-to-pubsub', api, {
    alerts: () => ({
      status: 200,
      body: {
        alerts: rack.alerts.map(({ name, summary = '', severity = '', since }, i) => ({
          fingerprint: `f${i}`,
          status: 'firing' as const,
          labels: { alertname: name, severity, rack: rack.rack },
          annotations: { summary },
          startsAt: since,
          endpoint: 'v2' as const,
          first: since,
          last: ago(1),
          count: 12,
        })),
      },
    }),
    status: () => ({
      status: 200,
      body: {
        location: rack.rack,
        healthy: true,
        lastHeard: ago(1),
        receivers: [
          { name: 'prometheus' as const, isExpected: true, isSilent: false, lastHeard: ago(0.2) },
        ],
        firing: rack.alerts.length,
        spool: { bytes: 8192, maxBytes: 100_000_000 },
        sinks: [
          {
            name: 'pubsub',
            kind: 'pubsub' as const,
            depth: 0,
            oldestSeconds: 0,
            lastSuccess: ago(0.3),
          },
        ],
      },
    }),
    deadLetters: () => ({ status: 200, body: { deadLetters: [] } }),
    retryDeadLetters: () => ({ status: 200, body: { retried: 0, kept: 0 } }),
  });
}

/** A service with these routes on both ports: each has its API on one of them. */
function peer<A extends Api>(
  name: ServiceName,
  api: A,
  handlers: RouteHandlers<NoInfer<A>>,
): ServiceDefinition {
  return {
    name,
    apiPort: name === 'metadata-server' ? 'metrics' : 'public',
    start: async (context) => ({
      handler: createApp({ ...context, api, handlers }),
      admin: bindRoutes(api, handlers),
      readiness: () => ({ ready: true, degraded: [] }),
      stop: async () => undefined,
    }),
  };
}

function pick<A extends Api, const Names extends keyof A>(
  api: A,
  ...names: Names[]
): Pick<A, Names> {
  // The keys and the types are those of `api`, which `fromEntries` forgets.
  return Object.fromEntries(names.map((name) => [name, api[name]])) as Pick<A, Names>;
}
