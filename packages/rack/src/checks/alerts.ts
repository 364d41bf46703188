/** Checks settings of alert-to-pubsub against each other. */
import { isSafeForSecrets } from '@skolo/secrets';
import type { Report } from '../draft.ts';
import type { Path } from '../issues.ts';
import { isJsonTemplate, templatePlace } from '../request-template.ts';
import type { ServicesSettings } from '../settings.ts';

type Alerts = ServicesSettings['alert-to-pubsub'];
type HttpSink = Extract<Alerts['sinks'][number], { kind: 'http' }>;

/** Headers that every request has. */
const ownHeaders = /^(connection|content-length|expect|keep-alive|transfer-encoding|upgrade)$/i;

export function checkAlerts({ sinks, auth, fields }: Alerts, report: Report): void {
  const path = ['services', 'alert-to-pubsub'];
  const names = new Set(['pubsub']);
  const files = new Set<string>();
  sinks.forEach((sink, i) => {
    const at = [...path, 'sinks', i];
    const { name } = sink;
    const message = `"${name}" is used twice: each sink needs its own name`;
    if (names.has(name)) report([...at, 'name'], 'twice', message);
    names.add(name);
    if (sink.kind === 'http') checkRequest(sink, at, report);
    else {
      const shared = `${sink.file} is used twice: each sink renames its own file`;
      if (files.has(sink.file)) report([...at, 'file'], 'twice', shared);
      files.add(sink.file);
    }
  });
  if ((auth.username === undefined) !== (auth.password === undefined)) {
    report([...path, 'auth'], 'auth', '`username` and `password` need each other');
  }
  const used = new Map<string, string>();
  for (const [what, field] of Object.entries(fields)) {
    const other = used.get(field);
    const message = `"${field}" is also the name of ${other}; choose another`;
    if (other !== undefined) report([...path, 'fields', what], 'twice', message);
    used.set(field, what);
  }
}

const tokenPlace = /\{\{\s*token\s*\}\}/;

function checkRequest(sink: HttpSink, at: Path, report: Report): void {
  const { headers, body, url, token } = sink;
  if (token !== undefined && !isSafeForSecrets(new URL(url))) {
    const message =
      'needs https, because its token travels with each message (http only on loopback)';
    report([...at, 'url'], 'clear', message);
  }
  const texts = [url, body ?? '', ...Object.values(headers)];
  if (token === undefined && texts.some((text) => tokenPlace.test(text))) {
    report(at, 'token', '`{{token}}` needs `token`; give its file');
  }
  for (const [name, value] of Object.entries(headers)) {
    const wrong = headerProblem(name, value);
    if (wrong !== undefined) report([...at, 'headers', name], 'header', wrong);
  }
  if (body === undefined || !isJsonTemplate(body, headers)) return;
  try {
    JSON.parse(body.replaceAll(templatePlace, '0'));
  } catch {
    // The error of JSON.parse would show a part of the body, which may be a secret.
    const message =
      'begins as JSON, but is not valid JSON with values in its places; check quotes, commas and braces, or set another content-type';
    report([...at, 'body'], 'template', message);
  }
}

function headerProblem(name: string, value: string): string | undefined {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return `"${name}" cannot be the name of a header`;
  if (ownHeaders.test(name)) return 'is set automatically; remove it';
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
    return 'has characters that are not allowed in a header; use one line of Latin-1';
  }
  return undefined;
}
