/** What a hostile device sends, as data: packets, which repeat without an end. */

interface Pattern {
  packets: (prompt: string) => Iterable<Buffer>;
  /** Between packets, in milliseconds. */
  pauseMs?: number;
}

const packetBytes = 32 * 1024;
const line = 'interface 0/1 description uplink\r\n';

export type PatternName =
  | 'line ends'
  | 'bare line ends'
  | 'painted line ends'
  | 'carriage returns'
  | 'one-byte packets'
  | 'one-byte line ends'
  | 'one-byte long line'
  | 'one-byte escape sequences'
  | 'long lines'
  | 'blanks'
  | 'words'
  | 'escape sequences'
  | 'colours'
  | 'prompts'
  | 'pagers'
  | 'nested lists'
  | 'nested objects'
  | 'small elements'
  | 'many keys'
  | 'open tags'
  | 'configuration'
  | 'slow drip';

export const patterns: Readonly<Record<PatternName, Pattern>> = {
  'line ends': again('\r\n'),
  'bare line ends': again('\n'),
  'painted line ends': again('\x1bE'),
  'carriage returns': again('\r'),
  'one-byte packets': { packets: () => singly(line) },
  'one-byte line ends': { packets: () => singly('\r\n') },
  'one-byte long line': { packets: () => singly('x') },
  'one-byte escape sequences': { packets: () => singly('\x1b[Cx') },
  'long lines': again('x'),
  blanks: again(' '),
  words: again('a '),
  'escape sequences': again('\x1b[999C\x1b[1J\x1b[D'),
  colours: again('\x1b[0m'),
  prompts: { packets: (prompt) => again(`${prompt} x\r\n`).packets(prompt) },
  pagers: again('--More-- or (q)uit\r\n'),
  'nested lists': again('['),
  'nested objects': again('{"a":'),
  'small elements': { packets: () => opened('[', '{},') },
  'many keys': { packets: keys },
  'open tags': again('<input '),
  configuration: again(line),
  'slow drip': { packets: () => singly(line), pauseMs: 100 },
};

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
