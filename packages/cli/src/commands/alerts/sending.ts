/** Waits until the service says that it has sent what was handed in: for who may not read Pub/Sub. */
import { setTimeout } from 'node:timers/promises';
import { CliError } from '../../errors.ts';
import type { AlertToPubsub } from './service.ts';
import { whereItWaits } from './where-it-waits.ts';

interface SendingDeps {
  service: AlertToPubsub;
  withinMs: number;
  signal: AbortSignal;
}

const pauseMs = 200;

export class Sending {
  readonly word = 'sent';
  private readonly deps: SendingDeps;

  constructor(deps: SendingDeps) {
    this.deps = deps;
  }

  async ready(): Promise<void> {}

  /** Until no sink has anything waiting that is as old. */
  async arrived(status: 'firing' | 'resolved', sentAt: number): Promise<void> {
    const { service, withinMs, signal } = this.deps;
    for (;;) {
      const { sinks } = await service.ask((client) => client.status({ signal }));
      const age = (performance.now() - sentAt) / 1000;
      if (sinks.every(({ depth, oldestSeconds }) => depth === 0 || oldestSeconds < age)) return;
      if (age * 1000 >= withinMs) break;
      await setTimeout(pauseMs, undefined, { signal });
    }
    const where = await whereItWaits(service, 'any');
    throw new CliError(`${status}: not sent within ${withinMs / 1000} s: ${where}`);
  }

  async end(): Promise<void> {}
}
