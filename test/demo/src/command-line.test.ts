import { describe, expect, it } from 'vitest';
import { parseCommandLine, UsageError } from './command-line.ts';

describe('parseCommandLine', () => {
  it.each([
    [[], { fresh: false, help: false }],
    [['--fresh', '--dir', 'x'], { fresh: true, help: false, dir: 'x' }],
    [['--rack=/etc/skolo/rack.yaml'], { fresh: false, help: false, rack: '/etc/skolo/rack.yaml' }],
    [['-h'], { fresh: false, help: true }],
  ])('reads %j', (args, options) => {
    expect(parseCommandLine(args)).toEqual(options);
  });

  it.each([
    [['--frehs'], /--frehs/],
    [['rack.yaml'], /rack\.yaml/],
    [['--rack'], /--rack/],
    [['--rack', ''], /--rack is empty/],
    [['--dir='], /--dir is empty/],
    [['--rack', 'x', '--fresh'], /are for the demo/],
  ])('rejects %j', (args, message) => {
    expect(() => parseCommandLine(args)).toThrow(UsageError);
    expect(() => parseCommandLine(args)).toThrow(message);
  });
});
