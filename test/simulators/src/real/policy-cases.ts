/**
 * Cases of Kubernetes' own tests of NetworkPolicies (test/e2e/network/netpol/network_policy.go of k8s.io/kubernetes v1.36.3), by
 * their names there. Namespaces x, y and z have pods a, b and c each. Not here: SCTP as a protocol that works, IPv6, and cases that differ
 * from another one only in the form of a selector, because policies.go leaves selectors to Kubernetes' own package.
 */

interface Policy {
  namespace: string;
  name: string;
  spec: object;
}

interface Step {
  apply?: Policy[];
  /** Arguments of kubectl that add a label; one ends with `-` to remove it. */
  label?: string[];
  deleteAll?: true;
  /** Default: 80, by TCP */
  at?: { port: number; network: 'tcp' | 'udp' };
  /** `from > to`, where `x/*` is each pod of x, and `*` each pod. */
  forbidden: string[];
  /** What of those is allowed. */
  but?: string[];
}

interface PolicyCase {
  name: string;
  steps: Step[];
}

const one = (spec: object, namespace = 'x', name = 'policy'): Policy => ({ namespace, name, spec });
const pod = (name: string) => ({ matchLabels: { pod: name } });
const pods = (...values: string[]) => ({
  matchExpressions: [{ key: 'pod', operator: 'In', values }],
});
const namespace = (ns: string) => ({ matchLabels: { ns } });
const notIn = (...values: string[]) => ({
  matchExpressions: [{ key: 'ns', operator: 'NotIn', values }],
});
const tcp = (port: number | string) => ({ protocol: 'TCP', port });
const at81 = { port: 81, network: 'tcp' } as const;
const everyPod = {};

/** Policies that select pod a of x, and accept what comes from these. */
const toA = (from: object[] | undefined, ports?: object[], name?: string) =>
  one({ podSelector: pod('a'), policyTypes: ['Ingress'], ingress: [{ from, ports }] }, 'x', name);
const fromA = (to: object[]) =>
  one({ podSelector: pod('a'), policyTypes: ['Egress'], egress: [{ to }] });
const ingressOfAll = (...ingress: object[]) =>
  one({ podSelector: everyPod, policyTypes: ['Ingress'], ingress });

const fromOtherNamespaces = ['x/* > x/a', 'z/* > x/a'];

/** @param addressOf a pod's address */
export function policyCases(addressOf: (pod: string) => string): PolicyCase[] {
  return [
    ...ingressCases,
    ...portCases,
    ...changeCases,
    ...egressCases,
    {
      name: 'should allow egress access to server in CIDR block',
      steps: [
        {
          apply: [fromA([{ ipBlock: { cidr: `${addressOf('y/b')}/32` } }])],
          forbidden: ['x/a > *'],
          but: ['x/a > y/b'],
        },
      ],
    },
    {
      name: 'should ensure an IP overlapping both IPBlock.CIDR and IPBlock.Except is allowed',
      steps: [
        {
          apply: [
            fromA([{ ipBlock: { cidr: '10.42.0.0/16', except: [`${addressOf('x/b')}/32`] } }]),
          ],
          forbidden: ['x/a > x/b'],
        },
        {
          apply: [fromA([{ ipBlock: { cidr: `${addressOf('x/b')}/32` } }])],
          forbidden: ['x/a > *'],
          but: ['x/a > x/b'],
        },
      ],
    },
  ];
}

const ingressCases: PolicyCase[] = [
  {
    name: "should support a 'default-deny-ingress' policy",
    steps: [{ apply: [ingressOfAll()], forbidden: ['* > x/*'] }],
  },
  {
    name: "should support a 'default-deny-all' policy",
    steps: [
      {
        apply: [one({ podSelector: everyPod, policyTypes: ['Ingress', 'Egress'] })],
        forbidden: ['* > x/*', 'x/* > *'],
      },
    ],
  },
  {
    name: 'should enforce policy to allow traffic from pods within server namespace based on PodSelector',
    steps: [
      { apply: [toA([{ podSelector: pod('b') }])], forbidden: ['* > x/a'], but: ['x/b > x/a'] },
    ],
  },
  {
    name: 'should enforce policy to allow ingress traffic for a target',
    steps: [
      {
        apply: [
          one({ podSelector: everyPod, policyTypes: ['Ingress'] }, 'x', 'deny-all'),
          toA([{ podSelector: everyPod, namespaceSelector: {} }]),
        ],
        forbidden: ['* > x/b', '* > x/c'],
      },
    ],
  },
  {
    name: 'should enforce policy to allow traffic only from a different namespace, based on NamespaceSelector',
    steps: [
      { apply: [toA([{ namespaceSelector: namespace('y') }])], forbidden: fromOtherNamespaces },
    ],
  },
  {
    name: 'should enforce policy based on PodSelector or NamespaceSelector',
    steps: [
      {
        apply: [toA([{ namespaceSelector: notIn('x') }, { podSelector: pod('b') }])],
        forbidden: ['x/c > x/a'],
      },
    ],
  },
  {
    name: 'should enforce policy based on PodSelector and NamespaceSelector',
    steps: [
      {
        apply: [toA([{ namespaceSelector: notIn('x'), podSelector: pod('b') }])],
        forbidden: ['* > x/a'],
        but: ['y/b > x/a', 'z/b > x/a'],
      },
    ],
  },
  {
    name: 'should enforce policy to allow traffic only from a pod in a different namespace based on PodSelector and NamespaceSelector',
    steps: [
      {
        apply: [toA([{ namespaceSelector: namespace('y'), podSelector: pod('a') }])],
        forbidden: ['* > x/a'],
        but: ['y/a > x/a'],
      },
    ],
  },
];

const fromY = [{ namespaceSelector: namespace('y') }];

const portCases: PolicyCase[] = [
  {
    name: 'should enforce multiple, stacked policies with overlapping podSelectors',
    steps: [
      { apply: [toA(fromY, [tcp(81)])], at: at81, forbidden: fromOtherNamespaces },
      { forbidden: ['* > x/a'] },
      { apply: [toA(fromY, [tcp(80)], 'another')], forbidden: fromOtherNamespaces },
    ],
  },
  {
    name: 'should allow ingress access on one named port',
    steps: [
      { apply: [ingressOfAll({ ports: [{ port: 'serve-81-tcp' }] })], at: at81, forbidden: [] },
      { forbidden: ['* > x/*'] },
    ],
  },
  {
    name: 'should allow ingress access from namespace on one named port',
    steps: [
      { apply: [toA(fromY, [tcp('serve-80-tcp')])], forbidden: fromOtherNamespaces },
      { at: at81, forbidden: ['* > x/a'] },
    ],
  },
  {
    name: 'should allow egress access on one named port',
    steps: [
      {
        apply: [
          one({
            podSelector: everyPod,
            policyTypes: ['Egress'],
            egress: [{ ports: [{ port: 'serve-80-tcp' }] }],
          }),
        ],
        forbidden: [],
      },
      { at: at81, forbidden: ['x/* > *'] },
    ],
  },
  {
    name: 'should enforce ingress policy allowing any port traffic to a server on a specific protocol',
    steps: [
      { apply: [toA(undefined, [{ protocol: 'TCP' }])], forbidden: [] },
      { at: { port: 80, network: 'udp' }, forbidden: ['* > x/a'] },
    ],
  },
  {
    name: "should not mistakenly treat 'protocol: SCTP' as 'protocol: TCP', even if the plugin doesn't support SCTP",
    steps: [
      {
        apply: [toA(undefined, [{ protocol: 'SCTP', port: 81 }])],
        at: at81,
        forbidden: ['* > x/a'],
      },
    ],
  },
];

const changeCases: PolicyCase[] = [
  {
    name: 'should enforce updated policy',
    steps: [
      { apply: [ingressOfAll({})], at: at81, forbidden: [] },
      { apply: [ingressOfAll()], at: at81, forbidden: ['* > x/*'] },
    ],
  },
  {
    name: 'should allow ingress access from updated namespace',
    steps: [
      {
        apply: [toA([{ namespaceSelector: { matchLabels: { ns2: 'updated' } } }])],
        forbidden: ['* > x/a'],
      },
      { label: ['namespace', 'y', 'ns2=updated'], forbidden: ['* > x/a'], but: ['y/* > x/a'] },
      { label: ['namespace', 'y', 'ns2-'], forbidden: ['* > x/a'] },
    ],
  },
  {
    name: 'should deny ingress access to updated pod',
    steps: [
      {
        apply: [
          one({ podSelector: { matchLabels: { target: 'isolated' } }, policyTypes: ['Ingress'] }),
        ],
        forbidden: [],
      },
      { label: ['-n', 'x', 'pod', 'a', 'target=isolated'], forbidden: ['* > x/a'] },
      { label: ['-n', 'x', 'pod', 'a', 'target-'], forbidden: [] },
    ],
  },
  {
    name: 'should stop enforcing policies after they are deleted',
    steps: [
      {
        apply: [one({ podSelector: everyPod, policyTypes: ['Ingress', 'Egress'] })],
        forbidden: ['* > x/*', 'x/* > *'],
      },
      { deleteAll: true, forbidden: [] },
    ],
  },
];

const egressCases: PolicyCase[] = [
  {
    name: 'should deny egress from pods based on PodSelector',
    steps: [
      {
        apply: [one({ podSelector: pod('a'), policyTypes: ['Egress'] })],
        forbidden: ['x/a > *'],
      },
    ],
  },
  {
    name: 'should work with Ingress, Egress specified together',
    steps: [
      {
        apply: [
          one({
            podSelector: pod('a'),
            policyTypes: ['Ingress', 'Egress'],
            ingress: [{ from: [{ podSelector: pod('b') }] }],
            egress: [{ ports: [{ port: 80 }] }],
          }),
        ],
        forbidden: ['* > x/a'],
        but: ['x/b > x/a'],
      },
      { at: at81, forbidden: ['* > x/a', 'x/a > *'], but: ['x/b > x/a'] },
    ],
  },
  {
    name: 'should support denying of egress traffic on the client side (even if the server explicitly allows this traffic)',
    steps: [
      {
        apply: [
          fromA([{ namespaceSelector: namespace('y'), podSelector: pod('a') }]),
          one(
            {
              podSelector: pods('a', 'b'),
              policyTypes: ['Ingress'],
              ingress: [{ from: [{ namespaceSelector: namespace('x'), podSelector: pod('a') }] }],
            },
            'y',
          ),
        ],
        forbidden: ['x/a > *', '* > y/a', '* > y/b'],
        but: ['x/a > y/a'],
      },
    ],
  },
];
