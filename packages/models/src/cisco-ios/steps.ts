/**
 * How a version gets into a switch by hand: a file is written in its flash by its Tcl shell, line by line, and put in force by
 * `configure replace`, which takes away what the version does not have. What is typed in configuration mode would only be added.
 */
import type { RestoreAbout, RestoreStep } from '../backup.ts';
import { linesOf } from '../families/text-reading.ts';

const file = 'flash:version.cfg';

export function steps(content: Buffer, { id, time }: RestoreAbout, name: string): RestoreStep[] {
  const lines = linesOf(content).filter(
    (line) => !/^(?:Building configuration|Current configuration|! (?:Last|NVRAM|No) )/.test(line),
  );
  return [
    {
      title: `Sign in to ${name} with privilege 15, at its console where it is a new one, and write the version of ${time} (${id}) to its flash`,
      where: 'device',
      lines: ['tclsh', `set f [open "${file}" w]`, ...lines.map(puts), 'close $f', 'tclquit'],
    },
    {
      title:
        'Put it in force: what differs is changed, and nothing else. It asks nothing, and the session ends where its own address changes',
      where: 'device',
      lines: [`configure replace ${file} force`],
    },
    {
      title: 'Save it, so that it boots with it, and remove the file: it has secrets in it',
      where: 'device',
      lines: ['write memory', `delete /force ${file}`],
    },
    {
      title:
        'Not in the version: keys for ssh of a new switch (crypto key generate rsa modulus 2048), and VLANs where VTP has them (show vlan)',
      where: 'desk',
      lines: [],
    },
  ];
}

/** Braces keep everything as it is, unless there are some in it. */
function puts(line: string): string {
  if (!/[{}\\]/.test(line)) return `puts $f {${line}}`;
  return `puts $f "${line.replace(/[\\"$[\]{}]/g, '\\$&')}"`;
}
