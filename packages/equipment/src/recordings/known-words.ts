/** Finds known words in a text, whatever their case and however they are encoded. */

/** One character per byte, as in transcripts. */
export function inBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Not with an escape in it: a long token without one would be searched from each of its characters. */
const words = /(?:\\["\\/]|[^\s"'<>])+/g;

/** Encodings of a token, of which each gives every text that it may stand for. */
const encodings: readonly { token: RegExp; decoded: (token: string) => string[] }[] = [
  {
    // A token may begin before the encoded text, or within it.
    token: /[\w+/-]{6,}={0,2}/g,
    decoded: (token) =>
      [0, 1, 2, 3].map((from) => Buffer.from(token.slice(from), 'base64').toString('latin1')),
  },
  {
    token: /[\da-f]{2}(?:[\s:.-]?[\da-f]{2}){2,}/gi,
    decoded(token) {
      const digits = token.replaceAll(/[^\da-f]/gi, '');
      return [0, 1].map((from) => Buffer.from(digits.slice(from), 'hex').toString('latin1'));
    },
  },
  {
    // In an object identifier: a number for each byte.
    token: /\d{1,3}(?:[.,]\s?\d{1,3}){2,}/g,
    decoded(token) {
      const numbers = token.split(/\D+/).map(Number);
      return numbers.every((each) => each < 256) ? [String.fromCharCode(...numbers)] : [];
    },
  },
  {
    token: words,
    decoded: (token) => [
      unescaped(token, /%([\da-f]{2})/gi),
      unescaped(token, /(?:\\u00|\\x|=)([\da-f]{2})/gi),
      fromHtml(token),
      token.replaceAll(/\\(["\\/])/g, '$1'),
    ],
  },
];
/** A token of a token: the base64 of a URL in a URL. */
const mostNested = 3;

function unescaped(token: string, codes: RegExp): string {
  return token
    .replaceAll('+', ' ')
    .replaceAll(codes, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};

function fromHtml(token: string): string {
  return token.replaceAll(/&(?:#(x?)([\da-f]{1,4})|(\w+));/gi, (all, hex, code, name) =>
    code === undefined
      ? (entities[name] ?? all)
      : String.fromCharCode(Number.parseInt(code, hex ? 16 : 10)),
  );
}

const isWordCharacter = /[\da-z\x80-\xff]/i;
/** First characters by which words are found. */
const indexed = 3;
/** Not found by chance in random bytes. */
const certain = 5;

interface KnownWord {
  /** One character per byte, in lower case; at least three. */
  word: string;
  /** It also counts inside of another word. */
  isAnywhere: boolean;
}

export class KnownWords {
  private readonly byBegin = new Map<string, KnownWord[]>();

  constructor(words: Iterable<KnownWord>) {
    for (const known of words) {
      const begin = known.word.slice(0, indexed);
      this.byBegin.set(begin, [...(this.byBegin.get(begin) ?? []), known]);
    }
    // The longest first, because one may be part of another.
    for (const all of this.byBegin.values()) all.sort((a, b) => b.word.length - a.word.length);
  }

  /** Replaces each word, and then each token in which one is encoded. */
  replaced(
    text: string,
    wordFor: (found: string, known: KnownWord) => string,
    tokenFor: (token: string) => string,
  ): string {
    let done = '';
    let copied = 0;
    for (const { at, known } of this.in(text)) {
      done += text.slice(copied, at);
      copied = at + known.word.length;
      done += wordFor(text.slice(at, copied), known);
    }
    done += text.slice(copied);
    return encodings.reduce(
      (rest, { token, decoded }) =>
        rest.replaceAll(token, (found) =>
          this.isEncodedIn(found, decoded, mostNested) ? tokenFor(found) : found,
        ),
      done,
    );
  }

  /** Whether a word is in the text, in whatever encoding. */
  isIn(text: string, depth = mostNested + 1, least = indexed): boolean {
    for (const _ of this.in(text, least)) return true;
    if (depth === 0) return false;
    return encodings.some(({ token, decoded }) =>
      (text.match(token) ?? []).some((found) => this.isEncodedIn(found, decoded, depth - 1)),
    );
  }

  /** Short words are in any bytes by chance, but not in text. */
  private isEncodedIn(token: string, decoded: (token: string) => string[], depth: number): boolean {
    return decoded(token).some((each) => {
      if (each === token) return false;
      // UTF-16 has a zero byte in each character.
      const text = each.replaceAll('\0', '');
      const isText = /^[\t-\r -~]{8,}$/.test(text);
      return this.isIn(text, depth, isText ? indexed : certain);
    });
  }

  /** Where known words are, as they are. */
  *in(text: string, least = indexed): Generator<{ at: number; known: KnownWord }> {
    const lower = text.toLowerCase();
    for (let at = 0; at <= lower.length - indexed; ) {
      const known = this.byBegin
        .get(lower.slice(at, at + indexed))
        ?.find(({ word, isAnywhere }) => {
          if (word.length < least || !lower.startsWith(word, at)) return false;
          const around = [lower[at - 1] ?? '', lower[at + word.length] ?? ''];
          return isAnywhere || !around.some((each) => isWordCharacter.test(each));
        });
      if (known !== undefined) yield { at, known };
      at += known?.word.length ?? 1;
    }
  }
}
