/** What the audit log says of each change: who, what, which machine, how, why, and what came of it. */
import { powerCycleDaemonApi, type RouteSpec } from '@skolo/api';
import { sendRequest } from '@skolo/base/testing';
import { freeTcpPort } from '@skolo/simulators/free-port';
import { describe, expect, it } from 'vitest';
import { audited } from '../testing/audited.ts';
import { startDaemon, type TestDaemon } from '../testing/daemon.ts';

const yaml = `
equipment:
  pdu-1: { model: apc-rpdu, address: 127.0.2.2 }
machines:
  b-[1-4]: { kind: host, power: 'pdu-1/[1-4]', offSeconds: 0.5 }
  bare: { kind: host }
`;
const reason = 'smells burnt';

interface Sample {
  call: (daemon: TestDaemon) => Promise<unknown>;
  /** Of the line before the change, and of the line after it. */
  begun: object;
  ended: object;
}

const until = new Date(Date.now() + 3_600_000).toISOString();
const asked = { targets: ['b-1'], reason };

/** One call of each route that changes something. A new route needs one, too. */
const samples: Record<string, Sample> = {
  requestCycles: {
    call: ({ client }) =>
      client.requestCycles({
        body: { machines: ['b-[1-2]'], reason, mode: 'hard', force: true, offSeconds: 0.5 },
      }),
    begun: {
      target: 'b-[1-2]',
      why: reason,
      input: { mode: 'hard', force: true, offSeconds: 0.5, skipRejected: false },
    },
    ended: {
      outcome: 'accepted',
      answer: {
        cycles: [
          { id: expect.any(String), target: 'b-1', joined: false },
          { id: expect.any(String), target: 'b-2', joined: false },
        ],
        rejected: [],
      },
    },
  },
  switchOutlets: {
    call: ({ client }) =>
      client.switchOutlets({
        body: { targets: ['b-1', 'bare'], state: 'off', reason, skipRejected: true },
      }),
    begun: {
      target: 'b-1 bare',
      why: reason,
      input: { state: 'off', force: false, skipRejected: true },
    },
    ended: {
      outcome: 'accepted',
      answer: { cycles: [{ target: 'b-1' }], rejected: [{ target: 'bare', code: 'no-outlet' }] },
    },
  },
  cancelCycle: {
    call: async ({ client, finished }) => {
      const { cycles } = await client.switchOutlets({ body: { ...asked, state: 'off' } });
      const id = cycles[0]?.id ?? '';
      await finished(id);
      return client.cancelCycle({ params: { id }, query: { why: reason } }).catch(() => undefined);
    },
    begun: { target: expect.stringMatching(/^[0-9a-f-]{36}$/), why: reason },
    ended: { outcome: expect.stringMatching(/^rejected: .*b-1/) },
  },
  hold: {
    call: ({ client }) => client.hold({ body: { ...asked, until } }),
    begun: { target: 'b-1', why: reason, input: { until } },
    ended: { outcome: 'done', answer: { holds: [{ id: expect.any(String), target: 'b-1' }] } },
  },
  release: {
    call: async ({ client }) => {
      const { holds } = await client.hold({ body: asked });
      const id = holds[0]?.id ?? '';
      return client.release({ params: { id }, query: { why: reason } });
    },
    begun: { target: expect.any(String), why: reason },
    ended: { outcome: 'done', answer: { target: 'b-1', until: expect.any(String) } },
  },
  endOnIt: {
    call: async ({ client }) => {
      await client.hold({ body: { ...asked, kind: 'on-it', incident: 'i-7' } });
      return client.endOnIt({ params: { incident: 'i-7' } });
    },
    begun: { target: 'i-7' },
    ended: { outcome: 'done', answer: { holds: [{ target: 'b-1', kind: 'on-it' }] } },
  },
  endBusy: {
    call: async ({ client }) => {
      const params = { name: 'b-1' };
      await client.setBusy({ params, body: { text: reason, job: '7' } });
      return client.endBusy({ params, query: { job: '7' } });
    },
    begun: { target: 'b-1', input: { job: '7' } },
    ended: { outcome: 'done', answer: { reason } },
  },
  forgetPendingOn: {
    call: ({ client }) =>
      client
        .forgetPendingOn({ params: { outlet: 'pdu-9/1' }, query: { why: reason } })
        .catch(() => undefined),
    begun: { target: 'pdu-9/1', why: reason },
    ended: { outcome: expect.stringMatching(/^rejected: pdu-9\/1/) },
  },
  forgetHostKey: {
    call: ({ client }) =>
      client.forgetHostKey({ params: { equipment: 'pdu-1' }, query: { why: reason } }),
    begun: { target: 'pdu-1', why: reason },
    ended: { outcome: 'done', answer: { forgotten: false } },
  },
};

const changes = Object.entries<RouteSpec>(powerCycleDaemonApi).flatMap(([name, { audits }]) =>
  audits !== undefined && !('elsewhere' in audits) ? [name] : [],
);

describe('the audit log', () => {
  it.each(changes)('has all that decided a %s, and what came of it', async (name) => {
    const { call, begun, ended } = samples[name] ?? {};
    const daemon = await startDaemon({ yaml });

    await call?.(daemon);

    const { who } = daemon;
    const line = { who, role: 'operate', from: '127.0.0.1', what: name, ...begun };
    const entries = await audited(daemon.stateDir);
    expect(entries.filter(({ what }) => what === name)).toMatchObject([
      { ...line, outcome: 'begun' },
      { ...line, ...ended },
    ]);
  });

  it('has the end of each cycle, and each rejection', async () => {
    const daemon = await startDaemon({ yaml });
    const body = { reason, mode: 'hard' as const };
    const { cycles } = await daemon.client.requestCycles({ body: { ...body, machines: ['b-1'] } });
    const id = cycles[0]?.id ?? '';
    await daemon.finished(id);
    await expect(
      daemon.client.requestCycles({ body: { ...body, machines: ['bare'] } }),
    ).rejects.toThrow();
    await daemon.stop();

    const entries = await audited(daemon.stateDir);
    expect(entries.slice(2)).toMatchObject([
      {
        who: daemon.who,
        what: `cycle ${id}`,
        target: 'b-1',
        input: { mode: 'hard', force: false, offSeconds: 0.5, outlets: ['pdu-1/1'] },
        why: reason,
        outcome: 'on: pdu-1/1 is reported as on',
      },
      { what: 'requestCycles', target: 'bare', outcome: 'begun' },
      { what: 'requestCycles', outcome: expect.stringMatching(/^rejected: bare: rack.yaml/) },
    ]);
  });

  it('has what programs ask for without signing in', async () => {
    const port = await freeTcpPort();
    const settings = `    endpoints: { pdudaemon: { port: ${port}, host: 127.0.0.1, allow: [127.0.0.0/8], aliases: [b-1] } }`;
    const daemon = await startDaemon({ yaml, settings });

    await sendRequest(port, '/power/control/reboot?alias=b-1&delay=1');

    const line = {
      who: 'pdudaemon endpoint, 127.0.0.1',
      what: 'endpoint: cycle',
      target: 'b-1',
      input: { mode: 'hard', force: false, offSeconds: 1, skipRejected: false },
      why: "pdudaemon's API: reboot",
    };
    expect((await audited(daemon.stateDir)).slice(0, 2)).toMatchObject([
      { ...line, outcome: 'begun' },
      { ...line, outcome: 'accepted', answer: { cycles: [{ target: 'b-1' }] } },
    ]);
  });
});
