import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Screen } from '../testing/screen.ts';
import { LiveArea } from './live-area.ts';

function openScreen(size: { columns: number; rows: number }) {
  const screen = new Screen(size);
  /** A terminal turns a line feed into both. */
  const draw = (text: string) => screen.write(text.replaceAll('\n', '\r\n'));
  const raw = async (data: Uint8Array | string) => draw(String(data));
  return { screen, draw, area: new LiveArea({ raw, columns: size.columns, colour: true }) };
}

describe('a live area', () => {
  it('shows the last lines in place of all before, and nothing else of the screen changes', () => {
    const size = { columns: 30, rows: 8 };
    const line = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', '…'),
      maxLength: size.columns - 1,
    });
    const frame = fc.array(line, { maxLength: size.rows - 1 });
    fc.assert(
      fc.property(fc.array(line), fc.array(frame, { minLength: 1 }), (before, frames) => {
        const { screen, draw, area } = openScreen(size);
        for (const each of before) draw(`${each}\n`);

        for (const each of frames) area.show(each);

        const expected = [...before, ...(frames.at(-1) ?? []), ''];
        expect(screen.text).toBe(expected.map((each) => each.trimEnd()).join('\n'));
      }),
    );
  });

  it('leaves no trace when it is cleared', () => {
    const { screen, draw, area } = openScreen({ columns: 30, rows: 8 });
    draw('$ skolo\n');

    area.show(['\x1b[31mone\x1b[39m', 'two']);
    area.clear();
    draw('done\n');

    expect(screen.text).toBe('$ skolo\ndone\n');
  });

  it('moves up over lines that a narrower window has wrapped', () => {
    const screen = new Screen({ columns: 10, rows: 8 });
    const raw = async (data: Uint8Array | string) =>
      screen.write(String(data).replaceAll('\n', '\r\n'));
    const io = { columns: 40, colour: true, raw };
    const area = new LiveArea(io);
    area.show(['a line of twenty-four ch', 'short']);

    io.columns = 10;
    area.show(['now', 'narrow']);

    expect(screen.text).toBe('now\nnarrow\n');
  });
});
