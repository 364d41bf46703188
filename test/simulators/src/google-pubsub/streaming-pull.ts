/** One open StreamingPull: https://cloud.google.com/pubsub/docs/pull#streamingpull_api */
import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js';
import { invalid, invalidAckDeadline, invalidArgument, Rejection } from './rejection.ts';
import type { Consumer, Subscription } from './subscription.ts';
import type { ReceivedMessage, StreamingPullRequest, StreamingPullResponse } from './wire.ts';

type StreamingPullCall = ServerDuplexStream<StreamingPullRequest, StreamingPullResponse>;

export class Stream implements Consumer {
  ackDeadlineSeconds: number;
  private readonly call: StreamingPullCall;
  private readonly subscription: Subscription;
  private readonly ended: (why: Rejection | undefined) => void;
  private readonly maxMessages: number;
  private readonly maxBytes: number;
  private messages = 0;
  private bytes = 0;
  private isFull = false;
  private isOpen = true;

  /** @throws Rejection */
  constructor(deps: {
    call: StreamingPullCall;
    subscription: Subscription;
    first: StreamingPullRequest;
    ended: (why: Rejection | undefined) => void;
  }) {
    const { call, subscription, first, ended } = deps;
    this.call = call;
    this.subscription = subscription;
    this.ended = ended;
    this.ackDeadlineSeconds = checkedDeadline(first.streamAckDeadlineSeconds);
    this.maxMessages = first.maxOutstandingMessages || Number.POSITIVE_INFINITY;
    this.maxBytes = first.maxOutstandingBytes || Number.POSITIVE_INFINITY;
  }

  start(first: StreamingPullRequest): void {
    this.call.sendMetadata(new Metadata());
    this.call.on('drain', () => {
      this.isFull = false;
      this.subscription.pump();
    });
    this.settle(first);
    this.subscription.attach(this);
  }

  /** A later request: acknowledgements and deadlines, or nothing, to stay open. */
  hear(request: StreamingPullRequest): void {
    try {
      if (request.subscription) throw invalidArgument('subscription');
      if (request.maxOutstandingMessages || request.maxOutstandingBytes) {
        throw invalid('Flow control settings can only be set on the first request of a stream.');
      }
      if (request.streamAckDeadlineSeconds) {
        this.ackDeadlineSeconds = checkedDeadline(request.streamAckDeadlineSeconds);
      }
      this.settle(request);
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      this.end(error);
    }
  }

  hasRoom(): boolean {
    return (
      this.isOpen && !this.isFull && this.messages < this.maxMessages && this.bytes < this.maxBytes
    );
  }

  took(bytes: number): void {
    this.messages += 1;
    this.bytes += bytes;
  }

  gaveBack(bytes: number): void {
    this.messages -= 1;
    this.bytes -= bytes;
  }

  deliver(receivedMessages: ReceivedMessage[]): void {
    const messageOrderingEnabled = this.subscription.resource.enableMessageOrdering;
    this.isFull = !this.call.write({
      receivedMessages,
      subscriptionProperties: { messageOrderingEnabled },
    });
  }

  /** @param why absent: the client has said that it is done, or is gone */
  end(why?: Rejection): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.subscription.detach(this);
    this.ended(why);
    if (why) this.call.emit('error', why.sent);
    else this.call.end();
  }

  private settle(request: StreamingPullRequest): void {
    const { ackIds, modifyDeadlineAckIds, modifyDeadlineSeconds } = request;
    if (modifyDeadlineAckIds.length !== modifyDeadlineSeconds.length) {
      throw invalidArgument('modify_deadline_seconds');
    }
    if (ackIds.length > 0) this.subscription.acknowledge(ackIds);
    for (const [index, ackId] of modifyDeadlineAckIds.entries()) {
      this.subscription.modifyAckDeadline([ackId], modifyDeadlineSeconds[index] ?? 0);
    }
  }
}

function checkedDeadline(seconds: number): number {
  if (seconds < 10 || seconds > 600) throw invalidAckDeadline(seconds, 10, 600);
  return seconds;
}
