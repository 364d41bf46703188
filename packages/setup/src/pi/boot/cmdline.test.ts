import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cmdlineValue, editCmdline } from './cmdline.ts';
import { cmdlinePath, editConfigTxt } from './config-txt.ts';

const edit = {
  add: ['cgroup_memory=1', 'cgroup_enable=memory'],
  set: { 'cfg80211.ieee80211_regdom': 'DE' },
};

describe('cmdline.txt', () => {
  it('is one line, and another edit changes nothing', () => {
    const word = fc.stringMatching(/^[a-z0-9._=,:-]{1,20}$/);
    const space = fc.constantFrom(' ', '  ', '\n', '\r\n', '\t');
    const text = fc.array(fc.tuple(word, space)).map((all) => all.flat().join(''));
    fc.assert(
      fc.property(text, (before) => {
        const once = editCmdline(before, edit);

        expect(once).toMatch(/^[^\n]+\n$/);
        expect(editCmdline(once, edit)).toBe(once);
        for (const each of before.split(/\s+/).filter(Boolean)) {
          if (!each.startsWith('cfg80211.')) expect(once.split(/\s/)).toContain(each);
        }
      }),
    );
  });

  it('keeps quoted words, and other flags of the same name', () => {
    expect(
      editCmdline(
        'root=PARTUUID=a-02 dyndbg="file a +p" cgroup_enable=cpuset cgroup_memory=1\nquiet cfg80211.ieee80211_regdom=US',
        edit,
      ),
    ).toBe(
      'root=PARTUUID=a-02 dyndbg="file a +p" cgroup_enable=cpuset cgroup_memory=1 quiet cgroup_enable=memory cfg80211.ieee80211_regdom=DE\n',
    );
    expect(cmdlineValue('a ds=nocloud;i=x b', 'ds')).toBe('nocloud;i=x');
    expect(cmdlineValue('a', 'ds')).toBeUndefined();
    expect(editCmdline('constructor', { set: { a: 'b' } })).toBe('constructor a=b\n');
  });
});

describe('config.txt', () => {
  it('has our lines once, for all models', () => {
    const once = editConfigTxt('a=1\n[pi4]\nb=2', ['c=3']);

    expect(once).toMatch(/^a=1\n\[pi4\]\nb=2\n\n\[all\]\n# Written by skolo.*\nc=3\n$/);
    expect(editConfigTxt(once, ['c=3'])).toBe(once);
    expect(editConfigTxt(once, [])).toBe('a=1\n[pi4]\nb=2\n');
  });

  it('says where cmdline.txt is', () => {
    expect(cmdlinePath('')).toBe('cmdline.txt');
    expect(cmdlinePath('[all]\nos_prefix=current/\n[tryboot]\nos_prefix=new/\n')).toBe(
      'current/cmdline.txt',
    );
    expect(cmdlinePath('cmdline=nobtcmd.txt\r\n[pi3]\ncmdline=other.txt')).toBe('nobtcmd.txt');
  });
});
