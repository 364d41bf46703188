/** Evaluates an nftables ruleset, as `nft -j list ruleset` prints it (libnftables-json(5)), for packets that must pass. */
import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import type { Packet } from './packets.ts';

const Text = z.string();
const Scalar = z.union([Text, z.number()]);
const Statement = z.record(Text, z.unknown());
const InTable = z.looseObject({ family: Text, table: Text });
const Chain = InTable.extend({
  name: Text,
  hook: Text.exactOptional(),
  policy: Text.exactOptional(),
  dev: z.union([Text, z.array(Text)]).exactOptional(),
});
const Rule = InTable.extend({ chain: Text, handle: z.number(), expr: z.array(Statement) });
const NamedSet = InTable.extend({ name: Text, elem: z.array(z.unknown()).default([]) });
const Listed = z.looseObject({
  chain: Chain.exactOptional(),
  rule: Rule.exactOptional(),
  set: NamedSet.exactOptional(),
  map: NamedSet.exactOptional(),
});
const Ruleset = z.object({ nftables: z.array(Listed) });
type Chain = z.output<typeof Chain>;
type Rule = z.output<typeof Rule>;

const Match = z.object({ op: Text, left: z.unknown(), right: z.unknown() });
/** `{ payload: { protocol: 'tcp', field: 'dport' } }`, `{ meta: { key: 'iifname' } }` */
const Field = z.record(Text, z.record(Text, Text));
const Vmap = z.object({ key: z.unknown(), data: z.unknown() });
const Pair = z.tuple([z.unknown(), Statement]);
const Several = z.union([
  z.array(z.unknown()),
  z.object({ set: z.array(z.unknown()) }).transform(({ set }) => set),
  z.object({ elem: z.looseObject({ val: z.unknown() }) }).transform(({ elem }) => [elem.val]),
]);
const Range = z.object({ range: z.tuple([Scalar, Scalar]) });
const Prefix = z.object({ prefix: z.object({ addr: Text, len: z.number() }) });
const Jump = z.object({ target: Text });
const Extension = z.object({ type: Text, name: Text });
const Flood = z.looseObject({ inv: z.literal(true) });

/** Chains in which Kubernetes drops and redirects packets on purpose. */
const ofKubernetes = /^(?:KUBE|CNI)-/;
/** What statements, and targets of iptables, do to packets. */
const effects = [
  { effect: 'drops', names: /^(?:drop|reject|queue|nfqueue|tarpit)$/i },
  { effect: 'redirects', names: /^(?:redirect|dnat|tproxy)$/i },
];

/** A rule or policy that drops or redirects a packet. */
interface Fault {
  /** `ip filter INPUT` */
  chain: string;
  effect: string;
  /** `rule 5`, `policy` */
  by: string;
}
/** Undefined: the next rule decides. */
type Outcome = Fault | 'accept' | 'return' | undefined;

/** @returns what each rule or policy of others does to the first packet that it drops or redirects; a match that is unknown counts as one */
export function faultsIn(ruleset: unknown, packets: readonly Packet[]) {
  const { nftables } = Ruleset.parse(ruleset);
  const tables = new Tables(nftables);
  const found = new Map<string, Fault & { packet: Packet }>();
  for (const { chain } of nftables) {
    if (chain === undefined || nameOf(chain, '') === 'inet skolo ') continue;
    for (const packet of packets.filter((each) => traverses(each, chain))) {
      const outcome = tables.throughChain(nameOf(chain, chain.name), { packet, isSure: true });
      const byPolicy = { chain: nameOf(chain, chain.name), effect: 'drops', by: 'policy' };
      const fault = outcome ?? (chain.policy === 'drop' ? byPolicy : 'accept');
      if (typeof fault !== 'object') continue;
      const key = `${fault.chain} ${fault.by}`;
      if (!found.has(key)) found.set(key, { ...fault, packet });
    }
  }
  return [...found.values()];
}

/** Chains of `netdev` and `bridge` see all packets. */
function traverses({ family, hooks, values }: Packet, chain: Chain): boolean {
  if (chain.hook === undefined || !hooks.includes(chain.hook)) return false;
  const devices = values[chain.hook === 'egress' ? 'oifname' : 'iifname'] ?? [];
  if (chain.dev !== undefined && ![chain.dev].flat().some((each) => devices.includes(each)))
    return false;
  const families = ['netdev', 'bridge', ...(family === 'arp' ? [] : ['inet']), family];
  return families.includes(chain.family);
}

function nameOf({ family, table }: { family: string; table: string }, name: string): string {
  return `${family} ${table} ${name}`;
}

/** A packet on its way. */
interface Passing {
  packet: Packet;
  /** Every match so far could be evaluated. */
  isSure: boolean;
}

class Tables {
  readonly #chains = new Map<string, Rule[]>();
  readonly #sets = new Map<string, unknown[]>();

  constructor(nftables: readonly z.output<typeof Listed>[]) {
    for (const { rule, set, map } of nftables) {
      if (rule !== undefined) {
        const name = nameOf(rule, rule.chain);
        this.#chains.set(name, [...(this.#chains.get(name) ?? []), rule]);
      }
      for (const each of [set, map])
        if (each !== undefined) this.#sets.set(nameOf(each, `@${each.name}`), each.elem);
    }
  }

  throughChain(name: string, passing: Passing): Exclude<Outcome, 'return'> {
    for (const rule of this.#chains.get(name) ?? []) {
      const outcome = this.#byRule(rule, { ...passing });
      if (outcome === 'return') return undefined;
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  }

  #byRule(rule: Rule, passing: Passing): Outcome {
    for (const [key, value] of rule.expr.flatMap((each) => Object.entries(each))) {
      if (key === 'match') {
        const { op, left, right } = Match.parse(value);
        const isKnown = ['==', '!=', 'in'].includes(op);
        const is = isKnown ? this.#isIn(left, right, rule, passing.packet) : undefined;
        if (is === 'absent' || is === (op === '!=')) return undefined;
        passing.isSure &&= is !== undefined;
      } else if (key === 'limit' && Flood.safeParse(value).success) return undefined;
      else if (key === 'vmap') {
        const outcome = this.#byMap(rule, value, passing);
        if (outcome !== undefined) return outcome;
      } else {
        const outcome = this.#byStatement(rule, key, value, passing);
        if (outcome !== undefined) return outcome;
      }
    }
    return undefined;
  }

  #byMap(rule: Rule, value: unknown, { packet, isSure }: Passing): Outcome {
    const { key, data } = Vmap.parse(value);
    for (const pair of this.#elementsOf(data, rule) ?? []) {
      const [element, verdict] = Pair.parse(pair);
      const is = this.#isIn(key, element, rule, packet);
      if (is === 'absent' || is === false) continue;
      const passing = { packet, isSure: isSure && is === true };
      const outcome = this.#byRule({ ...rule, expr: [verdict] }, passing);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  }

  #byStatement(rule: Rule, key: string, value: unknown, passing: Passing): Outcome {
    const extension = key === 'xt' ? Extension.parse(value) : undefined;
    const name = extension?.type === 'target' ? extension.name : key;
    const found = effects.find(({ names }) => names.test(name));
    if (found !== undefined)
      return { chain: nameOf(rule, rule.chain), effect: found.effect, by: `rule ${rule.handle}` };
    if (name === 'accept' || name === 'return') return passing.isSure ? name : undefined;
    if (name === 'jump' || name === 'goto') {
      const { target } = Jump.parse(value);
      if (ofKubernetes.test(target)) return undefined;
      const outcome = this.throughChain(nameOf(rule, target), passing);
      return outcome ?? (name === 'goto' && passing.isSure ? 'return' : undefined);
    }
    if (name === 'limit' || (name === 'xt' && extension?.name !== 'comment'))
      passing.isSure = false;
    return undefined;
  }

  /** Whether the packet's value is among these; undefined: unknown; absent: it has no such value. */
  #isIn(left: unknown, right: unknown, rule: Rule, { values }: Packet) {
    const field = Field.safeParse(left).data;
    if (field === undefined) return undefined;
    const [protocol, key] = Object.values(field).flatMap((each) => Object.values(each));
    const value = values[key === undefined ? `${protocol}` : `${protocol} ${key}`];
    if (value !== undefined) return value.some((each) => this.#holds(right, each, rule));
    const isAbsent = !Object.keys(values).some((each) => each.startsWith(`${protocol} `));
    return 'payload' in field && isAbsent ? 'absent' : undefined;
  }

  #holds(right: unknown, value: string | number, rule: Rule): boolean {
    const elements = this.#elementsOf(right, rule);
    if (elements !== undefined) return elements.some((each) => this.#holds(each, value, rule));
    const scalar = Scalar.safeParse(right).data;
    if (scalar !== undefined)
      return `${scalar}`.endsWith('*')
        ? `${value}`.startsWith(`${scalar}`.slice(0, -1))
        : `${scalar}` === `${value}`;
    const [from, to] = Range.safeParse(right).data?.range ?? [];
    if (typeof value === 'number') return Number(from) <= value && value <= Number(to);
    if (isIP(value) === 0) return false;
    const prefix = Prefix.safeParse(right).data?.prefix;
    const family = isIP(value) === 4 ? 'ipv4' : 'ipv6';
    const list = new BlockList();
    if (prefix !== undefined) list.addSubnet(prefix.addr, prefix.len, family);
    else if (from !== undefined) list.addRange(`${from}`, `${to}`, family);
    return list.check(value, family);
  }

  #elementsOf(data: unknown, rule: Rule): unknown[] | undefined {
    return typeof data === 'string' && data.startsWith('@')
      ? (this.#sets.get(nameOf(rule, data)) ?? [])
      : Several.safeParse(data).data;
  }
}
