/** Runs while the image is built: `node --test`. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { countPrimes, type Demo, startDemo } from './service.ts';

let demo: Demo;
before(async () => {
  demo = await startDemo({ host: '127.0.0.1', port: 0 });
});
after(() => demo.close());

async function get(path: string) {
  const response = await fetch(`http://127.0.0.1:${demo.port}${path}`);
  return { status: response.status, text: await response.text() };
}

test('counts primes', () => {
  assert.deepEqual([0, 2, 3, 100, 10_000].map(countPrimes), [0, 0, 1, 25, 1229]);
});

test('answers, and reports what it did', async () => {
  assert.deepEqual(await get('/primes?below=100'), {
    status: 200,
    text: '{"below":100,"primes":25}',
  });
  assert.equal((await get('/primes?below=-1')).status, 400);
  assert.equal((await get('/primes?below=1e9')).status, 400);
  assert.equal((await get('/nothing')).status, 404);
  assert.equal((await get('/healthz')).status, 200);
  const { text } = await get('/metrics');
  assert.match(text, /^demo_request_duration_seconds_count 1$/m);
  assert.match(text, /^demo_rejected_requests_total 2$/m);
});
