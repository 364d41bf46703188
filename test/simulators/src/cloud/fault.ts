/** Faults of simulated services: set by a test, they affect the next matching requests. */
import type { ServerResponse } from 'node:http';
import type { CallLog } from './call-log.ts';
import { garbage, send } from './web-server.ts';

export interface FaultOptions<Place extends string> {
  /** The number of calls affected; default: all until `stop()`. */
  times?: number;
  /** Methods or endpoints whose calls are affected; default: all. */
  at?: readonly Place[];
}

/** The parts of a request that faults depend on. */
interface Faulty {
  /** Its kind. */
  fault?: string;
  hungUp?: boolean;
}

/** One fault that was set. */
export class CallFault<
  Kind extends string,
  Call extends Faulty,
  Place extends string,
  Options extends FaultOptions<Place> = FaultOptions<Place>,
> {
  readonly kind: Kind;
  readonly options: Options;
  /** Affected calls, oldest first. */
  readonly hits: Call[] = [];
  private left: number;
  private held: (() => void)[] = [];
  private readonly log: CallLog<Call>;

  constructor(kind: Kind, options: Options, log: CallLog<Call>) {
    this.kind = kind;
    this.options = options;
    this.left = options.times ?? Number.POSITIVE_INFINITY;
    this.log = log;
  }

  applies(place: Place): boolean {
    return this.left > 0 && (this.options.at?.includes(place) ?? true);
  }

  hit(call: Call): void {
    this.left -= 1;
    this.hits.push(call);
    call.fault = this.kind;
    this.log.update();
  }

  /** Resolves once it has affected `count` calls. */
  async arrived(count = 1): Promise<void> {
    await this.log.until(() => this.hits.length >= count);
  }

  /** Resolves once the clients have given up `count` of the affected calls. */
  async hungUp(count = 1): Promise<void> {
    await this.log.until(() => this.hits.filter((call) => call.hungUp).length >= count);
  }

  /** Releases the calls that `slow` holds. */
  release(): void {
    for (const go of this.held.splice(0)) go();
  }

  /** Affects no more calls; held calls continue. */
  stop(): void {
    this.left = 0;
    this.release();
  }

  /** Until it is released, or for this long. */
  async hold(milliseconds?: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
      this.held.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

/** The faults of a service; the oldest matching one affects a call. */
export class CallFaults<
  Kind extends string,
  Call extends Faulty,
  Place extends string,
  Options extends FaultOptions<Place> = FaultOptions<Place>,
> {
  private readonly all: CallFault<Kind, Call, Place, Options>[] = [];
  private readonly log: CallLog<Call>;

  constructor(log: CallLog<Call>) {
    this.log = log;
  }

  add(kind: Kind, options: Options): CallFault<Kind, Call, Place, Options> {
    const fault = new CallFault<Kind, Call, Place, Options>(kind, options, this.log);
    this.all.push(fault);
    return fault;
  }

  /** The fault that affects a call. */
  hit(call: Call, place: Place): CallFault<Kind, Call, Place, Options> | undefined {
    const fault = this.all.find((each) => each.applies(place));
    fault?.hit(call);
    return fault;
  }

  /** Ends all faults. */
  clear(): void {
    for (const fault of this.all.splice(0)) fault.stop();
  }
}

/**
 * Plays a fault of a web service that needs no answer of its own: `reset` and `hang`, `garbage` (200 with bytes that are no text), and those
 * of `errors`, by kind. False: it is none of these.
 */
export function playInstead(
  kind: string,
  response: ServerResponse,
  errors: Readonly<Partial<Record<string, readonly [status: number, body: string]>>>,
): boolean {
  const [status, body = ''] = errors[kind] ?? [];
  if (status === 429) response.setHeader('retry-after', '30');
  const type = body.startsWith('<')
    ? 'text/html; charset=UTF-8'
    : 'application/json; charset=UTF-8';
  if (status !== undefined) send(response, status, type, body);
  else if (kind === 'garbage') send(response, 200, type, garbage);
  else if (kind === 'reset') response.socket?.resetAndDestroy();
  return status !== undefined || ['garbage', 'reset', 'hang'].includes(kind);
}
