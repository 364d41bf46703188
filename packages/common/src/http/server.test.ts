import { describe, expect, it } from 'vitest';
import { newServer } from './server.ts';

const handler = () => undefined;

describe('newServer', () => {
  it('lets nobody hold a connection for ever', () => {
    const { headersTimeout, requestTimeout, keepAliveTimeout } = newServer({ handler });

    expect([headersTimeout, requestTimeout, keepAliveTimeout]).toEqual([15_000, 60_000, 65_000]);
  });

  it('lets a service choose otherwise', () => {
    const server = newServer({ handler, serverOptions: { keepAliveTimeout: 1 } });

    expect([server.headersTimeout, server.keepAliveTimeout]).toEqual([15_000, 1]);
  });
});
