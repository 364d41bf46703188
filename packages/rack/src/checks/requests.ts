/** Checks the template, the headers and the token of an HTTP request. */
import { isSafeForSecrets } from '@skolo/base/secrets';
import type { Report } from '../draft/draft.ts';
import type { Path } from '../issues/issues.ts';
import { parseTemplate, TemplateError, templateFormat, uses } from '../schema/request-template.ts';
import type { ServicesSettings } from '../schema/settings/settings.ts';

type HttpRequest = Pick<
  NonNullable<ServicesSettings['router-backup']['webhook']>,
  'url' | 'headers' | 'token' | 'to' | 'body' | 'resolved'
>;

/** Headers that every request contains. */
const ownHeaders = /^(connection|content-length|expect|keep-alive|transfer-encoding|upgrade)$/i;

const tokenPlace = /\{\{\s*token\s*\}\}/g;

export function checkRequest(request: HttpRequest, at: Path, report: Report): void {
  const { headers, body, url, token, to, resolved } = request;
  if (token !== undefined && !isSafeForSecrets(new URL(url))) {
    const message =
      'requires https, because each message contains the token; http is allowed only on loopback';
    report([...at, 'url'], 'clear', message);
  }
  if (new URL(url).host.includes('{')) {
    report([...at, 'url'], 'template', 'contains a placeholder in the host name; write the name');
  }
  const templates: [string[], string | undefined][] = [
    [['url'], url],
    [['body'], body],
    [['resolved', 'path'], resolved?.path],
    [['resolved', 'body'], resolved?.body],
  ];
  const used = templates.flatMap(([key, text = '']) => {
    const isBody = text !== '' && key.at(-1) === 'body';
    return partsOf(text, isBody && templateFormat(text, headers) === 'json', (message) =>
      report([...at, ...key], 'template', message),
    );
  });
  for (const [name, value] of Object.entries(headers)) {
    const wrong = headerProblem(name, value);
    if (wrong !== undefined) report([...at, 'headers', name], 'header', wrong);
  }
  const isInHeader = Object.values(headers).some((text) => text.search(tokenPlace) !== -1);
  if (token === undefined && (isInHeader || uses(used, 'token'))) {
    report(at, 'token', '`{{token}}` requires `token`; specify its file');
  }
  if (to === undefined && uses(used, 'to')) {
    report(at, 'to', '`{{to}}` requires `to`; specify the channel, chat or topic');
  }
}

/** Of a template without errors. */
function partsOf(text: string, isJson: boolean, report: (message: string) => void) {
  try {
    const parts = parseTemplate(text);
    if (isJson) JSON.parse(parts.map((part) => (typeof part === 'string' ? part : '0')).join(''));
    return parts;
  } catch (error) {
    // The error of JSON.parse would show a part of the body, which may be a secret.
    report(
      error instanceof TemplateError
        ? error.message
        : 'starts like JSON, but would not be valid JSON after its fields are filled in; check quotes, commas and braces, or set another content-type',
    );
    return [];
  }
}

function headerProblem(name: string, value: string): string | undefined {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return `"${name}" is not a valid header name`;
  if (ownHeaders.test(name)) return 'is set automatically; remove it';
  if (value.replaceAll(tokenPlace, '').includes('{{')) {
    return 'contains a placeholder other than `{{token}}`; move it to `url` or `body`';
  }
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
    return 'contains characters that are not allowed in a header; use a single line of Latin-1 characters';
  }
  return undefined;
}
