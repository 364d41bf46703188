import { describe, expect, it } from 'vitest';
import { LineConfiguration, type LineStyle } from './line-configuration.ts';

const style: LineStyle = {
  indent: 2,
  sections: [/^interface /, /^vlan /, /^router /, /^address-family /],
  single: ['hostname', 'description', 'name'],
  comment: /^!/,
  freeText: (line) => (/^banner \S+ @[^@]*$/.test(line) ? /@$/ : undefined),
};

const text = `hostname one
banner motd @Hello
  indented   # text
interface Eth1@
vlan 10
  name phones
interface Eth1
  description to the phones
  no shutdown
router bgp 1
  address-family ipv4
    network 10.0.0.0/8
    maximum-paths 4
  neighbor 10.0.0.1
snmp-server location rack
`;

const configured = (...lines: string[]) => {
  const configuration = new LineConfiguration(style, text);
  for (const line of lines) configuration.enter(line);
  return configuration;
};

describe('a configuration of lines', () => {
  it('is printed as it was entered', () => {
    expect(configured().print()).toBe(text);
  });

  it('is the same when what is printed is entered into an empty one', () => {
    expect(new LineConfiguration(style, configured().print()).print()).toBe(text);
  });

  it('takes lines that are typed without blanks in front, section by section', () => {
    const { sections } = configured('interface Eth1', 'description one');
    const printed = configured('interface Eth1', 'description one', 'vlan 10', 'name ten').print();

    expect(sections).toEqual(['interface Eth1']);
    expect(printed).toBe(text.replace('to the phones', 'one').replace('phones', 'ten'));
  });

  it('goes out of sections with exit', () => {
    const printed = configured('interface Eth1', 'exit', 'logging host 10.0.0.9').print();

    expect(printed).toBe(`${text}logging host 10.0.0.9\n`);
  });

  it('has one host name', () => {
    const configuration = configured('hostname two');

    expect(configuration.value('hostname')).toBe('two');
    expect(configuration.print()).toBe(text.replace('hostname one', 'hostname two'));
  });

  it('loses what `no` takes away, with all that is in it', () => {
    const printed = configured('no interface Eth1', 'no snmp-server location').print();

    expect(printed).toBe(text.replace(/interface Eth1\n.*\n.*\n/, '').replace(/snmp.*\n/, ''));
  });

  it('keeps `no` of what it never had, until that is entered', () => {
    expect(configured('no feature x').print()).toBe(`${text}no feature x\n`);
    expect(configured('no feature x', 'feature x').print()).toBe(`${text}feature x\n`);
  });

  it('forgets comments and empty lines', () => {
    expect(configured('! hello', '', '   ').print()).toBe(text);
  });
});
