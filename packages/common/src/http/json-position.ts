type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | 'colon' | 'comma or end' | 'nothing';

/**
 * Position of a mistake in JSON (RFC 8259): the offset of the first wrong character, the length if the text is truncated,
 * undefined for valid JSON. `JSON.parse` does not always report it.
 */
export function jsonErrorOffset(text: string): number | undefined {
  const open: ('[' | '{')[] = [];
  let expected: Expected = 'value';
  let at = 0;

  function afterValue(): Expected {
    return open.length === 0 ? 'nothing' : 'comma or end';
  }

  for (;;) {
    while (' \t\n\r'.includes(text.charAt(at)) && at < text.length) at += 1;
    const char = text.charAt(at);
    if (char === '') return expected === 'nothing' ? undefined : at;

    if (expected === 'colon') {
      if (char !== ':') return at;
      at += 1;
      expected = 'value';
    } else if (expected === 'comma or end' && char === ',') {
      at += 1;
      expected = open.at(-1) === '{' ? 'key' : 'value';
    } else if (closes(char, expected, open.at(-1))) {
      at += 1;
      open.pop();
      expected = afterValue();
    } else if (expected === 'key' || expected === 'key or }') {
      const end = scanString(text, at);
      if (end.bad) return end.at;
      at = end.at;
      expected = 'colon';
    } else if (expected === 'value' || expected === 'value or ]') {
      if (char === '[' || char === '{') {
        open.push(char);
        at += 1;
        expected = char === '[' ? 'value or ]' : 'key or }';
        continue;
      }
      const end = scanScalar(text, at);
      if (end.bad) return end.at;
      at = end.at;
      expected = afterValue();
    } else {
      return at;
    }
  }
}

function closes(char: string, expected: Expected, innermost: string | undefined): boolean {
  if (char === ']') return innermost === '[' && ['value or ]', 'comma or end'].includes(expected);
  if (char === '}') return innermost === '{' && ['key or }', 'comma or end'].includes(expected);
  return false;
}

interface Scanned {
  at: number;
  bad: boolean;
}

function scanScalar(text: string, start: number): Scanned {
  const char = text.charAt(start);
  if (char === '"') return scanString(text, start);
  if (char === '-' || isDigit(char)) return scanNumber(text, start);
  for (const word of ['true', 'false', 'null']) {
    if (word.startsWith(char)) return scanWord(text, start, word);
  }
  return { at: start, bad: true };
}

function scanWord(text: string, start: number, word: string): Scanned {
  for (let index = 0; index < word.length; index += 1) {
    if (text[start + index] !== word[index]) return { at: start + index, bad: true };
  }
  return { at: start + word.length, bad: false };
}

function scanString(text: string, start: number): Scanned {
  if (text[start] !== '"') return { at: start, bad: true };
  let at = start + 1;
  for (;;) {
    const char = text.charAt(at);
    if (char === '"') return { at: at + 1, bad: false };
    if (char < ' ') return { at, bad: true };
    at += 1;
    if (char !== '\\') continue;
    const escaped = text.charAt(at);
    if (escaped === '' || !'"\\/bfnrtu'.includes(escaped)) return { at, bad: true };
    at += 1;
    if (escaped !== 'u') continue;
    for (const end = at + 4; at < end; at += 1) {
      if (!/[0-9a-fA-F]/.test(text.charAt(at))) return { at, bad: true };
    }
  }
}

function scanNumber(text: string, start: number): Scanned {
  let at = text[start] === '-' ? start + 1 : start;
  function digits(): boolean {
    const from = at;
    while (isDigit(text.charAt(at))) at += 1;
    return at > from;
  }
  if (text[at] === '0') at += 1;
  else if (!digits()) return { at, bad: true };
  if (text[at] === '.') {
    at += 1;
    if (!digits()) return { at, bad: true };
  }
  if (text[at] === 'e' || text[at] === 'E') {
    at += 1;
    if (text[at] === '+' || text[at] === '-') at += 1;
    if (!digits()) return { at, bad: true };
  }
  return { at, bad: false };
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9';
}

/** `line 3, column 7` of an offset, both from 1. */
export function lineAndColumn(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
