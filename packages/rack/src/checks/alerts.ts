/** Settings of alert-to-pubsub that fit each other, and can be sent as they are. */
import type { Report } from '../draft.ts';
import type { Path } from '../issues.ts';
import { isJsonTemplate, templatePlace } from '../request-template.ts';
import type { ServicesSettings } from '../settings.ts';

type Alerts = ServicesSettings['alert-to-pubsub'];
type HttpSink = Extract<Alerts['sinks'][number], { kind: 'http' }>;

/** Those that a request has anyway; by hand they would only break it. */
const ownHeaders = /^(connection|content-length|expect|keep-alive|transfer-encoding|upgrade)$/i;

export function checkAlerts({ sinks, auth, fields }: Alerts, report: Report): void {
  const path = ['services', 'alert-to-pubsub'];
  const names = new Set(['pubsub']);
  const files = new Set<string>();
  sinks.forEach((sink, i) => {
    const at = [...path, 'sinks', i];
    const { name } = sink;
    const message = `"${name}" is used twice: each sink has its own place in the spool`;
    if (names.has(name)) report([...at, 'name'], 'twice', message);
    names.add(name);
    if (sink.kind === 'http') checkRequest(sink, at, report);
    else {
      const shared = `${sink.file} is used twice: each sink sets its own aside when it is large`;
      if (files.has(sink.file)) report([...at, 'file'], 'twice', shared);
      files.add(sink.file);
    }
  });
  if ((auth.username === undefined) !== (auth.password === undefined)) {
    report([...path, 'auth'], 'auth', '`username` and `password` go together');
  }
  const used = new Map<string, string>();
  for (const [what, field] of Object.entries(fields)) {
    const other = used.get(field);
    const message = `"${field}" is the name of ${other} already: one would hide the other`;
    if (other !== undefined) report([...path, 'fields', what], 'twice', message);
    used.set(field, what);
  }
}

const tokenPlace = /\{\{\s*token\s*\}\}/;

function checkRequest(sink: HttpSink, at: Path, report: Report): void {
  const { headers, body, url, token } = sink;
  const texts = [url, body ?? '', ...Object.values(headers)];
  if (token === undefined && texts.some((text) => tokenPlace.test(text))) {
    report(at, 'token', '`{{token}}` stands for its `token`, which is missing; give the file');
  }
  for (const [name, value] of Object.entries(headers)) {
    const wrong = headerProblem(name, value);
    if (wrong !== undefined) report([...at, 'headers', name], 'header', wrong);
  }
  if (body === undefined || !isJsonTemplate(body, headers)) return;
  try {
    JSON.parse(body.replaceAll(templatePlace, '0'));
  } catch {
    // What is said of it elsewhere would show a part of it, where the key of a pager may be.
    const message =
      'is no JSON, as which it begins, once its places have values: look at its quotes, commas and braces; or give it a content-type that is not JSON';
    report([...at, 'body'], 'template', message);
  }
}

function headerProblem(name: string, value: string): string | undefined {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return `"${name}" cannot be the name of a header`;
  if (ownHeaders.test(name)) return 'is set by itself; remove it';
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
    return 'has characters that no header can have: only those of Latin-1, on one line';
  }
  return undefined;
}
