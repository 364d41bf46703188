/** What happens to a call before and after its method: the books, the token, scripted errors. */
import type {
  handleBidiStreamingCall,
  handleUnaryCall,
  Metadata,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { CallLog } from '../cloud/call-log.ts';
import type { ScriptedAnswers } from '../cloud/scripted.ts';
import type { Broker } from './broker.ts';
import { type Method, methods, type PubSubCall } from './calls.ts';
import { type Code, invalidArgument, notSignedIn, Rejection, usualWords } from './rejection.ts';
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

/** An error that a test scripts. */
export interface ScriptedError {
  code: Code;
  /** Default: the service's words. */
  message?: string;
  /** What is done all the same: with `some`, the first half of the messages of a publish is stored. Default: nothing. */
  done?: 'some' | 'all';
}

interface ReceptionDeps {
  broker: Broker;
  log: CallLog<PubSubCall>;
  scripted: ScriptedAnswers<ScriptedError, Method>;
  counts: Counts;
  keep: boolean;
  accepts: ((token: string | undefined) => boolean) | undefined;
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

  /** @param some what of a request is done if only a part of it is */
  private unary<Request>(
    name: Method,
    method: Unary<Request>,
    some = (request: Request) => request,
  ): handleUnaryCall<Request, object> {
    return (call, callback) => {
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
        const error = this.receive(book);
        if (error?.done) method.answer(error.done === 'some' ? some(call.request) : call.request);
        if (error) throw rejectionOf(error);
        const answer = method.answer(call.request);
        this.answered(book, 'OK');
        callback(null, answer);
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
      const open = (first: StreamingPullRequest, opened: PubSubCall) => {
        try {
          const error = this.receive(opened);
          if (error) throw rejectionOf(error);
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
        open(request, book);
      });
      call.on('end', () => stream?.end());
      call.on('cancelled', () => {
        if (book && book.code === undefined) book.cancelled = true;
        this.deps.log.update();
        stream?.end();
      });
    };
  }

  private book(method: Method, resource: string, { metadata }: { metadata: Metadata }): PubSubCall {
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

  /** @throws Rejection Nobody, or nobody who is known, asks */
  private receive(book: PubSubCall): ScriptedError | undefined {
    const { accepts, scripted } = this.deps;
    const error = scripted.next(book.method);
    if (accepts && !accepts(book.token)) throw notSignedIn(book.token !== undefined);
    return error;
  }

  private answered(book: PubSubCall, code: NonNullable<PubSubCall['code']>): void {
    book.code = code;
    if (code !== 'OK') this.deps.counts.rejected += 1;
    this.deps.log.update();
  }
}

function rejectionOf({ code, message = usualWords(code) }: ScriptedError): Rejection {
  return new Rejection(code, message);
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
