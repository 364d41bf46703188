import { createServer } from 'node:http';
import { join } from 'node:path';
import { createClient, Problem, route } from '@skolo/api';
import { listen } from '@skolo/base/testing';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { newToken } from '../access/token-file.ts';
import { testApp } from '../testing/test-app.ts';
import { HttpProblem } from './response/problem.ts';
import { createApp } from './service-app.ts';

const previous = {
  paint: route({
    method: 'put',
    path: '/v1/things/{name}',
    summary: 'Paints a thing',
    role: 'operate',
    params: z.object({ name: z.string() }),
    body: z.strictObject({ colour: z.string() }),
    audits: { target: ['params.name'], input: ['body.colour'] },
    answers: { 200: z.object({ thing: z.string(), colour: z.string() }), 404: Problem },
  }),
  order: route({
    method: 'post',
    path: '/v1/orders',
    summary: 'Orders things',
    role: 'operate',
    limit: 'texts',
    body: z.strictObject({ things: z.array(z.string()) }),
    audits: { target: ['body.things'] },
    answers: { 200: z.object({ things: z.array(z.object({ thing: z.string() })) }) },
  }),
};

const former = {
  path: { now: '/v1/parts', was: '/v1/things' },
  keys: [
    { now: 'color', was: 'colour' },
    { now: 'part', was: 'thing' },
    { now: 'parts', was: 'things' },
  ],
};
const present = {
  paint: route({
    ...previous.paint,
    path: '/v1/parts/{name}',
    former,
    body: z.strictObject({ color: z.string() }),
    audits: { target: ['params.name'], input: ['body.color'] },
    answers: { 200: z.object({ part: z.string(), color: z.string() }), 404: Problem },
  }),
  order: route({
    ...previous.order,
    former,
    body: z.strictObject({ parts: z.array(z.string()) }),
    audits: { target: ['body.parts'] },
    answers: { 200: z.object({ parts: z.array(z.object({ part: z.string() })) }) },
  }),
};

async function start() {
  const { dir, options } = await testApp('{ tokens: { file: tokens.yaml } }');
  const file = join(dir, 'tokens.yaml');
  const token = await newToken(file, { name: 'ann', role: 'operate', expiresInDays: 1 });
  const missing = (name: string) => {
    if (name === 'none') throw new HttpProblem(404, `${name}: there is no such part`);
  };
  const apps = {
    present: createApp(options, {
      api: present,
      handlers: {
        paint: ({ params: { name }, body: { color } }) => {
          missing(name);
          return { status: 200, body: { part: name, color } };
        },
        order: ({ body: { parts } }) => ({
          status: 200,
          body: { parts: parts.map((part) => ({ part })) },
        }),
      },
    }),
    previous: createApp(options, {
      api: previous,
      handlers: {
        paint: ({ params: { name }, body: { colour } }) => {
          missing(name);
          return { status: 200, body: { thing: name, colour } };
        },
        order: ({ body: { things } }) => ({
          status: 200,
          body: { things: things.map((thing) => ({ thing })) },
        }),
      },
    }),
  };
  const asked: string[] = [];
  async function urlOf(version: keyof typeof apps) {
    const server = createServer((req, res) => {
      asked.push(`${req.method} ${req.url}`);
      apps[version](req, res);
    });
    onTestFinished(() => void server.close());
    return `http://127.0.0.1:${await listen(server)}`;
  }
  const log = async () => (await options.audit.read({ limit: 1000 })).entries.reverse();
  return { apps, token, asked, urlOf, log };
}

describe('a client', () => {
  it.each([
    ['present', 'present', ['PUT /v1/parts/a']],
    ['present', 'previous', ['PUT /v1/parts/a', 'PUT /v1/things/a']],
    ['previous', 'present', ['PUT /v1/things/a']],
  ] as const)('of the %s version understands a service of the %s one', async (mine, its, paths) => {
    const { token, asked, urlOf, log } = await start();
    const options = { baseUrl: await urlOf(its), token };
    const params = { name: 'a' };

    if (mine === 'present') {
      const client = createClient(present, options);
      expect(await client.paint({ params, body: { color: 'red' } })).toEqual({
        part: 'a',
        color: 'red',
      });
      expect(await client.order({ body: { parts: ['b'] } })).toEqual({ parts: [{ part: 'b' }] });
    } else {
      const client = createClient(previous, options);
      expect(await client.paint({ params, body: { colour: 'red' } })).toEqual({
        thing: 'a',
        colour: 'red',
      });
      expect(await client.order({ body: { things: ['b'] } })).toEqual({ things: [{ thing: 'b' }] });
    }

    expect(asked).toEqual([...paths, 'POST /v1/orders']);
    const input = its === 'present' ? { color: 'red' } : { colour: 'red' };
    expect(await log()).toMatchObject([
      { what: 'paint', target: 'a', input, outcome: 'begun' },
      { what: 'paint', target: 'a', input, outcome: 'done' },
      { what: 'order', target: 'b', outcome: 'begun' },
      { what: 'order', target: 'b', outcome: 'done' },
    ]);
  });

  it('does not take a missing thing for a missing route', async () => {
    const { token, asked, urlOf } = await start();
    const client = createClient(present, { baseUrl: await urlOf('present'), token });

    const call = client.paint({ params: { name: 'none' }, body: { color: 'red' } });

    await expect(call).rejects.toMatchObject({ status: 404 });
    expect(asked).toEqual(['PUT /v1/parts/none']);
  });
});

describe('a service', () => {
  it('rejects the former names at the new path, and callers without the role at both', async () => {
    const { apps, token } = await start();
    const at = (path: string) => request(apps.present).put(path).send({ colour: 'red' });

    const statuses = [
      (await at('/v1/parts/a').auth(token, { type: 'bearer' })).status,
      (await at('/v1/parts/a')).status,
      (await at('/v1/things/a')).status,
    ];

    expect(statuses).toEqual([400, 401, 401]);
  });

  it('answers with both names where the path is the same', async () => {
    const { apps, token } = await start();
    const order = (body: object) =>
      request(apps.present).post('/v1/orders').auth(token, { type: 'bearer' }).send(body);

    const answers = [(await order({ parts: ['b'] })).body, (await order({ things: ['b'] })).body];

    const both = [{ part: 'b', thing: 'b' }];
    expect(answers).toEqual(Array(2).fill({ parts: both, things: both }));
  });

  it('describes the former path as deprecated', async () => {
    const { apps } = await start();

    const { paths } = (await request(apps.present).get('/openapi.json')).body;

    expect(paths['/v1/parts/{name}'].put).not.toHaveProperty('deprecated');
    expect(paths['/v1/things/{name}'].put).toMatchObject({ deprecated: true });
    expect(Object.keys(paths['/v1/orders'])).toEqual(['post']);
  });
});
