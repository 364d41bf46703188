/** Stands before another Pub/Sub, such as Google's pstest, and answers publishes itself where a test says so. */
import {
  Client,
  credentials,
  type handleUnaryCall,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js';
import { type Code, Rejection } from './rejection.ts';

interface PubSubGate {
  /** `127.0.0.1:PORT` */
  endpoint: string;
  /** What publishes get, until it is undefined: then they are passed on. Bytes are those of the request. */
  rejects: ((request: Buffer) => { code: Code; message: string } | undefined) | undefined;
  /** Publishes that were rejected. */
  rejected: number;
  close(): Promise<void>;
}

const publisher = '/google.pubsub.v1.Publisher/';
const asIs = (bytes: Buffer) => bytes;

/** @param endpoint `HOST:PORT` of what speaks plain text */
export async function startPubSubGate(endpoint: string): Promise<PubSubGate> {
  const client = new Client(endpoint, credentials.createInsecure());
  const server = new Server();
  for (const method of ['Publish', 'CreateTopic', 'GetTopic']) {
    const path = `${publisher}${method}`;
    const handle: handleUnaryCall<Buffer, Buffer> = ({ request }, answer) => {
      const rejection = method === 'Publish' ? gate.rejects?.(request) : undefined;
      if (rejection === undefined) {
        client.makeUnaryRequest(path, asIs, asIs, request, answer);
        return;
      }
      gate.rejected += 1;
      answer(new Rejection(rejection.code, rejection.message).sent);
    };
    server.register(path, handle, asIs, asIs, 'unary');
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const gate: PubSubGate = {
    endpoint: `127.0.0.1:${port}`,
    rejects: undefined,
    rejected: 0,
    async close() {
      server.forceShutdown();
      client.close();
    },
  };
  return gate;
}
