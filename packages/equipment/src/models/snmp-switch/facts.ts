/** Anything that SNMP switches. `{outlet}` in an object is the outlet; `{outlet-1}` and `{outlet+1}` are the numbers beside it. */
import { z } from 'zod';
import { counted, type Model, type Numbering, type Options, whole } from '../contract/model.ts';
import { countsOutlet, outlets, withoutOutlet } from '../families/described-facts.ts';

const object = z
  .string()
  .regex(
    /^1\.3(\.(\d{1,10}|\{outlet\}|\{outlet[+-]1\})){4,40}$/,
    'an object is an OID such as 1.3.6.1.4.1.318.1.1.4.4.2.1.3.{outlet}',
  )
  .describe(
    'OID. skolo replaces {outlet} with the outlet, and {outlet-1} and {outlet+1} with the numbers before and after it.',
  );

const aValue = 'a value is an integer, or a text of 1 to 64 printable ASCII characters';
const text = z.string().regex(/^[ -~]{1,64}$/, aValue);
const value = z.union([z.int(), text], { error: aValue });
const command = z.strictObject({
  object,
  value: value.describe('Integer to set, or text (OCTET STRING).'),
});
const values = z.array(value).min(1);

const numbered = counted('outlet', 'outlets');
const dotted: Numbering = {
  ...numbered,
  range(options) {
    if (options.outlets !== undefined) return numbered.range(options);
    const example = Array.from({ length: levels(options) }, () => 1).join('.');
    return `indexes such as ${example}`;
  },
  find(outlet, options) {
    if (options.outlets !== undefined) return numbered.find(outlet, options);
    const numbers = outlet.split('.');
    const isIndex = numbers.every((number) => /^[1-9]\d{0,4}$/.test(number));
    return isIndex && numbers.length === levels(options) ? outlet : undefined;
  },
};

function levels(options: Options): number {
  return Number(options.levels ?? 1);
}

const options = {
  outlets,
  levels: whole(1, 4)
    .exactOptional()
    .describe('Without `outlets`: how many numbers an outlet has, such as 3 for 1.1.4.'),
  on: command.describe('Object and value that turn an outlet on.'),
  off: command.describe('Object and value that turn an outlet off.'),
  read: z
    .strictObject({
      object,
      on: values.describe('Values that mean “on”.'),
      off: values.describe('Values that mean “off”. Other values are no state.'),
      isSetting: z
        .literal(true)
        .exactOptional()
        .describe('Confirms that the object that is read is the one that is set.'),
    })
    .describe('How to read the state of an outlet.'),
  watts: object.exactOptional().describe('OID of the power that an outlet supplies, in watts.'),
};

export const snmpSwitch = {
  name: 'snmp-switch',
  label: 'switch controlled over SNMP',
  transports: ['snmp'],
  power: {
    outlets: dotted,
    offSeconds: 10,
    nativeCycle: false,
    description: ({ on, off, read }) => ({ on, off, read }),
    load: () => import('./snmp-switch.ts'),
  },
  backup: { no: 'SNMP provides no access to the configuration' },
  // A community or user with read access.
  readOnly: ['outlets'],
  options,
  contradictions(given) {
    const { on, off, read, watts } = z.object(options).parse(given);
    const keys = ['on', 'off', 'read', ...(watts === undefined ? [] : ['watts'])];
    const found = withoutOutlet(given, keys);
    for (const key of given.outlets === undefined && levels(given) > 1 ? keys : []) {
      if (countsOutlet(given[key]))
        found.push({ key, what: 'adds to an outlet that has several numbers; use {outlet}' });
    }
    if (on.object === off.object && on.value === off.value)
      found.push({ key: 'off', what: 'is the same as `on`; correct one of them' });
    if (read.on.some((value) => read.off.includes(value)))
      found.push({ key: 'read', what: 'has a value that means both on and off; correct it' });
    const isSet = [on.object, off.object].includes(read.object);
    if (isSet && read.isSetting === undefined) {
      const what =
        'has the object that commands set; use the one that reports the state, or add `isSetting: true`';
      found.push({ key: 'read', what });
    }
    return found;
  },
} satisfies Model;
