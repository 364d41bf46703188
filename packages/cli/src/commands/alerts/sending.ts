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
/** Of times in the answer. */
const roundingMs = 100;

export class Sending {
  readonly word = 'sent';
  private readonly deps: SendingDeps;

  constructor(deps: SendingDeps) {
    this.deps = deps;
  }

  async ready(): Promise<void> {}

  /** Until no sink has anything waiting that is as old. */
  async arrived(status: 'firing' | 'resolved', acceptedAt: number): Promise<void> {
    const { service, withinMs, signal } = this.deps;
    for (;;) {
      // Before it is asked: by the time of the answer what was handed in is older than this.
      const ageMs = performance.now() - acceptedAt;
      const { sinks } = await service.ask((client) => client.status({ signal }));
      const younger = (seconds: number) => seconds * 1000 < ageMs - roundingMs;
      if (sinks.every(({ depth, oldestSeconds }) => depth === 0 || younger(oldestSeconds))) return;
      if (ageMs >= withinMs) break;
      await setTimeout(pauseMs, undefined, { signal });
    }
    const where = await whereItWaits(service, 'any');
    throw new CliError(`${status}: not sent within ${withinMs / 1000} s: ${where}`);
  }

  async end(): Promise<void> {}
}
