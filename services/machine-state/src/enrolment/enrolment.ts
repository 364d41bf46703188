/** Handles Raspberry Pis that request their identity: each request is decided, and a name and token are durable before they are sent. */
import { randomUUID } from 'node:crypto';
import type { EnrolledPi, EnrolmentSecret, EnrolRequest, RevokedPi, WaitingPi } from '@skolo/api';
import { errorText } from '@skolo/base';
import type { Secret } from '@skolo/base/secrets';
import { HttpProblem, Locks } from '@skolo/common';
import { didYouMean } from '@skolo/rack';
import type { PartDeps } from '../part-deps.ts';
import { written } from '../records.ts';
import { type Cluster, ClusterUnavailable, tokenSeconds } from './cluster.ts';
import { decide, type Enrolled, type Given, type Rejected, type Waits } from './decide.ts';
import { checkSecret, newSecret } from './secrets.ts';
import { type Asked, Waiting } from './waiting.ts';

interface EnrolmentDeps extends Pick<PartDeps, 'rack' | 'clock' | 'log' | 'records'> {
  cluster: Pick<Cluster, 'readyNodes' | 'forget' | 'newToken'>;
  /** The journal is readable: without it, nobody knows which card has a name. */
  isOpen(): boolean;
  /** Whether a machine's agent responds. */
  isAgentAlive(machine: string): boolean;
}

/** What a Pi receives. */
interface Place {
  name: string;
  address?: string | undefined;
  token: Secret;
}

/** A card that has received a name must join within this time, before its token expires. */
export const settlingMs = tokenSeconds * 1000;
/** Nodes are requested at most once in this time, however many Pis ask. */
const nodesSeconds = 5;

export class Enrolment {
  private readonly deps: EnrolmentDeps;
  private readonly waiting: Waiting;
  private readonly locks = new Locks();
  /** By key: the same answer to the same request, until half of its token's lifetime is over. */
  private readonly tokens = new Map<string, { name: string; token: Secret; until: number }>();
  private nodes: { ready: Set<string> | undefined; until: number } | undefined;

  constructor(deps: EnrolmentDeps) {
    this.deps = deps;
    const isDecided = (key: string) =>
      this.ownOf(key) !== undefined || deps.records.adopted.get(key) !== undefined;
    this.waiting = new Waiting(deps.clock, isDecided);
  }

  /** One request at a time: two cards cannot get the same name. @throws HttpProblem 403, 503 */
  async ask(key: string, body: EnrolRequest, from: string): Promise<Place | Waits> {
    const { serial, macs, model, secret } = body;
    this.checkOpen();
    return await this.locks.hold('ask', async () => {
      const asked = { key, serial, macs, model, from };
      const decision = await this.decision(asked, secret);
      if ('reject' in decision) throw new HttpProblem(403, decision.reject);
      const answer = 'give' in decision ? await this.give(asked, decision) : decision;
      if ('wait' in answer) this.waiting.put(asked, answer);
      else this.waiting.delete(key);
      return answer;
    });
  }

  /** The machine whose card has this key. */
  machineOf(key: string): string | undefined {
    return this.ownOf(key)?.name;
  }

  list() {
    const { enrolled, revoked, secrets } = this.deps.records;
    return {
      waiting: this.waiting.list(),
      enrolled: [...enrolled.all.values()].map(({ force: _, ...shown }): EnrolledPi => shown),
      revoked: [...revoked.all.values()],
      secrets: [...secrets.all.values()].map(({ sha256: _, ...shown }): EnrolmentSecret => shown),
    };
  }

  /** @throws HttpProblem 404, 409, 503 */
  async adopt(
    { key, name, reason, force }: { key: string; name: string; reason: string; force: boolean },
    by: string,
  ): Promise<WaitingPi> {
    const { rack, records, clock } = this.deps;
    const machine = rack().machines.get(name);
    if (machine?.kind !== 'rpi') {
      const hint = didYouMean(name, rack().machines.keys());
      throw new HttpProblem(
        404,
        `rack.yaml does not contain a Raspberry Pi named ${name}; add it and run skolo push${hint}`,
      );
    }
    if (!force) await this.checkDead(name);
    const at = new Date(clock.now()).toISOString();
    const adopted = { key, name, by, reason, force, at };
    return await this.locks.hold('ask', async () => {
      const pi = this.waiting.get(key);
      if (pi === undefined) {
        const remedy = 'to list the pending requests, run skolo pi waiting';
        throw new HttpProblem(
          404,
          `no Pi with this key has a pending enrolment request; ${remedy}`,
        );
      }
      if (pi.code === 'copied') throw new HttpProblem(409, `this Pi cannot get a name: ${pi.why}`);
      if (!force) this.checkUndecided(key, name);
      const note = this.note(
        name,
        by,
        `adopted the Raspberry Pi with serial number ${pi.serial}: ${reason}`,
      );
      // Another card that was adopted for this name, and has made no request since, would take it back.
      const previous = [...records.adopted.all.values()].filter((each) => each.name === name);
      await written(records.tables, [
        ...previous.map((each) => records.adopted.remove(each.key)),
        records.adopted.put(adopted),
        note,
      ]);
      return pi;
    });
  }

  /** @throws HttpProblem 503 */
  async newSecret(days: number, by: string): Promise<EnrolmentSecret & { secret: string }> {
    const { records, clock } = this.deps;
    const { kept, secret } = newSecret(days, by, clock.now());
    const long = clock.now() - 30 * 86_400_000;
    const old = [...records.secrets.all.values()].filter(
      ({ expires }) => Date.parse(expires) < long,
    );
    await written(records.tables, [
      records.secrets.put(kept),
      ...old.map(({ id }) => records.secrets.remove(id)),
    ]);
    const { sha256: _, ...shown } = kept;
    return { ...shown, secret };
  }

  /** @throws HttpProblem 404, 503 */
  async revokeSecret(id: string): Promise<void> {
    const { records } = this.deps;
    if (records.secrets.get(id) === undefined) {
      throw new HttpProblem(
        404,
        `the enrolment secret ${id} does not exist; to list the secrets, run skolo pi waiting --secrets`,
      );
    }
    await written(records.tables, [records.secrets.remove(id)]);
  }

  /**
   * The card with this key never gets a name, a token or pairing records again, and its name is free for the machine's next card. A
   * repetition gives the same answer.
   *
   * @throws HttpProblem 404, 503
   */
  async revokeKey(key: string, by: string): Promise<RevokedPi> {
    this.checkOpen();
    return await this.locks.hold('ask', async () => {
      const { records, clock } = this.deps;
      const before = records.revoked.get(key);
      if (before !== undefined) return before;
      const own = this.ownOf(key);
      const serial = (own ?? this.waiting.get(key))?.serial;
      if (serial === undefined && records.adopted.get(key) === undefined) {
        throw new HttpProblem(
          404,
          `no SD card with the key ${key.slice(0, 8)} is enrolled or has a pending request; to list pending requests, run skolo pi waiting; to list enrolled SD cards, add --enrolled`,
        );
      }
      const at = new Date(clock.now()).toISOString();
      const revoked = { key, serial, ...(own && { name: own.name }), at, by };
      const text = `revoked the key ${key.slice(0, 8)} of the Raspberry Pi with serial number ${serial}`;
      await written(records.tables, [
        records.revoked.put(revoked),
        records.adopted.remove(key),
        ...(own ? [records.enrolled.remove(own.name), this.note(own.name, by, text)] : []),
      ]);
      this.waiting.delete(key);
      this.tokens.delete(key);
      return revoked;
    });
  }

  private async decision(
    asked: Asked,
    secret: string | undefined,
  ): Promise<Given | Waits | Rejected> {
    const { rack, records, clock, isAgentAlive } = this.deps;
    const { key } = asked;
    const decideWith = (ready: Set<string> | undefined) =>
      decide(asked, {
        machines: rack().machines,
        enrolled: records.enrolled.all,
        adoption: records.adopted.get(key),
        isRevoked: records.revoked.get(key) !== undefined,
        secret: checkSecret(secret, records.secrets.all, clock.now()),
        rivals: this.waiting.rivals(asked),
        liveness(name) {
          if (isAgentAlive(name)) return 'alive';
          if (ready === undefined) return 'unknown';
          return ready.has(name) ? 'alive' : 'dead';
        },
      });
    // A caller without a secret never causes a request to the cluster.
    const decision = decideWith(undefined);
    const needsCluster = 'wait' in decision && decision.wait === 'cluster';
    return needsCluster ? decideWith(await this.readyNodes()) : decision;
  }

  /** The owner of the name becomes durable first, then the cluster changes: a Pi repeats its request, whatever dies in between. */
  private async give(asked: Asked, { give: name, by, force }: Given): Promise<Place | Waits> {
    const { rack, records, clock, cluster, log } = this.deps;
    const { key } = asked;
    const address = rack().machines.get(name)?.address;
    const before = this.ownOf(key);
    // A decision is used up even if it confirms the name; otherwise it would take the name back from a later card.
    if (before?.name !== name || records.adopted.get(key) !== undefined) {
      const at = new Date(clock.now()).toISOString();
      const { serial, macs } = before ?? asked;
      const enrolled: Enrolled = { name, key, serial, macs, at, ...(by && { by, force }) };
      await written(records.tables, [
        ...(before && before.name !== name ? [records.enrolled.remove(before.name)] : []),
        records.enrolled.put(enrolled),
        records.adopted.remove(key),
        this.note(
          name,
          by ?? 'enrolment',
          `this name was assigned to the Raspberry Pi with serial number ${serial}`,
        ),
      ]);
      // Meanwhile the name may have been another card's, whose node password is in the cluster.
      this.tokens.delete(key);
      log.info({ machine: name, serial, key, by }, 'name assigned to a Raspberry Pi');
    }
    const kept = this.tokens.get(key);
    if (kept?.name === name && kept.until > clock.uptime()) {
      return { name, address, token: kept.token };
    }
    try {
      await cluster.forget(name);
      const token = await cluster.newToken(name, clock.now());
      this.tokens.set(key, { name, token, until: clock.uptime() + tokenSeconds / 2 });
      return { name, address, token };
    } catch (error) {
      if (!(error instanceof ClusterUnavailable)) throw error;
      return {
        wait: 'cluster',
        why: `the cluster did not return a token: ${errorText(error)}`,
        name,
      };
    }
  }

  /** @throws HttpProblem 503 */
  private checkOpen(): void {
    if (!this.deps.isOpen()) throw new HttpProblem(503, 'the journal is not open; try again later');
  }

  /** It has no other name that is assigned but not yet received, or just received. @throws HttpProblem 409 */
  private checkUndecided(key: string, name: string): void {
    const { records, clock } = this.deps;
    const own = this.ownOf(key);
    const age = own?.by === undefined ? Number.NaN : clock.now() - Date.parse(own.at);
    // Not if the clock has jumped back.
    const isNew = age >= 0 && age < settlingMs;
    const decided = records.adopted.get(key) ?? (isNew ? own : undefined);
    if (decided === undefined || decided.name === name) return;
    throw new HttpProblem(
      409,
      `${decided.by} assigned the name ${decided.name} to this Pi at ${decided.at}; use --force to change it`,
    );
  }

  /** @throws HttpProblem 409 */
  private async checkDead(name: string): Promise<void> {
    const ready = await this.readyNodes();
    if (!this.deps.isAgentAlive(name) && !ready?.has(name)) return;
    throw new HttpProblem(
      409,
      `${name} is already running on another computer or from another SD card; turn that computer off, or use --force to reassign the name`,
    );
  }

  /** Undefined: the cluster does not respond. */
  private async readyNodes(): Promise<Set<string> | undefined> {
    const { cluster, clock, log } = this.deps;
    if (this.nodes === undefined || this.nodes.until <= clock.uptime()) {
      const ready = await cluster.readyNodes().catch((error: unknown) => {
        log.warn({ why: errorText(error) }, 'cluster nodes cannot be listed');
        return undefined;
      });
      this.nodes = { ready, until: clock.uptime() + nodesSeconds };
    }
    return this.nodes.ready;
  }

  private ownOf(key: string): Enrolled | undefined {
    return [...this.deps.records.enrolled.all.values()].find((each) => each.key === key);
  }

  private note(machine: string, by: string, text: string) {
    const { records, clock } = this.deps;
    const at = new Date(clock.now()).toISOString();
    return records.notes.put({ id: randomUUID(), at, machine, by, text });
  }
}
