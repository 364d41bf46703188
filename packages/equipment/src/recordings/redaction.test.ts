/** What stays of a recording, by transport: nothing that a list would have to name. */
import { processorTime, testSeed } from '@skolo/base/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { neededPlaces } from './needed.ts';
import { Recorder } from './recorder.ts';
import { Redaction } from './redaction.ts';

const newRedaction = (names: string[] = []) => new Redaction({ secrets: [], names });

const field = fc.stringMatching(/^[a-z][A-Za-z_]{1,11}$/);
/** Long enough that a stand-in is not the same by chance. */
const planted = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9!#%*+.:@_-]{9,24}$/).filter((text) => /[a-z\d]{4}/i.test(text)),
  fc.integer({ min: 1e8, max: 9e8 }),
  fc.stringMatching(/^\d{9}$/),
);
const nested = fc.letrec<{ node: unknown; branch: unknown }>((tie) => ({
  node: fc.oneof({ maxDepth: 4 }, planted, tie('branch')),
  branch: fc.oneof(
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
    fc.dictionary(field, tie('node'), { minKeys: 1, maxKeys: 4 }),
  ),
})).branch;

function leaves(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [value];
  return Object.values(value).flatMap(leaves);
}

function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([key, each]) => [key, shapeOf(each)]);
}

describe('a redacted JSON document', () => {
  it('keeps fields and types, and no value', () => {
    const documents = fc.property(nested, (document) => {
      const redaction = newRedaction();
      const text = JSON.stringify(document);
      redaction.learnHttp(text);

      const result = redaction.http(text);

      expect(shapeOf(JSON.parse(result))).toEqual(shapeOf(document));
      for (const leaf of leaves(document)) expect(result).not.toContain(String(leaf));
    });
    fc.assert(documents, { numRuns: 150, seed: testSeed() });
  });

  it('keeps truth values, 0, 1, usual words, and what is needed', () => {
    const state = { on: true, off: null, id: 0, count: 1, state: 'ON', why: '', POWER: 'off' };
    const text = JSON.stringify({ ...state, relay: 'Zustand 7', watts: 31.5 });

    const result = newRedaction().http(text, (at) => /^(?:relay|watts) /.test(at));

    expect(JSON.parse(result)).toEqual({ ...state, relay: 'Zustand 7', watts: 31.5 });
  });

  it('keeps no name, address or secret in a value that is needed, and none in a field', () => {
    const redaction = newRedaction(['zrh-7-lamp']);
    const keys = { 'zrh-7-lamp': 1, 'b8:27:eb:4c:9a:01': 1, '10.20.30.40': 1, 'sys.dev': 1 };
    const text = JSON.stringify({ ...keys, href: '/things/zrh-7-lamp' });

    const result = redaction.http(text, () => true);

    expect(result).not.toMatch(/zrh|4c:9a|10\.20/);
    expect(Object.keys(JSON.parse(result))).toContain('sys.dev');
  });
});

describe('a redacted text', () => {
  it.each([
    ['ntp server 10.20.30.40', '20.30'],
    ['receiver: 10.20.30.40', '20.30'],
    ['driver=10.20.30.40', '20.30'],
    ['wifi pwd hunter2x', 'hunter2x'],
    ['pin_code=482913', '482913'],
    ['PIN: 4829', '4829'],
    ['LicenseKey: ABCD-1234-EFGH', 'ABCD'],
    ['sharedKey = s3cretval', 's3cret'],
    ['unlock code 77213', '77213'],
    ['copy ftp://bob:pa/ss@host/x', /bob|pa\/ss/],
    ['Authorization: Basic YWQ6cA==', 'YWQ6'],
    ['Set-Cookie: sid=abc123def', 'abc123'],
    ['the PIN is 4829', '4829'],
    ['pin: "4829 1234"', /4829|1234/],
    ['serverpwd=hunter2x', 'hunter2x'],
    ['the pwd is hunter2x', 'hunter2x'],
    ['Authorization: NTLM TlRMTVNTUAAB', 'TlRM'],
    ['session: 9f8e7d6c', '9f8e'],
    ['GET /x?wifi_pwd=hunter2x&door_code=4829', /hunter2x|4829/],
  ])('has no secret or address of %j', (text, original) => {
    const redaction = newRedaction();
    redaction.learn(text);

    expect(redaction.text(text)).not.toMatch(original);
  });

  it.each(['Version 10.1.2.3', 'Firmware: 4.3.2.1', 'v1.2.3.4', 'ver. 1.2.3.4'])(
    'keeps %s',
    (text) => {
      expect(newRedaction().text(text)).toBe(text);
    },
  );

  it.each([
    ['base64', Buffer.from('a secret, perhaps '.repeat(1366)).toString('base64')],
    ['letters', 'a'.repeat(32_768)],
    ['hexadecimal digits', 'd2'.repeat(16_384)],
    ['escapes', '%41'.repeat(10_923)],
    ['an address without an end', 'a.'.repeat(16_384)],
    ['an object identifier', '1.'.repeat(16_384)],
    ['backslashes', '\\'.repeat(32_768)],
    ['dots behind a label', `Serial Number${'.'.repeat(32_768)} N/A`],
    ['blanks behind a name', `hostname${' '.repeat(32_768)}`],
    ['blanks behind a number', `Serial Number${' '.repeat(32_768)}-`],
    ['blanks behind a description', `description${' '.repeat(32_768)}\n`],
    ['blanks before a heading', `x${' '.repeat(32_768)}Name`],
  ])('takes no long time for one word of %s', async (_what, word) => {
    const redaction = new Redaction({ secrets: ['hunter2-and-more'], names: ['zrh-7'] });

    const { ms } = await processorTime(500, () => {
      redaction.learn(word);
      redaction.leak([['here', redaction.text(word) + redaction.http(`{"a":"${word}"}`)]]);
    });

    expect(ms).toBeLessThan(500);
  });
});

describe('a redacted request of HTTP', () => {
  it.each([
    ['GET /cm?user=ann&password=x', 'GET /cm?user=<secret>&'],
    ['GET /cm?account=admin', 'GET /cm?account=<secret>'],
    ['GET /cm?cmnd=Power1', 'GET /cm?cmnd=Power1'],
  ])('has no user: %s', (line, expected) => {
    const result = newRedaction(['ann', 'admin']).requestLine(
      line,
      (place) => place === '?cmnd' || place === '/cm',
    );

    expect(result).toContain(expected);
  });

  it.each([
    '?u=carol&p=hunter2x',
    '?sid=hunter2x',
    '?a=1;q=carol:hunter2x',
    '?next=http://carol:hunter2x@c/',
  ])('has no values that are not needed: %s', (query) => {
    const path = `/state${query}`;
    const redaction = newRedaction();
    const options = redaction.options({ read: { path } });

    const line = redaction.requestLine(`GET ${path}`);

    expect(line).not.toMatch(/carol|hunter2x/);
    expect({ read: { path: line.replace('GET ', '') } }).toEqual(options);
  });

  it.each([
    ['/api/hunter2x/lights/{outlet}', /hunter2x/],
    ['/open/4829/relay/1', /4829/],
    ['/~carol/state;pin=4829/', /carol|4829/],
    ['/a%20carol/x', /carol/],
  ])('has no segments of its path that are not needed: %s', (path, original) => {
    const redaction = newRedaction();

    const line = redaction.requestLine(`GET ${path}`);
    const kept = redaction.requestLine(`GET ${path}`, () => true);

    expect(line).toMatch(/^GET \//);
    expect(line).not.toMatch(original);
    expect(line.split('/').length).toBe(path.split('/').length);
    expect(redaction.options({ read: { path } })).toEqual({ read: { path: line.slice(4) } });
    expect(kept).toBe(`GET ${path}`);
  });

  it.each([
    ...['/p/{outlet}?KEY', '/p?id={outlet}&KEY', '/api//KEY/p/{outlet}', '/p?id={outlet}&c=1;KEY'],
    ...[
      '/p?$k=KEY',
      '/p?%70w=KEY',
      '/p?user:pw=KEY',
      '/p?=KEY',
      '/p#KEY',
      '/dev:/KEY/1',
      '/p?k=;KEY',
    ],
    ...['/p?a[0]=KEY', '/KEY-{outlet}', '/KEY{outlet}', '/{outlet}KEY', '/p?c=KEY,{outlet}'],
    ...[
      '/p?KEY={outlet}',
      '/p/KEY:{outlet}',
      '/p?{outlet}=KEY',
      '/p;KEY/{outlet}',
      '/@KEY',
      '/p?k=*KEY*',
    ],
    ...[
      '/p?a=b=KEY',
      '/p?k=KEY#KEY',
      '/p/(KEY)/{outlet-1}',
      '/p?k={"a":"KEY{outlet}"}',
      '/p/$KEY!{outlet}',
    ],
  ])('has no key in %s, and the same path as the options', (template) => {
    for (const key of [
      'hunter2x',
      'kx7rtvqlm',
      '482913z',
      'Xk9+Qz.W4rbW7sQ0pLdYfTn83jHcVbMa6EuRo1iG5',
    ]) {
      const redaction = newRedaction();
      const path = template.replaceAll('KEY', key);
      const at = (text: string) => text.replaceAll('{outlet}', '7').replaceAll('{outlet-1}', '6');
      const options = redaction.options({ on: { path }, read: { path } });
      const line = redaction.requestLine(`GET ${at(path)}`);

      expect(JSON.stringify(options)).not.toContain(key);
      expect(line).not.toContain(key);
      const { path: own } = z.object({ path: z.string() }).parse(Object(options).read);
      // The number of an outlet is only kept where it is needed.
      const form = (text: string) => text.replaceAll(/\d+/g, '#');
      expect(form(line)).toBe(form(`GET ${at(own)}`));
    }
  });

  it('has no part of a key beside an outlet whose place is needed', () => {
    for (const [path, outlet] of [
      ['/hunter2x-{outlet}', '#x-#'],
      ['/p?c=hunter2x,{outlet}', '#x,#'],
    ] as const) {
      const redaction = newRedaction();
      const isNeeded = (place: string) => place.endsWith(outlet);

      const options = redaction.options({ path }, isNeeded);
      const line = redaction.requestLine(`GET ${path.replace('{outlet}', '7')}`, isNeeded);

      expect(line).not.toMatch(/hunter|2x/);
      expect(line).toMatch(/7$/);
      expect(options).toEqual({ path: line.slice(4).replace(/7$/, '{outlet}') });
    }
  });

  it('keeps a segment of all outlets by one place', () => {
    const places = new Set<string>();
    for (const outlet of [1, 2, 48])
      newRedaction().requestLine(
        `GET /relay/${outlet}/state`,
        (place) => places.add(place) && true,
      );

    expect([...places].sort()).toEqual(['/relay', '/relay/#', '/relay/#/state']);
  });

  it('has no values in its body', () => {
    const redaction = newRedaction();

    expect(redaction.http('door=4829&to=bob')).toMatch(/^door=\d{4}&to=[a-z]{3}$/);
    expect(redaction.http('door=4829&to=bob')).not.toMatch(/4829|bob/);
    expect(redaction.http('{"door":{"code":"4829 bob"}}')).not.toMatch(/4829|bob/);
  });

  it('has no headers and no passwords that rack.yaml has for it', () => {
    const options = {
      read: {
        path: '/state?apikey=hunter2x&relay=1',
        headers: { Authorization: 'Basic YWQ6cA==', 'X-Door': 'hunter2x', Accept: 'text/html' },
      },
      on: { path: '/on', body: '{"pwd":"hunter2x","state":"on"}' },
    };

    const result = newRedaction().options(options);

    expect(JSON.stringify(result)).not.toMatch(/hunter2x|YWQ6/);
    expect(result).toMatchObject({
      read: { headers: { Accept: 'text/html' } },
      on: { path: '/on', body: expect.stringContaining('"state":"on"') },
    });
  });
});

describe('options of a redacted recording', () => {
  it.each([
    { read: { path: '/', headers: { 'Content-Type': 'kx7rtvqlm' } } },
    { read: { path: '/', headers: { Accept: 'application/kx7rtvqlm, text/html' } } },
    { read: { path: '/', headers: { 'content-type': 'text/html; kx7rtvqlm=1' } } },
    { on: { path: '/', headers: { kx7rtvqlm: 'x' } } },
    { off: { path: '/', body: 'kx7rtvqlm=1' } },
    { off: { path: '/', body: '<kx7rtvqlm/>' } },
    { off: { path: '/', body: 'a=1&kx7rtvqlm: 2' } },
  ])('have no key in the place of a name, or in a header: %j', (options) => {
    expect(JSON.stringify(newRedaction().options(options))).not.toContain('kx7rtvqlm');
  });

  it('keep usual types of content', () => {
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8',
      Accept: 'application/json, text/plain, */*',
    };

    expect(newRedaction().options({ headers })).toEqual({ headers });
  });

  it('keep expressions, outlets and names of fields', () => {
    const on = { path: '/gpio/{outlet}?pin={outlet}', body: 'u=carol&pin={outlet-1}&to=an' };
    const read = { path: '/all', on: '"pin_state":"HIGH"', off: '?code=carol1' };

    const result = newRedaction().options({ on, read }, (place) => /^(?:\?pin$|\/)/.test(place));

    const body = expect.stringMatching(/^u=(?!carol)[a-z]{5}&pin=\{outlet-1\}&to=[a-z]{2}$/);
    expect(result).toEqual({ on: { ...on, body }, read });
  });
});

describe('a redacted body of HTTP', () => {
  it.each(['{"ison":true,"x":"bob"}', '{ "a":\t"bob",\r\n"b" :["bob", 0]}', '\ufeff{"a":"bob"}'])(
    'keeps the form of %j',
    (text) => {
      const result = newRedaction().http(text);

      expect(result.replaceAll(/"[a-z]{3}"/g, '"bob"')).toBe(text);
      expect(result).not.toContain('bob');
    },
  );

  it.each([
    '"hunter2x"',
    '4829137',
    '{"a":"hunter2x"}\n{"b":4829137}\n',
    'var pin = 4829137; door("hunter2x");',
    '<html><p title="hunter2x">of 4829137</p></html>',
    '<a><pin>4829137</pin><b c="hunter2x"/></a>',
    'hunter2x,4829137',
    ...[
      '<hunter2x/>',
      'hunter2x: a',
      '4829137=1',
      '<a hunter2x="1">',
      '</hunter2x>',
      '<?hunter2x?>',
    ],
    ...[
      '<a:hunter2x b="1"/>',
      '<!hunter2x>',
      '"hunter2x" = 1',
      'hunter2x://a',
      '<4829137>x</4829137>',
    ],
  ])('has no values that are not needed: %j', (text) => {
    expect(newRedaction().http(text)).not.toMatch(/hunter2x|4829137/);
  });

  it('keeps elements in pairs', () => {
    const text = newRedaction().http('<relays><hunter2x>5</hunter2x></relays>');

    expect(text).toMatch(/^<(\w{6})><(\w{8})>\d<\/\2><\/\1>$/);
  });

  it('keeps needed words of other texts', () => {
    const text = '<p>Relais <b>3</b>: an</p>';
    const places: string[] = [];
    newRedaction().http(text, (place) => places.push(place) > 0);

    expect(newRedaction().http(text, () => true)).toBe(text);
    expect(places).toEqual(['word 1', 'word 2', 'word 3']);
  });

  it('tells places of equal fields apart', () => {
    const places: string[] = [];
    const text = '{"a/1":"x9","a":{"1":"y9","a":["w9","v9"]},"a 2":"z9"}';

    newRedaction().http(text, (place) => places.push(place) > 0);

    expect(new Set(places).size).toBe(5);
  });

  it.each(['deadbeef1234', 'bbaddeed0042', '0f1e2d3c4b5a', '01:80:c2:00:00:aa'])(
    'has no word that looks like an address: %s',
    (word) => {
      expect(newRedaction().http(JSON.stringify({ a: word }))).not.toContain(word);
    },
  );

  it('has no secrets in a needed text', () => {
    const text = '{"log":"relay on, password=hunter2x for 10.9.8.7"}';

    expect(newRedaction().http(text, () => true)).not.toMatch(/hunter2x|10\.9/);
  });
});

describe('redacted rows of SNMP', () => {
  const rows = [
    '1.3.6.1.2.1.1.4.0|4|Bob Smith, 044 123 45 67',
    '1.3.6.1.2.1.1.5.0|4|athena',
    '1.3.6.1.2.1.2.2.1.2.1|4|GigabitEthernet1/0/1',
    '1.3.6.1.2.1.2.2.1.2.2|4|GigabitEthernet1/0/2',
    '1.3.6.1.2.1.2.2.1.8.1|2|1',
    '1.3.6.1.4.1.318.1.1.26.9.2.3.1.3.1|4|Rack of Bob',
    '1.3.6.1.4.1.318.1.1.26.9.2.3.1.5.1|2|4829',
    '1.3.6.1.4.1.9999.1.1.0|4|hunter2x',
    '1.3.6.1.4.1.9999.1.2.0|2|482913',
  ];

  function recorded(...requests: string[]): string {
    const recorder = new Recorder();
    const talk = { kind: 'snmp' } as const;
    for (const request of requests) recorder.hear('us', `snmp ${request}\n`, talk);
    recorder.hear('device', `${rows.join('\n')}\n`, talk);
    const redaction = newRedaction();
    recorder.teach(redaction);
    const [answer] = recorder.redacted(redaction, []);
    return answer?.kind === 'snmp' ? answer.received : '';
  }

  it.each([
    ['0/1', '0/1'],
    ['24', '24'],
    ['ge-0/0/1.0', 'ge-0/0/1.0'],
    ['Te1/1/4:2', 'Te1/1/4:2'],
    ['Slot: 0 Port: 1 Gigabit', /^\w{4}: 0 \w{4}: 1 (?!Gigabit)\w{7}$/],
    ['ge1 10.9.8.7', /^ge1 (?!10\.9\.)/],
    ['ge1 b8:27:eb:4c:9a:01', /^ge1 (?!b8:27)/],
    ['ge1 zrh-7 x', /^ge1 (?!zrh-7)/],
    ['tel 044 123 45 67', /^(?!.*(?:044|123|45 67))/],
    ['ge2 0441234567', /^ge2 (?!0441234567)/],
  ])('keep ports of interfaces, and nothing else: %s', (name, expected) => {
    const redaction = newRedaction(['zrh-7']);

    const row = redaction.snmp(`1.3.6.1.2.1.31.1.1.1.1.1|4|${name}`);

    expect(row.split('|')[2]).toMatch(expected);
    expect(redaction.leak([['here', row]])).toBeUndefined();
  });

  it.each(['athena', 'BobLab', '33-bob', 'qwerty'])('have no text of six bytes: %s', (text) => {
    const value = Buffer.from(text).toString('hex');

    expect(newRedaction().snmp(`1.3.6.1.4.1.1.0|4x|${value}`)).not.toContain(value);
  });

  it('are those of requested objects, with numbers, and without texts', () => {
    const text = recorded(
      'walk 1.3.6.1.2.1.2.2.1.2',
      'walk 1.3.6.1.2.1.2.2.1.8',
      'get 1.3.6.1.4.1.318.1.1.26.9.2.3.1.3.1 1.3.6.1.4.1.318.1.1.26.9.2.3.1.5.1',
    );

    expect(text.split('\n').map((row) => row.slice(0, row.lastIndexOf('|')))).toEqual([
      '1.3.6.1.2.1.2.2.1.2.1|4',
      '1.3.6.1.2.1.2.2.1.2.2|4',
      '1.3.6.1.2.1.2.2.1.8.1|2',
      '1.3.6.1.4.1.318.1.1.26.9.2.3.1.3.1|4',
      '1.3.6.1.4.1.318.1.1.26.9.2.3.1.5.1|2',
    ]);
    expect(text).toContain('2.3.1.5.1|2|4829');
    expect(text).not.toMatch(/Bob|Gigabit|athena|hunter2x|482913/);
    const [, one, other] = /\|(\w+)1\/0\/1\n.*\|(\w+)1\/0\/2\n/.exec(text) ?? [];
    expect(one).toBe(other);
  });
});

describe('neededPlaces', () => {
  const scattered = ['place 3', 'place 200', 'place 201', 'place 399'];
  const named = Array.from({ length: 100 }, (_, at) => `${at % 2 ? 'ID' : 'label'} ${at}`);
  it.each([
    ['a smallest part', Array.from({ length: 400 }, (_, at) => `place ${at}`), scattered, 80],
    ['many places of equal form', named, named.filter((place) => place.startsWith('ID')), 120],
  ])('finds %s that is enough, with few questions', async (_, places, important, most) => {
    let questions = 0;

    const needed = await neededPlaces(places, async (kept) => {
      questions += 1;
      return important.every((place) => kept.includes(place));
    });

    expect(needed).toEqual(important);
    expect(questions).toBeLessThan(most);
  });

  it('gives up after 400 questions', async () => {
    const places = Array.from({ length: 300 }, (_, at) => `place ${at}`);
    let questions = 0;

    const needed = await neededPlaces(places, async (kept) => {
      questions += 1;
      return kept.length === places.length;
    });

    expect(needed).toBeUndefined();
    expect(questions).toBe(400);
  });

  it.each([[[]], [['one']]])('needs nothing of %j if nothing is enough', async (places) => {
    expect(await neededPlaces(places, async () => true)).toEqual([]);
  });
});
