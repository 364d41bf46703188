/** What happens to a call before and after its method: the books, the token, the faults. */
import type {
  handleBidiStreamingCall,
  handleUnaryCall,
  Metadata,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { CallLog } from '../cloud/call-log.ts';
import type { CallFaults } from '../cloud/fault.ts';
import type { Broker } from './broker.ts';
import { type Method, methods, type PubSubCall } from './calls.ts';
import type { Fault, FaultKind, PubSubFaultOptions } from './faults.ts';
import { invalidArgument, notSignedIn, Rejection, usualWords } from './rejection.ts';
import { publisherOf, subscriberOf, type Unary } from './services.ts';
import { Stream } from './streaming-pull.ts';
import type { PublishRequest, StreamingPullRequest, StreamingPullResponse } from './wire.ts';

export interface Counts {
  /** By method, the rejected ones too. */
  requests: Partial<Record<Method, number>>;
  /** Answered with an error. */
  rejected: number;
  /** Stored. */
  messages: number;
  /** Of their data. */
  bytes: number;
}

interface ReceptionDeps {
  broker: Broker;
  log: CallLog<PubSubCall>;
  faults: CallFaults<FaultKind, PubSubCall, Method, PubSubFaultOptions>;
  counts: Counts;
  keep: boolean;
  accepts: ((token: string | undefined) => boolean) | undefined;
  /** Resets the connection of `ADDRESS:PORT`. */
  cut(peer: string): void;
}

interface Arrived {
  metadata: Metadata;
  getPeer(): string;
}

export class Reception {
  private readonly deps: ReceptionDeps;

  constructor(deps: ReceptionDeps) {
    this.deps = deps;
  }

  publisher(): UntypedServiceImplementation {
    const { Publish, ...others } = publisherOf(this.deps.broker);
    return { ...this.unaries(others), Publish: this.unary('Publish', Publish, halfOf) };
  }

  subscriber(): UntypedServiceImplementation {
    return {
      ...this.unaries(subscriberOf(this.deps.broker)),
      StreamingPull: this.streamingPull(),
    };
  }

  /** Each method knows its own request. */
  private unaries(all: Partial<Record<Method, Unary<object>>>): UntypedServiceImplementation {
    return Object.fromEntries(
      methods.flatMap((name) => (all[name] ? [[name, this.unary(name, all[name])]] : [])),
    );
  }

  /** @param some what of a request is done when a fault lets only a part of it be done */
  private unary<Request>(
    name: Method,
    method: Unary<Request>,
    some: (request: Request) => Request | undefined = () => undefined,
  ): handleUnaryCall<Request, object> {
    return async (call, callback) => {
      const book = this.book(name, method.resource(call.request), call);
      if (isPublish(call.request)) {
        book.messages = call.request.messages.length;
        book.orderingKey = call.request.messages[0]?.orderingKey ?? '';
      }
      call.on('cancelled', () => {
        // The library says so of calls that have their answer, too.
        if (book.code !== undefined) return;
        book.cancelled = true;
        this.deps.log.update();
      });
      try {
        const fault = await this.receive(book);
        const part =
          fault === undefined || fault.options.done === 'all'
            ? call.request
            : fault.options.done === 'some'
              ? some(call.request)
              : undefined;
        const answer = part && method.answer(part);
        if (fault) this.play(fault, call);
        else if (answer) {
          this.answered(book, 'OK');
          callback(null, answer);
        }
      } catch (error) {
        if (!(error instanceof Rejection)) throw error;
        this.answered(book, error.code);
        callback(error.sent);
      }
    };
  }

  private streamingPull(): handleBidiStreamingCall<StreamingPullRequest, StreamingPullResponse> {
    return (call) => {
      let book: PubSubCall | undefined;
      let stream: Stream | undefined;
      const open = async (first: StreamingPullRequest, opened: PubSubCall) => {
        try {
          const fault = await this.receive(opened);
          if (fault) return this.play(fault, call);
          if (!first.subscription) throw invalidArgument('subscription');
          const subscription = this.deps.broker.subscription(first.subscription);
          const ended = (why: Rejection | undefined) => this.answered(opened, why?.code ?? 'OK');
          stream = new Stream({ call, subscription, first, ended });
          stream.start(first);
        } catch (error) {
          if (!(error instanceof Rejection)) throw error;
          if (stream) return stream.end(error);
          this.answered(opened, error.code);
          call.emit('error', error.sent);
        }
      };
      call.on('data', (request: StreamingPullRequest) => {
        if (book) return stream?.hear(request);
        book = this.book('StreamingPull', request.subscription, call);
        open(request, book).catch((error: unknown) => call.emit('error', error));
      });
      call.on('end', () => stream?.end());
      call.on('cancelled', () => {
        if (book && book.code === undefined) book.cancelled = true;
        this.deps.log.update();
        stream?.end();
      });
    };
  }

  private book(method: Method, resource: string, { metadata }: Arrived): PubSubCall {
    const { counts, log, keep } = this.deps;
    const header = metadata.get('authorization')[0]?.toString() ?? '';
    const token = /^Bearer (?<token>.+)$/i.exec(header)?.groups?.token;
    const book: PubSubCall = {
      method,
      resource,
      ...(token !== undefined && { token }),
      cancelled: false,
    };
    counts.requests[method] = (counts.requests[method] ?? 0) + 1;
    log.arrive(book, keep);
    return book;
  }

  /** Gives the fault that is to be played. @throws Rejection Nobody, or nobody who is known, asks */
  private async receive(book: PubSubCall): Promise<Fault | undefined> {
    const { accepts, faults, log } = this.deps;
    const fault = faults.hit(book, book.method);
    log.update();
    if (accepts && !accepts(book.token)) throw notSignedIn(book.token !== undefined);
    if (fault?.kind !== 'slow') return fault;
    await fault.hold(fault.options.milliseconds);
    return undefined;
  }

  /** @throws Rejection */
  private play(fault: Fault, call: Arrived): void {
    const { code = 'UNAVAILABLE', message = usualWords(code) } = fault.options;
    if (fault.kind === 'reject') throw new Rejection(code, message);
    if (fault.kind === 'drop') this.deps.cut(call.getPeer());
  }

  private answered(book: PubSubCall, code: NonNullable<PubSubCall['code']>): void {
    book.code = code;
    if (code !== 'OK') this.deps.counts.rejected += 1;
    this.deps.log.update();
  }
}

function isPublish(request: unknown): request is PublishRequest {
  return typeof request === 'object' && request !== null && 'messages' in request;
}

function halfOf(request: PublishRequest): PublishRequest {
  return {
    ...request,
    messages: request.messages.slice(0, Math.ceil(request.messages.length / 2)),
  };
}
