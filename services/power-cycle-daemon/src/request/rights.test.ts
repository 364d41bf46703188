/** Tokens that are bound to what they are for: a CI runner's says that its machines are busy, machine-state's ends what is over. */
import { describe, expect, it } from 'vitest';
import { audited } from '../testing/audited.ts';
import { boardRack, colleagueOf, problem, startDaemon } from '../testing/daemon.ts';

const text = 'nightly';

describe('a token for jobs', () => {
  async function withCi() {
    const daemon = await startDaemon({ yaml: boardRack });
    const about = { name: 'ci', role: 'view' as const, busy: ['b', 'e-[1-4]'] };
    return { ...daemon, ci: await colleagueOf(daemon, about) };
  }

  it('says that its machines are busy and no longer are, and sees them', async () => {
    const { ci, cycle } = await withCi();

    await ci.setBusy({ params: { name: 'e-3' }, body: { text } });
    const [during] = await cycle('e-3');
    await ci.endBusy({ params: { name: 'e-3' } });
    const { machines } = await ci.machines({ query: { name: 'e-3' } });

    expect(during).toMatchObject({ outcome: 'busy' });
    expect(machines[0]).not.toHaveProperty('busy');
  });

  it.each(['c', 'e-5', 'e-[1-4]', 'pdu-1/1', 'rack1'])('does not for %s', async (name) => {
    const { ci, client } = await withCi();

    const answer = await problem(ci.setBusy({ params: { name }, body: { text } }));
    const end = await problem(ci.endBusy({ params: { name } }));

    const detail = `ci may do this only for b, e-[1-4], not for ${name}; ask an admin of the rack for another token`;
    expect(answer).toMatchObject({ status: 403, detail });
    expect(end.status).toBe(403);
    expect((await client.holds()).holds).toEqual([]);
  });

  it('does nothing else, not even to its machines', async () => {
    const { ci, client, boards } = await withCi();
    const params = { name: 'b' };
    await client.setBusy({ params, body: { text } });
    const [job] = (await client.holds()).holds;

    const refused = await Promise.all(
      [
        ci.requestCycles({ body: { machines: ['b'], reason: text } }),
        ci.switchOutlets({ body: { targets: ['b'], state: 'off', reason: text } }),
        ci.hold({ body: { targets: ['b'], reason: text } }),
        ci.release({ params: { id: job?.id ?? '' } }),
        ci.endOnIt({ params: { incident: 'i-1' } }),
      ].map(problem),
    );

    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
    expect(await problem(ci.endBusy({ params }))).toMatchObject({ status: 404 });
    expect((await client.holds()).holds).toHaveLength(1);
    expect(boards.get('pdu-1').told).toEqual([]);
  });
});

describe('a token that ends what is over', () => {
  it('ends holds of an incident, whoever set them, and nothing else', async () => {
    const daemon = await startDaemon({ yaml: boardRack });
    const { client, stateDir } = daemon;
    const service = await colleagueOf(daemon, { name: 'state', role: 'view', endsOnIt: true });
    const bob = await colleagueOf(daemon);
    const onIt = { kind: 'on-it' as const, reason: 'switch-1' };
    await client.hold({ body: { ...onIt, targets: ['b', 'c'], incident: 'i-1' } });
    await bob.hold({ body: { ...onIt, targets: ['b'], incident: 'i-1' } });
    await bob.hold({ body: { ...onIt, targets: ['d'], incident: 'i-2' } });
    await client.hold({ body: { targets: ['a'], reason: 'fan' } });
    await client.setBusy({ params: { name: 'b' }, body: { text } });

    const ended = await service.endOnIt({ params: { incident: 'i-1' } });
    const again = await service.endOnIt({ params: { incident: 'i-1' } });
    const { holds } = await client.holds();
    const refused = await Promise.all(
      holds.map(({ id }) => problem(service.release({ params: { id } }))),
    );

    expect(ended.holds.map(({ target, by }) => `${by} ${target}`).sort()).toEqual(
      [`${daemon.who} b`, `${daemon.who} c`, 'bob b'].sort(),
    );
    expect(again.holds).toEqual([]);
    expect(holds.map(({ kind }) => kind).sort()).toEqual(['busy', 'on-it', 'out-of-service']);
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(await problem(service.setBusy({ params: { name: 'b' }, body: { text } }))).toMatchObject(
      { status: 403 },
    );
    const entries = await audited(stateDir);
    expect(
      entries.some(({ who, what, target }) => `${who} ${what} ${target}` === 'state endOnIt i-1'),
    ).toBe(true);
  });

  it('is not needed by the holds themselves, which end after four hours', async () => {
    const daemon = await startDaemon({ yaml: boardRack });
    const until = new Date(Date.now() + 5 * 3_600_000).toISOString();
    const body = { kind: 'on-it' as const, targets: ['b'], reason: text, incident: 'i-1' };

    const { holds } = await daemon.client.hold({ body });
    const late = await problem(daemon.client.hold({ body: { ...body, until } }));
    const without = await problem(
      daemon.client.hold({ body: { kind: 'on-it', targets: ['b'], reason: text } }),
    );

    const [{ since = '', until: end = '' } = {}] = holds;
    expect(Math.round((Date.parse(end) - Date.parse(since)) / 60_000)).toBe(4 * 60);
    expect(late).toMatchObject({ status: 400, detail: expect.stringContaining('at most 4 hours') });
    expect(without).toMatchObject({
      status: 400,
      detail: expect.stringContaining('incident: specify it'),
    });
  });
});
