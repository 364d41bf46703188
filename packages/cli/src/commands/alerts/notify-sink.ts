/** The sink of `--notify`, validated with the schema of rack.yaml. */
import { resolve } from 'node:path';
import { createSinks, type Sink } from '@skolo/alerts';
import { parseRack, RackError, type RackIssue } from '@skolo/rack';
import { usageError } from '../../errors.ts';
import { readGivenFile } from '../../workstation/given-file.ts';

/** A minimal rack around the sink; the file follows, indented. */
const around = [
  'rack: watch',
  'jumphost: { name: watch, address: 127.0.0.1 }',
  'services:',
  '  alert-to-pubsub:',
  '    pubsub: false',
  '    sinks:',
  '      -',
  '',
].join('\n');
const linesBefore = around.split('\n').length - 1;
const indent = ' '.repeat(8);
const pathBefore = 'services.alert-to-pubsub.sinks[0]';

/**
 * Opens no connection.
 *
 * @param notify `file:PATH`, a URL, or a YAML file
 * @throws CliError It is not valid.
 * @throws RackError The YAML file is not valid.
 */
export async function sinkOf(notify: string): Promise<Sink> {
  if (/^https?:/.test(notify)) return ofUrl(notify);
  const [, path] = /^file:(.+)$/.exec(notify) ?? [];
  if (path !== undefined) return made({ name: 'notify', kind: 'file', file: resolve(path) });
  const hint = 'specify a YAML file that defines a sink, file:PATH or a URL';
  return parsed(await readGivenFile(notify, hint), notify);
}

function ofUrl(url: string): Sink {
  if (!URL.canParse(url))
    throw usageError(`--notify ${url}: not a URL; specify one such as https://ntfy.sh/racks`);
  return made({ name: 'notify', kind: 'http', url });
}

function made(sink: object): Sink {
  try {
    return parsed(JSON.stringify(sink), 'notify');
  } catch (error) {
    if (!(error instanceof RackError)) throw error;
    const messages = error.issues.map(({ message }) => message);
    throw usageError(`--notify: ${messages.join('; ')}`, { cause: error });
  }
}

function parsed(text: string, file: string): Sink {
  const lines = text.replace(/^---.*\n/, '\n').split('\n');
  const indented = lines.map((line) => (line.trim() === '' ? '' : indent + line)).join('\n');
  try {
    const [sink] = createSinks(parseRack(around + indented, { file }));
    if (sink === undefined) throw new TypeError('the generated rack.yaml does not define a sink');
    return sink;
  } catch (error) {
    if (!(error instanceof RackError)) throw error;
    throw new RackError(error.issues.map(inFile), { cause: error });
  }
}

/** With the position in the sink's own file. */
function inFile(issue: RackIssue): RackIssue {
  const path = issue.path.startsWith(pathBefore)
    ? issue.path.slice(pathBefore.length).replace(/^\./, '')
    : '';
  const line = Math.max(1, issue.line - linesBefore);
  return { ...issue, line, column: Math.max(1, issue.column - indent.length), path };
}
