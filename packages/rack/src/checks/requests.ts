/** Checks the template, the headers and the token of an HTTP request. */
import { isSafeForSecrets } from '@skolo/secrets';
import type { Report } from '../draft/draft.ts';
import type { Path } from '../issues/issues.ts';
import { isJsonTemplate, templatePlace } from '../schema/request-template.ts';
import type { ServicesSettings } from '../schema/settings/settings.ts';

type HttpRequest = NonNullable<ServicesSettings['router-backup']['webhook']>;

/** Headers that every request contains. */
const ownHeaders = /^(connection|content-length|expect|keep-alive|transfer-encoding|upgrade)$/i;

const tokenPlace = /\{\{\s*token\s*\}\}/;

export function checkRequest(
  { headers, body, url, token }: Pick<HttpRequest, 'headers' | 'body' | 'url' | 'token'>,
  at: Path,
  report: Report,
): void {
  if (token !== undefined && !isSafeForSecrets(new URL(url))) {
    const message =
      'requires https, because each message contains the token; http is allowed only on loopback';
    report([...at, 'url'], 'clear', message);
  }
  const texts = [url, body ?? '', ...Object.values(headers)];
  if (token === undefined && texts.some((text) => tokenPlace.test(text))) {
    report(at, 'token', '`{{token}}` requires `token`; specify its file');
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
      'starts like JSON, but would not be valid JSON after its fields are filled in; check quotes, commas and braces, or set another content-type';
    report([...at, 'body'], 'template', message);
  }
}

function headerProblem(name: string, value: string): string | undefined {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return `"${name}" is not a valid header name`;
  if (ownHeaders.test(name)) return 'is set automatically; remove it';
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
    return 'contains characters that are not allowed in a header; use a single line of Latin-1 characters';
  }
  return undefined;
}
