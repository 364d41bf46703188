/**
 * A configuration of Fastpath: statements, and blocks that end with `exit`, not indented. What is typed changes it, whatever it
 * means: `no` takes away, and a statement that there is only one of replaces the one before.
 */
export interface FastpathLine {
  line: string;
  /** Further lines of a quoted text. */
  text: string[];
  /** Of a block. */
  children?: FastpathLine[];
}

const outer = [/^vlan database$/, /^configure$/];
const inner = [
  /^interface \S/,
  /^line \S/,
  /^router \S/,
  /^policy-map \S/,
  /^class-map \S/,
  /^ip dhcp pool \S/,
  /^(mac|ip|ipv6) access-list \S/,
];

/** Beginnings of statements that there is only one of. */
const single =
  /^(hostname|description|network parms|network protocol|network mgmt_vlan|clock timezone|vlan pvid|vlan name \d+|switchport mode|switchport access vlan|switchport trunk \w+ vlan|snmp-server (?:sysname|location|contact)|username "?[\w.-]+"?|set clibanner|poe opmode|speed|enable password|ip ssh \w+|radius server key \S+ \S+) /;

/** Whether a line opens a block, where that is allowed. */
export function opensBlock(line: string, depth: number): boolean {
  if (depth === 0) return outer.some((each) => each.test(line));
  return depth === 1 && inner.some((each) => each.test(line));
}

/** A quoted text that goes on in the next line. */
function isOpenText(lines: readonly string[]): boolean {
  return (lines.join('\n').match(/"/g)?.length ?? 0) % 2 === 1;
}

export function parseFastpath(text: string): FastpathLine[] {
  const root: FastpathLine[] = [];
  const open = [root];
  let last: FastpathLine | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/^(interface) {2}/, '$1 ');
    const list = open.at(-1) ?? root;
    if (last !== undefined && isOpenText([last.line, ...last.text])) last.text.push(raw);
    else if (line.trim() === '' || line.startsWith('!')) last = undefined;
    else if (line === 'exit') open.pop();
    else {
      last = { line, text: [] };
      list.push(last);
      if (opensBlock(line, open.length - 1)) {
        last.children = [];
        open.push(last.children);
        last = undefined;
      }
    }
  }
  return root;
}

/** The switch prints statements in an order of its own, whatever the one in which they were typed. */
const order =
  'hostname,network protocol,network parms,network,vlan database,set clibanner,ip ssh,configure,sntp,clock,ip,logging,username,users,line,radius,tacacs-server,snmp-server,spanning-tree,shutdown,description,vlan,switchport,,interface,poe'.split(
    ',',
  );

function rank({ line }: FastpathLine): number {
  const at = order.findIndex((start) => start !== '' && `${line} `.startsWith(`${start} `));
  return at === -1 ? order.indexOf('') : at;
}

function inOrder(lines: readonly FastpathLine[]): FastpathLine[] {
  const number = ({ line }: FastpathLine) => (line.startsWith('interface ') ? line : '');
  return [...lines].sort(
    (a, b) => rank(a) - rank(b) || number(a).localeCompare(number(b), 'en', { numeric: true }),
  );
}

/** Blocks are printed with empty lines around them, as the switch has it. */
export function renderFastpath(lines: readonly FastpathLine[]): string {
  return inOrder(lines)
    .map(({ line, text, children }) => {
      const first = [line, ...text, ''].join('\n');
      if (!children) return first;
      const gap = line.startsWith('interface ') ? '\n\n\n' : '\n';
      return `${first}${renderFastpath(children)}exit\n${gap}`;
    })
    .join('');
}

export function copyFastpath(lines: readonly FastpathLine[]): FastpathLine[] {
  return lines.map(({ line, text, children }) => ({
    line,
    text: [...text],
    ...(children && { children: copyFastpath(children) }),
  }));
}

/** The block of that name, made where there is none. */
export function blockOf(lines: FastpathLine[], line: string): FastpathLine[] {
  let found = lines.find((each) => each.line === line && each.children);
  if (!found) {
    found = { line, text: [], children: [] };
    lines.push(found);
  }
  found.children ??= [];
  return found.children;
}

/** Changes a block as a statement says. */
export function enterLine(lines: FastpathLine[], line: string): void {
  const [, numbers] = /^(?:no )?vlan ([\d,-]+)$/.exec(line) ?? [];
  if (numbers !== undefined) changeVlans(lines, numbers, line.startsWith('no '));
  else if (line.startsWith('no ')) removeLines(lines, line.slice(3));
  else {
    const start = single.exec(line)?.[0];
    const same = lines.find(
      (each) => each.line === line || (start !== undefined && each.line.startsWith(start)),
    );
    if (same) Object.assign(same, { line, text: [] });
    else lines.push({ line, text: [] });
  }
}

export function removeLines(lines: FastpathLine[], start: string): void {
  const left = lines.filter(({ line }) => line !== start && !line.startsWith(`${start} `));
  lines.splice(0, lines.length, ...left);
}

/** `vlan 10,20`, the first line of its block. */
function changeVlans(lines: FastpathLine[], numbers: string, isGone: boolean): void {
  const at = lines.findIndex(({ line }) => /^vlan [\d,]+$/.test(line));
  const known = at === -1 ? [] : (lines[at]?.line.slice(5).split(',') ?? []);
  const named = numbers.split(',');
  const all = isGone
    ? known.filter((number) => !named.includes(number))
    : [...new Set([...known, ...named])].sort((a, b) => Number(a) - Number(b));
  if (at !== -1) lines.splice(at, 1);
  if (all.length > 0) lines.unshift({ line: `vlan ${all.join(',')}`, text: [] });
  if (!isGone) return;
  for (const number of named) removeLines(lines, `vlan name ${number}`);
}
