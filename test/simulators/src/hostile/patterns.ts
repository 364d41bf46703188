/** What a hostile device sends, as data: packets, which repeat without an end. */

export interface Pattern {
  packets: (prompt: string) => Iterable<Buffer>;
  /** Between packets, in milliseconds. */
  pauseMs?: number;
  /** If it ends; default: as much as is read. */
  mostBytes?: number;
}

const packetBytes = 32 * 1024;
const line = 'interface 0/1 description uplink\r\n';

export const patterns = {
  'line ends': again('\r\n'),
  'one-byte packets': { packets: () => singly(line), mostBytes: 60_000 },
  'long lines': again('x'),
  'escape sequences': again('\x1b[999C\x1b[1J\x1b[D'),
  'deep nesting': again('['),
  /** What is compressed. */
  compression: again(' '),
  endless: again(line),
  'slow drip': { packets: () => singly(line), pauseMs: 100, mostBytes: 40 },
  'painted line ends': again('\x1bE'),
  'escape sequences in one-byte packets': { packets: () => singly('\x1b[Cx'), mostBytes: 60_000 },
  'carriage returns and backspaces': again('x\r\b'),
  words: again('a '),
  prompts: { packets: (prompt) => again(`${prompt} x\r\n`).packets(prompt) },
  pagers: again('--More-- or (q)uit\r\n'),
  /** IAC DO TERMINAL-TYPE, IAC DONT TERMINAL-TYPE (RFC 1091). */
  'option changes': again('\xff\xfd\x18\xff\xfe\x18'),
  'nested objects': again('{"a":'),
  'small elements': { packets: () => opened('[', '{},') },
  'many keys': { packets: keys },
  'open tags': again('<input '),
  headers: again(`x-${'y'.repeat(60)}: 1\r\n`),
  'early hints': again('HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n'),
  'a loop': again('x'),
  'long identifiers': again('x'),
  'responses to other requests': again('x'),
  'responses to pings': again('\xd0\0'),
  /** RFC 4253, section 4.2: the server may send other lines first. */
  'lines before its version': again('welcome\r\n'),
  questions: again('Code: '),
  channels: again('x'),
  'key exchanges': again('x'),
  'standard error': again('x\n'),
} satisfies Readonly<Record<string, Pattern>>;

export type PatternName = keyof typeof patterns;

/** In packets as large as an ssh client accepts. */
function again(text: string): Pattern {
  const packet = Buffer.from(text.repeat(Math.floor(packetBytes / text.length)), 'latin1');
  return {
    *packets() {
      for (;;) yield packet;
    },
  };
}

function* singly(text: string): Generator<Buffer> {
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; ; at = (at + 1) % bytes.length) yield bytes.subarray(at, at + 1);
}

function* opened(first: string, text: string): Generator<Buffer> {
  yield Buffer.from(first);
  yield* again(text).packets('');
}

function* keys(): Generator<Buffer> {
  yield Buffer.from('{"k":0');
  for (let i = 0; ; i += 500) {
    yield Buffer.from(Array.from({ length: 500 }, (_, j) => `,"${i + j}x":0`).join(''));
  }
}
