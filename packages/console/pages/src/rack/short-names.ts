/** Decides how machines' names are shortened on tiles. */
/** Characters that fit into a wide tile, even if they are wide themselves. */
const most = 10;

/** What distinguishes the names of a shelf, without what all have in common: up to a dash if that is short enough. */
export function shortNames(names: readonly string[]): string[] {
  const start = commonStart(names);
  const words = names.map((name) => name.slice(start.lastIndexOf('-') + 1));
  if (areShort(words)) return words;
  const tails = names.map((name) => name.slice(numberless(start).length) || name);
  if (areShort(tails)) return tails;
  const end = numberless(commonStart(tails.map(reversed))).length;
  return tails.map((tail) => shortened(tail.slice(0, tail.length - end) || tail));
}

function areShort(names: readonly string[]): boolean {
  return names.every(({ length }) => length <= most);
}

/** Both ends count: numbers are at one of them. */
export function shortened(text: string): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  return [...characters.slice(0, most / 2), '…', ...characters.slice(1 - most / 2)].join('');
}

function commonStart([first = '', ...others]: readonly string[]): string {
  let length = 0;
  while (length < first.length && others.every((name) => name[length] === first[length])) {
    length += 1;
  }
  return first.slice(0, length);
}

/** So that numbers stay whole: `001`, not `1`. */
function numberless(start: string): string {
  return start.replace(/\d+$/, '');
}

function reversed(name: string): string {
  return [...name].reverse().join('');
}
