/**
 * The stream of changes for console and commands. Each event has a number, and each machine the number of its last event: a reader that
 * reconnects gets what has changed since, however long it was away, and each machine once.
 */
import { randomUUID } from 'node:crypto';
import type { Machine, machineStateApi, RackView, SendEvent } from '@skolo/api';
import type { Clock } from '@skolo/common';
import type { MachineStateEvent } from '../events.ts';
import type { Current } from '../join/current.ts';

interface ChangesDeps {
  clock: Pick<Clock, 'uptime'>;
  current: Pick<Current, 'machines' | 'rack'>;
}

type Send = SendEvent<(typeof machineStateApi.changes)['events']>;

/** The shortest interval at which changes of readings alone are sent. */
const readingsSeconds = 60;
/** Names that have left rack.yaml. A reader that missed more of them starts over. */
const mostRemoved = 1000;

export class Changes {
  private readonly deps: ChangesDeps;
  /** Numbers from another start have another meaning. */
  private readonly start = randomUUID().slice(0, 8);
  private readonly machines = new Map<string, { number: number; sentAt: number }>();
  private readonly removed = new Map<string, number>();
  private readonly readers = new Set<Send>();
  private number = 0;
  /** Readers with a lower number start over. */
  private oldest = 0;

  constructor(deps: ChangesDeps) {
    this.deps = deps;
  }

  consume(event: MachineStateEvent): void {
    switch (event.type) {
      case 'machine': {
        const { name } = event.machine;
        const sentAt = this.deps.clock.uptime();
        const last = this.machines.get(name)?.sentAt ?? Number.NEGATIVE_INFINITY;
        if (event.isReadingsOnly && sentAt - last < readingsSeconds) return;
        this.number += 1;
        this.machines.set(name, { number: this.number, sentAt });
        this.removed.delete(name);
        for (const send of this.readers) send('machine', event.machine, this.id());
        return;
      }
      case 'removed':
        this.number += 1;
        this.machines.delete(event.name);
        this.removed.set(event.name, this.number);
        this.forgetRemoved();
        for (const send of this.readers) send('removed', { name: event.name }, this.id());
        return;
      case 'rack':
        this.number += 1;
        for (const send of this.readers) send('rack', event.rack, this.id());
        return;
      default:
    }
  }

  /** @param lastId the last event that the reader has seen */
  follow(lastId: string | undefined): (send: Send) => () => void {
    return (send) => {
      // Whatever these rejoin is sent to the other readers.
      const { current } = this.deps;
      const all = { machines: current.machines(), rack: current.rack() };
      const seen = this.numberOf(lastId);
      if (seen === undefined) send('all', all, this.id());
      else this.sendSince(seen, all, send);
      this.readers.add(send);
      return () => this.readers.delete(send);
    };
  }

  private sendSince(seen: number, all: { machines: Machine[]; rack: RackView }, send: Send): void {
    for (const [name, number] of this.removed) if (number > seen) send('removed', { name });
    for (const machine of all.machines) {
      if ((this.machines.get(machine.name)?.number ?? 0) > seen) send('machine', machine);
    }
    // Always, so that the reader also gets the newest number.
    send('rack', all.rack, this.id());
  }

  /** Undefined: the reader must start over. */
  private numberOf(id: string | undefined): number | undefined {
    const [, start, digits] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id ?? '') ?? [];
    const number = Number(digits);
    const isKnown = start === this.start && number >= this.oldest && number <= this.number;
    return isKnown ? number : undefined;
  }

  private forgetRemoved(): void {
    const [first] = this.removed;
    if (this.removed.size <= mostRemoved || first === undefined) return;
    const [name, number] = first;
    this.removed.delete(name);
    this.oldest = number;
  }

  private id(): string {
    return `${this.start}-${this.number}`;
  }
}
