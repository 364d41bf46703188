/**
 * A configuration of FRRouting as a tree: indented lines, ended by `exit` or `exit-…`, are in the context of the line above. The order of
 * lines is irrelevant: ordered ones have numbers (`seq 5`).
 */

/** A line and the contents of its context. */
export interface Block {
  line: string;
  children: Block[];
  /** It opens a context, even if it is empty. */
  opens: boolean;
}

/** Set by FRR's files, its version or the system: no command changes it. */
const given =
  /^(?:frr (?:version|defaults) |hostname |domainname |service integrated-vtysh-config$)/;

const head = 'Current configuration:';

/** Why it cannot be a complete `show running-config`, for people; undefined if it is. */
export function configurationFault(text: string): string | undefined {
  const lines = text.split(/\r?\n/);
  if (!lines.some((line) => line.startsWith(head)))
    return `the configuration does not contain the line "${head}"`;
  const last = lines.findLast((line) => line.trim() !== '') ?? '';
  if (last === 'end') return undefined;
  return `the last line is ${JSON.stringify(last.slice(0, 60))}, not "end"`;
}

/** Parses `show running-config`, with or without the text around it. */
export function parseConfiguration(text: string): Block[] {
  const root: Block[] = [];
  const open: { indent: number; block: Block }[] = [];
  for (const whole of body(text)) {
    const line = whole.trim();
    if (line === '' || line.startsWith('!')) continue;
    const indent = whole.length - whole.trimStart().length;
    while ((open.at(-1)?.indent ?? -1) > indent) open.pop();
    const above = open.at(-1);
    if (/^exit(?:-[\w-]+)?$/.test(line)) {
      if (above?.indent === indent) above.block.opens = true;
      open.pop();
      continue;
    }
    if (above?.indent === indent) open.pop();
    const parent = open.at(-1)?.block;
    if (parent) parent.opens = true;
    const siblings = parent?.children ?? root;
    // FRR may show a context twice.
    const known = siblings.find((each) => each.line === line);
    const block = known ?? { line, children: [], opens: false };
    if (!known) siblings.push(block);
    open.push({ indent, block });
  }
  return root;
}

/** Lines that no command changes: `hostname rt-1`. */
export function givenLines(blocks: readonly Block[]): string[] {
  return blocks.map(({ line }) => line).filter((line) => given.test(line));
}

/** Lines that commands can change. */
export function settable(blocks: readonly Block[]): Block[] {
  return blocks.filter(({ line }) => !given.test(line));
}

export function firstHostname(text: string): string | undefined {
  return body(text)
    .map((line) => /^hostname (\S+)$/.exec(line.trim())?.[1])
    .find((name) => name !== undefined);
}

/** Without vtysh's text around it. */
export function body(text: string): string[] {
  const lines = text.split(/\r?\n/);
  const first = lines.findIndex((line) => line.startsWith(head)) + 1;
  const last = lines.findLastIndex((line) => line.trim() !== '');
  return lines.slice(first, lines[last] === 'end' ? last : undefined);
}
