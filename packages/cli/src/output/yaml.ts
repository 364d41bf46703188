import type { Json } from '@skolo/rack';

/**
 * YAML of plain data, in the style of a rack.yaml: maps in blocks, lists of scalars on a line, quotes only where they
 * are needed. A scalar in doubt is written as JSON, which YAML 1.2 takes (section 1.3).
 */
export function yamlOf(value: Json): string {
  return linesOf(value).join('\n');
}

function linesOf(value: Json): string[] {
  const onOneLine = flow(value);
  if (onOneLine !== undefined) return [onOneLine];
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const [first = '', ...rest] = linesOf(item);
      return [`- ${first}`, ...rest.map(indent)];
    });
  }
  return Object.entries(value ?? {}).flatMap(([key, item]) => {
    const text = flow(item);
    if (text !== undefined) return [`${scalar(key)}: ${text}`];
    return [`${scalar(key)}:`, ...linesOf(item).map(indent)];
  });
}

/** What fits on a line: scalars, lists of them, and what is empty. */
function flow(value: Json): string | undefined {
  if (typeof value !== 'object' || value === null) return scalar(value);
  if (!Array.isArray(value)) return Object.keys(value).length === 0 ? '{}' : undefined;
  if (value.some((item) => typeof item === 'object' && item !== null)) return undefined;
  return `[${value.map(scalar).join(', ')}]`;
}

function scalar(value: Json): string {
  return typeof value === 'string' && isPlain(value) ? value : JSON.stringify(value);
}

/** Text that no version of YAML takes for something else, at the top or within brackets. */
function isPlain(text: string): boolean {
  return /^[A-Za-z/][\w./@+-]*$/.test(text) && !/^(y|yes|n|no|true|false|on|off|null)$/i.test(text);
}

function indent(line: string): string {
  return `  ${line}`;
}
