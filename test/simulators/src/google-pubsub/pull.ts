/** A unary pull: gives what there is, or waits a while for the first message. */
import { invalidArgument, type Rejection } from './rejection.ts';
import type { Consumer, Subscription } from './subscription.ts';
import type { PullRequest, ReceivedMessage } from './wire.ts';

/** After this time the answer is empty; the service waits for a time that it does not tell. */
const patienceMs = 20_000;

/** @param gone runs what it is given once the client is gone */
export async function pull(
  subscription: Subscription,
  { maxMessages, returnImmediately }: PullRequest,
  gone: (then: () => void) => void,
): Promise<ReceivedMessage[]> {
  if (maxMessages <= 0) throw invalidArgument('max_messages');
  return await new Promise((resolve, reject) => {
    let room = Math.min(maxMessages, 1000);
    const finish = (messages: ReceivedMessage[]) => {
      clearTimeout(timer);
      subscription.detach(consumer);
      room = 0;
      resolve(messages);
    };
    const consumer: Consumer = {
      ackDeadlineSeconds: subscription.resource.ackDeadlineSeconds,
      hasRoom: () => room > 0,
      took: () => {
        room -= 1;
      },
      gaveBack: () => {},
      deliver: finish,
      end: (why: Rejection) => {
        finish([]);
        reject(why);
      },
    };
    const timer = setTimeout(finish, patienceMs, []);
    gone(() => finish([]));
    subscription.attach(consumer);
    if (returnImmediately) finish([]);
  });
}
