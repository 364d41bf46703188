/** Every change of every service declares what is audited. A new API or route that does not fails here. */
import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { apis, changes } from '../testing/changes.ts';
import { auditedAnswer, auditedInput } from './audited-fields.ts';

/** Inputs that are audited in another way than by the route. Each needs a reason, and a test in its service. */
const elsewhere = [
  'consoleApi.createLink',
  'consoleApi.signIn',
  'consoleApi.signOut',
  'enrolmentApi.enrol',
  'enrolmentApi.storeLockdown',
  'powerCycleDaemonApi.alerts',
  'powerCycleDaemonApi.requestDeviceCycles',
  'powerCycleDaemonApi.setBusy',
];

/** `body.data`: pieces of a history, which contain secrets; its digest is in the entry of `restoreHistory`. */
const mayBeOmitted = ['headers.authorization', 'headers.cookie', 'body.data'];

describe('the changes of all services', () => {
  it('include the API of each service', async () => {
    const services = await readdir(new URL('../../../../services', import.meta.url));

    // The fallback has no API: it runs for a moment at a time.
    const names = services
      .filter((name) => name !== 'fallback')
      .map((name) => `${name}-api`.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()));

    // machine-state also has those of the console and of enrolment, and all have that of the audit log.
    // The command has its own.
    const enrolment = ['enrolmentApi', 'enrolmentsApi'];
    const others = ['auditApi', 'consoleApi', ...enrolment];
    expect(apis.map(([name]) => name).sort()).toEqual([...names, ...others].sort());
  });

  it('are audited by their routes, but for those that are listed here', () => {
    const others = changes.filter(([, { audits }]) => audits && 'elsewhere' in audits);

    expect(changes.length).toBeGreaterThan(10);
    expect(others.map(([name]) => name).sort()).toEqual(elsewhere);
  });

  it.each(changes)('%s names its target, its reason and each other input', (_name, spec) => {
    const { audits } = spec;
    if (audits === undefined) throw new Error('no audits');
    if ('elsewhere' in audits) return expect(audits.elsewhere).not.toBe('');
    const inputs = [spec.params, spec.query, spec.headers, spec.body]
      .flatMap((schema) => Object.keys(schema === undefined ? {} : Reflect.get(schema, 'shape')))
      .filter((key) => key !== 'idempotency-key');

    const { target, reason, input = [], omits = [] } = audits;
    const named = [...(target === 'self' ? [] : target), reason, ...input, ...omits]
      .filter((path) => path !== undefined)
      .map((path) => path.split('.')[1]);

    expect(named.sort()).toEqual(inputs.sort());
    const says = inputs.find((key) => key === 'reason' || key === 'why');
    expect(reason?.split('.')[1]).toBe(says);
    return expect(omits.filter((path) => !mayBeOmitted.includes(path))).toEqual([]);
  });
});

describe('a line', () => {
  const audits = {
    target: ['params.name', 'body.ports'],
    reason: 'body.why',
    input: ['body.force', 'query.mode'],
    answer: ['id', 'missing'],
  } as const;

  it('has the values of the call, and nothing else', () => {
    const given = {
      params: { name: 'pdu-1' },
      query: {},
      body: { ports: [1, 2], why: 'dead', force: false, password: 'canary' },
    };

    expect(auditedInput(audits, given, 'jumphost')).toEqual({
      target: 'pdu-1 1 2',
      why: 'dead',
      input: { force: false },
    });
    expect(auditedAnswer(audits, { id: 7, secret: 'canary' })).toEqual({ id: 7 });
  });

  it('is about all where no target is named, and about the own machine where that is meant', () => {
    expect(auditedInput(audits, { params: {}, body: {} }, 'jumphost').target).toBe('all');
    expect(auditedInput({ target: 'self' }, {}, 'rpi-1')).toEqual({ target: 'rpi-1' });
    expect(auditedAnswer({ target: 'self' }, { id: 1 })).toBeUndefined();
  });
});
