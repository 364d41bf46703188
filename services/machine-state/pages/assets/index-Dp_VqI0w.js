import {
  c as _,
  r as A,
  I as a,
  g as b,
  j as C,
  N as c,
  n as D,
  R as d,
  m as E,
  A as e,
  s as ee,
  x as F,
  S as f,
  b as g,
  a as h,
  y as I,
  F as i,
  t as j,
  p as k,
  z as L,
  O as l,
  u as M,
  _ as m,
  v as N,
  D as n,
  o as O,
  L as o,
  w as P,
  T as p,
  E as r,
  i as S,
  M as s,
  l as T,
  C as t,
  P as u,
  d as v,
  k as w,
  h as x,
  f as y,
} from './table-C8XzpQI-.js';

function te(e, t) {
  return e.devices.flatMap(({ name: n, repairSteps: r = [] }) =>
    r.map((r) => ({ device: n, step: r, effect: ne(r, n, e, t) })),
  );
}
function ne(e, t, n, r) {
  const i = n.devices.map(({ name: e }) => e).filter((e) => e !== t);
  switch (e) {
    case `adb-reconnect`:
      return `The adb server connects to ${t} again. Nothing else is touched.`;
    case `adb-restart`:
      return `The adb server of the machine restarts: ${[t, ...i].join(`, `)} disconnect for some seconds.`;
    case `device-reboot`:
      return `${t} reboots.`;
    case `usb-cycle`:
      return `The USB port of ${t} loses power for some seconds.`;
    case `power-cycle`: {
      const e = re([`${n.name}-${t}`], r),
        i = `The power-cycle daemon turns off what feeds ${t}, and on again.`;
      return e.length > 0 ? `${i} Also loses power: ${e.join(`, `)}.` : i;
    }
    default:
      return `The agent carries out ${e} with ${t}.`;
  }
}
function re(e, t) {
  const n = (t?.elements ?? [])
    .flatMap(({ ports: e }) => e.map(({ powers: e }) => e))
    .filter((t) => t.some((t) => e.includes(t)));
  return [...new Set(n.flat())].filter((t) => !e.includes(t));
}
function ie(e) {
  return (t, { reason: n, until: r, count: i, key: a }) =>
    f(`machine-state`, `order`, {
      ...R(a),
      body: { machines: t, kind: e, reason: n, ...(r && { until: r }), ...(i && { count: i }) },
    });
}
function R(e) {
  return { headers: { 'idempotency-key': e } };
}
function ae(e) {
  return async (t, { reason: n, key: r }) => {
    const i = (await Promise.allSettled(t.map((t) => e(t, n, `${r} ${t}`)))).flatMap((e, n) =>
      e.status === `rejected` ? [`${t[n]}: ${e.reason.message}`] : [],
    );
    if (i.length > 0)
      throw Error(
        i.join(`
`),
      );
  };
}
var z = {
  note: {
    title: `Add a note`,
    short: `Note`,
    key: `n`,
    effect: `The note is dated and signed, and stays in the history.`,
    run: (e, { reason: t, key: n }) =>
      f(`machine-state`, `addNote`, { ...R(n), body: { machines: e, text: t } }),
  },
  maintenance: {
    title: `Maintenance`,
    short: `Maintenance`,
    key: `m`,
    effect: `A running task ends as usual, and no other begins. Alerts of the machine are silent.`,
    hasUntil: !0,
    run: ie(`maintenance`),
  },
  quarantine: {
    title: `Quarantine`,
    short: `Quarantine`,
    key: `q`,
    effect: `A running task ends as usual, and no other begins. Alerts stay: something has to be done.`,
    hasUntil: !0,
    run: ie(`quarantine`),
  },
  clear: {
    title: `Clear`,
    short: `Clear`,
    key: `c`,
    effect: `Ends a quarantine that the agent has, and begins repairs of its devices anew.`,
    run: ae((e, t) => f(`machine-state`, `clear`, { params: { name: e }, body: { reason: t } })),
  },
  cycle: {
    title: `Power cycle`,
    short: `Power cycle`,
    key: `p`,
    effect: `Turns the outlets off, and on again. It does not begin while a task runs.`,
    isDangerous: !0,
    run: (e, { reason: t, force: n, key: r }) =>
      f(`power-cycle-daemon`, `requestCycles`, {
        ...R(r),
        body: { machines: e, reason: t, force: n },
      }),
  },
  repair: {
    title: `Repair step`,
    short: `Repair step`,
    key: `s`,
    effect: `The agent carries out one step, also with a phone that works. It refuses while a task runs; a task that begins ends the step.`,
    isDangerous: !0,
    choices: te,
    run: async ([e = ``], { reason: t, choice: n, key: r }) => {
      if (!n) return;
      const { device: i, step: a } = n,
        o = { device: i, step: a, reason: t };
      await f(`machine-state`, `repair`, { ...R(r), params: { name: e }, body: o });
    },
  },
  reboot: {
    title: `Reboot`,
    short: `Reboot`,
    key: `b`,
    effect: `The agent reboots the machine. It refuses while a task runs.`,
    isDangerous: !0,
    run: ae((e, t, n) =>
      f(`machine-state`, `reboot`, { ...R(n), params: { name: e }, body: { reason: t } }),
    ),
  },
  hold: {
    title: `Hold power`,
    short: `Hold`,
    key: `h`,
    effect: `Nobody cycles the power of the machine, the automatic repair neither.`,
    hasUntil: !0,
    run: (e, { reason: t, until: n }) =>
      f(`power-cycle-daemon`, `hold`, { body: { targets: e, reason: t, ...(n && { until: n }) } }),
  },
};
function oe(e, t) {
  const n = e.map(({ name: e }) => e),
    r = (e) => n.some((t) => e.startsWith(`${t}-`));
  return re(n, t).filter((e) => !r(e));
}
function se(e, t) {
  return e > t / 10;
}
var ce = [`ok`, `recovering`, `maintenance`, `quarantined`, `stale`, `gone`, `never-reported`],
  le = {
    ok: `ok`,
    recovering: `recovering`,
    maintenance: `maintenance`,
    quarantined: `quarantined`,
    stale: `stale`,
    gone: `gone`,
    'never-reported': `never seen`,
  },
  ue = {
    ok: `M2.5 6.5 5 9l4.5-6`,
    recovering: `M9.8 4.2A4.2 4.2 0 1 0 10.2 7M10 1.8v2.6H7.4`,
    maintenance: `M10 3.2 8.2 5 7 3.8 8.8 2A2.6 2.6 0 0 0 5.4 5.4L2 8.8 3.2 10l3.4-3.4A2.6 2.6 0 0 0 10 3.2Z`,
    quarantined: `M3.9 1.5h4.2l2.4 2.4v4.2l-2.4 2.4H3.9L1.5 8.1V3.9ZM3.8 6h4.4`,
    stale: `M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM6 3.5V6l1.8 1.2`,
    gone: `M2.5 2.5l7 7M9.5 2.5l-7 7`,
    'never-reported': `M4 4.4a2 2 0 1 1 2.6 2c-.4.2-.6.5-.6 1M6 9.6v.1`,
  };
function de(e) {
  return le[e];
}
function fe({ condition: e }) {
  return g(`svg`, {
    class: `icon c-${e}`,
    viewBox: `0 0 12 12`,
    'aria-hidden': `true`,
    children: g(`path`, { d: ue[e] }),
  });
}
function B({ condition: e }) {
  return g(`span`, { class: `condition c-${e}`, children: [g(fe, { condition: e }), le[e]] });
}
function V({ title: e, onClose: t, children: n }) {
  const r = u(null),
    i = c();
  return (
    s(() => {
      const e = document.activeElement;
      return (
        r.current?.showModal(),
        r.current?.querySelector(`textarea, input:not([type=checkbox])`)?.focus(),
        () => {
          (e instanceof HTMLElement || e instanceof SVGElement) && e.focus();
        }
      );
    }, []),
    g(`dialog`, {
      ref: r,
      'aria-labelledby': i,
      onClose: t,
      children: [
        g(`header`, {
          children: [
            g(`h2`, { id: i, children: e }),
            g(`button`, {
              type: `button`,
              class: `quiet`,
              'aria-label': `Close`,
              onClick: () => r.current?.close(),
              children: `✕`,
            }),
          ],
        }),
        n,
      ],
    })
  );
}
function pe({ force: e, onChange: t }) {
  return g(`label`, {
    class: `check`,
    children: [
      g(`input`, {
        type: `checkbox`,
        checked: e,
        onChange: ({ currentTarget: e }) => t(e.checked),
      }),
      `Force: also end a running task, and cut the others`,
    ],
  });
}
function me() {
  const t = e((e) => e.session);
  return n(t)
    ? null
    : g(`p`, {
        class: `failure`,
        children: [
          `This needs the role operate. You are `,
          t?.name ?? `nobody`,
          `, with the role`,
          ` `,
          t?.role ?? `none`,
          `.`,
        ],
      });
}
function he({ problem: e }) {
  const t = e instanceof F ? e.problem.refused : void 0,
    n = Array.isArray(t)
      ? t.map((e) => `${e?.target}: ${e?.detail}`)
      : [e instanceof Error ? e.message : String(e)];
  return g(`ul`, {
    class: `failure`,
    role: `alert`,
    children: [
      n.slice(0, 20).map((e) => g(`li`, { children: e }, e)),
      n.length > 20 && g(`li`, { children: [`and `, n.length - 20, ` more`] }),
    ],
  });
}
var H = 36e5,
  ge = [
    [`1 hour`, H],
    [`4 hours`, 4 * H],
    [`1 day`, 24 * H],
    [`1 week`, 168 * H],
    [`until somebody ends it`, 0],
  ];
function _e({ action: t, machines: r, onClose: a }) {
  const s = z[t],
    c = e((e) => e.rack),
    l = e(({ session: e }) => n(e)),
    d = e((e) => e.machines.size),
    [f, p] = i(``),
    [m, h] = i(4 * H),
    [_, v] = i(``),
    [y, b] = i(!1),
    [x, S] = i(0),
    [C, w] = i(`asking`),
    [T, E] = i(),
    D = r.map((e) => e.name),
    O = se(D.length, d) && D.length > 1,
    k = r.filter(({ task: e }) => e).length,
    A = t === `cycle` ? oe(r, c) : [],
    ee = T instanceof F && T.status === 409 && t === `cycle`,
    [j] = D,
    [M] = r,
    N = M && s.choices?.(M, c),
    P = N?.[x],
    I = u({ content: ``, key: ``, at: 0 });
  async function L(e) {
    e.preventDefault(), w(`sent`), E(void 0);
    const t = JSON.stringify([f, m, y, P]);
    I.current.content !== t && (I.current = { content: t, key: ve(), at: Date.now() });
    const { key: n, at: r } = I.current,
      i = s.hasUntil && m > 0 ? new Date(r + m).toISOString() : void 0;
    try {
      const e = O ? D.length : void 0;
      await s.run(D, {
        reason: f.trim(),
        force: y,
        key: n,
        ...(i && { until: i }),
        ...(e && { count: e }),
        ...(P && { choice: P }),
      }),
        w(`done`);
    } catch (e) {
      E(e), w(`asking`);
    }
  }
  const te = `${s.title}: ${D.length === 1 ? j : `${D.length} machines`}`;
  return C === `done`
    ? g(V, {
        title: te,
        onClose: a,
        children: [
          g(`p`, {
            role: `status`,
            children: `Done. The page shows the effect as soon as it is there.`,
          }),
          g(`button`, { type: `button`, class: `primary`, ref: ye, onClick: a, children: `Close` }),
        ],
      })
    : g(V, {
        title: te,
        onClose: a,
        children: g(`form`, {
          class: `action`,
          onSubmit: L,
          children: [
            g(`p`, { children: s.effect }),
            k > 0 &&
              t !== `note` &&
              g(`p`, {
                class: `warning`,
                children:
                  k === 1 && D.length === 1 ? `A task runs on it.` : `A task runs on ${k} of them.`,
              }),
            A.length > 0 &&
              g(`p`, { class: `warning`, children: [`Also loses power: `, A.join(`, `), `.`] }),
            D.length > 1 &&
              g(`ul`, {
                class: `names`,
                'aria-label': `Machines`,
                children: r.map((e) =>
                  g(`li`, { children: [e.name, ` `, g(B, { condition: e.condition })] }, e.name),
                ),
              }),
            N &&
              g(o, {
                children: [
                  g(`label`, {
                    children: [
                      `Step`,
                      g(`select`, {
                        value: String(x),
                        onChange: ({ currentTarget: e }) => S(Number(e.value)),
                        children: N.map(({ device: e, step: t }, n) =>
                          g(`option`, { value: String(n), children: [t, ` of `, e] }, `${e} ${t}`),
                        ),
                      }),
                    ],
                  }),
                  g(`p`, {
                    class: `warning`,
                    role: `status`,
                    children: P?.effect ?? `The agent of this machine names no step.`,
                  }),
                ],
              }),
            g(`label`, {
              children: [
                t === `note` ? `Note` : `Reason`,
                g(`textarea`, {
                  required: !0,
                  maxLength: t === `note` ? 4e3 : 1e3,
                  rows: 2,
                  value: f,
                  onInput: ({ currentTarget: e }) => p(e.value),
                }),
              ],
            }),
            s.hasUntil &&
              g(`label`, {
                children: [
                  `For`,
                  g(`select`, {
                    value: String(m),
                    onChange: ({ currentTarget: e }) => h(Number(e.value)),
                    children: ge.map(([e, t]) => g(`option`, { value: String(t), children: e }, t)),
                  }),
                ],
              }),
            O &&
              g(`label`, {
                children: [
                  `These are more than 10 % of the rack. Type their number, `,
                  D.length,
                  g(`input`, {
                    inputMode: `numeric`,
                    required: !0,
                    pattern: String(D.length),
                    value: _,
                    onInput: ({ currentTarget: e }) => v(e.value),
                  }),
                ],
              }),
            T !== void 0 && g(he, { problem: T }),
            ee && g(pe, { force: y, onChange: b }),
            g(me, {}),
            g(`footer`, {
              children: [
                g(`button`, {
                  type: `submit`,
                  class: s.isDangerous ? `danger` : `primary`,
                  disabled:
                    C === `sent` ||
                    !l ||
                    (O && _ !== String(D.length)) ||
                    (N !== void 0 && P === void 0),
                  children: C === `sent` ? `Sent …` : s.title,
                }),
                g(`button`, { type: `button`, onClick: a, children: `Cancel` }),
              ],
            }),
          ],
        }),
      });
}
function ve() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((e) => e.toString(36)).join(``);
}
function ye(e) {
  e?.focus();
}
var U;
function W(e, t) {
  const { machines: n } = r(),
    i = [...t].flatMap((e) => n.get(e) ?? []),
    a = z[e].choices ? 1 : n.size;
  i.length > 0 && i.length <= a && U?.({ action: e, machines: i });
}
function be() {
  const [e, t] = i();
  return (
    C(
      () => (
        (U = t),
        () => {
          U = void 0;
        }
      ),
      [],
    ),
    e ? g(_e, { ...e, onClose: () => t(void 0) }) : null
  );
}
var xe = 12;
function Se(e, t, n) {
  const r = e.trim().toLowerCase();
  if (r === ``) return [];
  const i = [];
  function a(e, t, n, a) {
    const o = [t, ...a].find((e) => e?.toLowerCase().includes(r));
    if (o === void 0) return;
    const s = o.toLowerCase() === r ? 0 : o === t ? 1 : 2;
    i.push({ rank: s, found: { kind: e, text: t, href: n, ...(o !== t && { by: o }) } });
  }
  for (const e of t) {
    const { devices: t, wiring: n } = e;
    a(`machine`, e.name, m(`machine`, [e.name]), [
      e.label,
      e.address,
      e.mac,
      ...t.map(({ serial: e }) => e),
      n.uplink,
      ...n.power,
      e.task?.id,
    ]);
  }
  for (const { name: e, model: t, address: r, ports: i } of n?.elements ?? []) {
    a(t, e, m(`rack`, [], { port: e }), [r]);
    for (const { port: t, powers: n, connects: r } of i) {
      if (n.length + r.length === 0) continue;
      const i = `${e}/${t}`;
      a(`port`, i, m(`rack`, [], { port: i }), []);
    }
  }
  for (const { name: e } of n?.services ?? []) a(`service`, e, m(`services`), []);
  return i
    .sort((e, t) => e.rank - t.rank)
    .slice(0, xe)
    .map(({ found: e }) => e);
}
function Ce() {
  const t = e((e) => e.machines),
    n = e((e) => e.rack),
    [r, o] = i(``),
    [s, c] = i(0),
    l = a(() => {
      const e = Se(r, t.values(), n),
        i = {
          kind: `filter`,
          text: `Machines with “${r.trim()}”`,
          href: m(`rack`, [], { text: r.trim() }),
        };
      return r.trim() === `` ? [] : [...e, i];
    }, [r, t, n]);
  function u(e) {
    e && (o(``), b(e.href), document.getElementById(`main`)?.focus());
  }
  function d(e) {
    const t = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (t) c((s + t + l.length) % Math.max(1, l.length));
    else if (e.key === `Enter`) u(l[s]);
    else if (e.key === `Escape`) o(``), document.getElementById(`main`)?.focus();
    else return;
    e.preventDefault();
  }
  return g(`search`, {
    class: `search`,
    children: [
      g(`input`, {
        id: `search`,
        type: `text`,
        role: `combobox`,
        'aria-label': `Search names, addresses, MACs, serials, ports`,
        'aria-expanded': l.length > 0,
        'aria-controls': `found`,
        'aria-autocomplete': `list`,
        ...(l.length > 0 && { 'aria-activedescendant': `found-${s}` }),
        autocomplete: `off`,
        spellcheck: !1,
        placeholder: `Search  /`,
        value: r,
        onInput: ({ currentTarget: e }) => {
          o(e.value), c(0);
        },
        onKeyDown: d,
        onBlur: () => setTimeout(() => o(``), 200),
      }),
      g(`div`, {
        id: `found`,
        role: `listbox`,
        'aria-label': `Results`,
        hidden: l.length === 0,
        children: l.map((e, t) =>
          g(
            `div`,
            {
              id: `found-${t}`,
              role: `option`,
              'aria-selected': t === s,
              onMouseDown: (e) => e.preventDefault(),
              onClick: () => u(e),
              children: [
                g(`span`, { children: e.text }),
                e.by && g(`span`, { class: `by`, children: e.by }),
                g(`span`, { class: `muted`, children: e.kind }),
              ],
            },
            e.href,
          ),
        ),
      }),
    ],
  });
}
function we() {
  const t = e((e) => e.connection),
    n = e((e) => e.lostAt),
    r = e((e) => e.why),
    i = x();
  return g(`div`, {
    role: `status`,
    'aria-live': `polite`,
    children:
      t === `lost` &&
      g(`p`, {
        class: `banner`,
        children: [
          `Not connected`,
          n && i - n > 5e3 ? ` for ${E(i - n)}` : ``,
          `: `,
          r,
          `. The page shows the state of before, and connects again by itself.`,
        ],
      }),
  });
}
var Te = new Map();
function Ee() {
  return [...Te];
}
function G(e, t) {
  s(() => {
    Te.set(e, t);
    const n = (e) => {
      if (
        e.ctrlKey ||
        e.metaKey ||
        e.altKey ||
        e.defaultPrevented ||
        je(e.target) ||
        document.querySelector(`dialog[open]`)
      )
        return;
      const n = t.find(({ key: t }) => t === e.key);
      !n || (Ae(e.key) && !Oe()) || (e.preventDefault(), n.run(e));
    };
    return (
      addEventListener(`keydown`, n),
      () => {
        removeEventListener(`keydown`, n), Te.delete(e);
      }
    );
  });
}
var De = `skolo-character-keys`;
function Oe() {
  return localStorage.getItem(De) !== `off`;
}
function ke(e) {
  localStorage.setItem(De, e ? `on` : `off`);
}
function Ae(e) {
  return e.length === 1 && e !== ` `;
}
function je(e) {
  return (
    e instanceof HTMLInputElement ||
    e instanceof HTMLTextAreaElement ||
    e instanceof HTMLSelectElement
  );
}
function Me({ onClose: e }) {
  return g(V, {
    title: `Keys`,
    onClose: e,
    children: [
      g(`label`, {
        children: [
          g(`input`, {
            type: `checkbox`,
            defaultChecked: Oe(),
            onChange: ({ currentTarget: e }) => ke(e.checked),
          }),
          ` `,
          `Single characters act as keys`,
        ],
      }),
      Ee().map(([e, t]) =>
        g(
          `section`,
          {
            children: [
              g(`h3`, { children: e }),
              g(`dl`, {
                class: `keys`,
                children: t.map(({ key: e, what: t }) =>
                  g(
                    `div`,
                    {
                      children: [
                        g(`dt`, { children: g(`kbd`, { children: e === ` ` ? `Space` : e }) }),
                        g(`dd`, { children: t }),
                      ],
                    },
                    e,
                  ),
                ),
              }),
            ],
          },
          e,
        ),
      ),
    ],
  });
}
async function* Ne(e) {
  let t = ``,
    n,
    r = [];
  for await (const i of Pe(e)) {
    if (i === ``) {
      r.length > 0 &&
        (yield {
          name: t || `message`,
          data: r.join(`
`),
          ...(n !== void 0 && { id: n }),
        }),
        (t = ``),
        (r = []);
      continue;
    }
    const [, e, a = ``] = /^([^:]*)(?:: ?(.*))?$/s.exec(i) ?? [];
    e === `event` && (t = a), e === `data` && r.push(a), e === `id` && (n = a);
  }
}
async function* Pe(e) {
  let t = new TextDecoder(),
    n = ``,
    r = ``;
  for await (const i of e) {
    const e = r + t.decode(i, { stream: !0 });
    r = e.endsWith(`\r`) ? `\r` : ``;
    const [a = ``, ...o] = e.slice(0, e.length - r.length).split(/\r\n|\n|\r/),
      s = o.pop();
    s === void 0 ? (n += a) : (yield n + a, yield* o, (n = s));
  }
}
var Fe = 500,
  Ie = 1e4,
  Le = 45e3,
  Re = 1e4;
function ze(e, n, { onOpen: r, onEvent: i, onLost: a = () => !0 }, o = {}) {
  let s = new AbortController(),
    c,
    l = Fe;
  async function u() {
    const a = new AbortController(),
      u = AbortSignal.any([s.signal, a.signal, He()]),
      d = { accept: `text/event-stream`, ...(c !== void 0 && { 'last-event-id': c }) },
      f = await t(e, n, { ...o, headers: d, signal: u }, !0);
    r?.(), (l = Fe);
    for await (const e of Ne(Ve(f, a))) (c = e.id ?? c), i(e.name, JSON.parse(P(e.data)));
  }
  async function d() {
    for (; !s.signal.aborted; ) {
      await Ue();
      let e;
      try {
        await u();
      } catch (t) {
        e = t;
      }
      if (s.signal.aborted || !a(e)) return;
      await We(l, s.signal), (l = Math.min(Ie, l * 2));
    }
  }
  return d(), () => s.abort();
}
function Be() {
  return ze(`machine-state`, `changes`, {
    onOpen: () => w({ connection: `live` }),
    onEvent(e, t) {
      e === `all`
        ? p({ all: t })
        : e === `machine`
          ? p({ machine: t })
          : e === `removed`
            ? p({ removed: t.name })
            : e === `rack` && p({ rack: t });
    },
    onLost(e) {
      const t = e instanceof F && e.status === 401;
      t && w({ session: null });
      const { connection: n, lostAt: i = Date.now() } = r();
      return (
        w({
          connection: `lost`,
          lostAt: n === `live` ? Date.now() : i,
          why: e instanceof F ? e.message : `the connection was closed`,
        }),
        !t
      );
    },
  });
}
async function* Ve(e, t) {
  let n = e.body?.getReader(),
    r;
  try {
    for (; n; ) {
      clearTimeout(r), (r = window.setTimeout(() => t.abort(), Le));
      const { done: e, value: i } = await n.read();
      if (e) return;
      yield i;
    }
  } finally {
    clearTimeout(r);
  }
}
function He() {
  let e = new AbortController(),
    t;
  return (
    document.addEventListener(
      `visibilitychange`,
      () => {
        clearTimeout(t), document.hidden && (t = window.setTimeout(() => e.abort(), Re));
      },
      { signal: e.signal },
    ),
    e.signal
  );
}
function Ue() {
  return new Promise((e) => {
    if (!document.hidden) return e();
    const t = () => {
      document.removeEventListener(`visibilitychange`, t), e();
    };
    document.addEventListener(`visibilitychange`, t);
  });
}
function We(e, t) {
  return new Promise((n) => {
    const r = setTimeout(n, e);
    t.addEventListener(`abort`, () => {
      clearTimeout(r), n();
    });
  });
}
var Ge = 3e3;
function Ke() {
  let e = N(location.hash).view === `sign-in`,
    t,
    n = !1;
  function i() {
    const { session: i, connection: a } = r();
    (e ? i : i !== null) ? (t ??= Be()) : (t?.(), (t = void 0));
    const o = a === `lost`;
    n && !o && qe(), (n = o);
  }
  i(), l(i), qe();
}
async function qe() {
  const { view: e, query: t } = N(location.hash),
    n = t.get(`code`);
  if (e === `sign-in` && n) {
    b(m(`rack`), !0);
    try {
      await Je({ code: n });
      return;
    } catch (e) {
      w({ session: null, why: e instanceof Error ? e.message : String(e) });
      return;
    }
  }
  try {
    Ze(await f(`machine-state`, `session`));
  } catch (e) {
    e instanceof F && e.status === 401 ? w({ session: null }) : setTimeout(() => void qe(), Ge);
  }
}
async function Je(e) {
  Ze(await f(`machine-state`, `signIn`, { body: e }));
}
async function Ye() {
  await f(`machine-state`, `signOut`), location.reload();
}
var Xe;
function Ze(e) {
  Xe ??= e.version;
  const t = document.querySelector(`dialog[open]`) !== null;
  e.version !== Xe && !t && location.reload(), w({ session: e });
}
function Qe() {
  const t = e(({ why: e }) => e),
    [n, r] = i(``),
    [a, o] = i(),
    [s, c] = i(!1);
  async function l(e) {
    e.preventDefault(), c(!0);
    try {
      await Je({ token: n.trim() });
    } catch (e) {
      o(e instanceof Error ? e.message : String(e)), c(!1);
    }
  }
  const u = a ?? t;
  return g(`main`, {
    class: `sign-in`,
    children: g(`form`, {
      onSubmit: l,
      children: [
        g(`h1`, { children: `Sign in` }),
        g(`label`, {
          children: [
            `Token of this rack`,
            g(`input`, {
              type: `password`,
              autocomplete: `current-password`,
              value: n,
              required: !0,
              onInput: ({ currentTarget: e }) => r(e.value),
            }),
          ],
        }),
        u && g(`p`, { class: `failure`, role: `alert`, children: u }),
        g(`button`, { type: `submit`, class: `primary`, disabled: s, children: `Sign in` }),
        g(`p`, {
          class: `muted`,
          children: [
            g(`code`, { children: `skolo console` }),
            ` opens this page signed in. `,
            g(`code`, { children: `skolo token new NAME` }),
            ` `,
            `makes a token.`,
          ],
        }),
      ],
    }),
  });
}
function K({ label: e, text: t = ``, onText: n, id: r }) {
  return g(`input`, {
    ...(r && { id: r }),
    type: `search`,
    'aria-label': e,
    placeholder: e,
    value: t,
    onInput: ({ currentTarget: e }) => n(e.value),
  });
}
var $e = 5e3;
function et({ route: e }) {
  const t = O(
      async (e) => {
        const [{ alerts: t }, n, { deadLetters: r }] = await Promise.all([
          f(`alert-to-pubsub`, `alerts`, { signal: e }),
          f(`alert-to-pubsub`, `status`, { signal: e }),
          f(`alert-to-pubsub`, `deadLetters`, { signal: e }),
        ]);
        return { alerts: t, status: n, deadLetters: r };
      },
      `alerts`,
      $e,
    ),
    n = e.query.get(`text`) ?? ``;
  return g(o, {
    children: [
      g(`h1`, { children: `Alerts` }),
      g(A, {
        of: t,
        children: ({ alerts: e, status: r, deadLetters: i }) =>
          g(o, {
            children: [
              g(`p`, {
                class: `card ${r.healthy ? `` : `bad`}`,
                children: r.healthy
                  ? `Alerts get through.`
                  : `Alerts may not get through: ${r.why}`,
              }),
              g(tt, { alerts: e, text: n }),
              g(`h2`, { children: `Delivery` }),
              r.receivers.length === 0 &&
                g(`p`, { class: `muted`, children: `No alert was received yet.` }),
              r.receivers.length > 0 &&
                g(j, {
                  caption: `Receivers`,
                  head: [`Received from`, `State`, `Last`],
                  children: r.receivers.map(
                    ({ name: e, isExpected: t, isSilent: n, lastHeard: r }) =>
                      g(
                        `tr`,
                        {
                          children: [
                            g(`th`, { scope: `row`, children: e }),
                            g(`td`, {
                              children: n ? (t ? `silent` : `silent, and not expected`) : `heard`,
                            }),
                            g(`td`, { children: g(T, { time: r, suffix: ` ago` }) }),
                          ],
                        },
                        e,
                      ),
                  ),
                }),
              g(j, {
                caption: `Sinks`,
                head: [`Sent to`, `Queue`, `Last success`, ``],
                children: r.sinks.map(
                  ({ name: e, kind: t, depth: n, lastSuccess: r, failingSince: i, detail: a }) =>
                    g(
                      `tr`,
                      {
                        children: [
                          g(`th`, {
                            scope: `row`,
                            children: [e, ` `, g(`span`, { class: `muted`, children: t })],
                          }),
                          g(`td`, { class: `number`, children: n }),
                          g(`td`, { children: g(T, { time: r, suffix: ` ago` }) }),
                          g(`td`, {
                            children:
                              i &&
                              g(`span`, {
                                class: `failure`,
                                children: [`failing for `, g(T, { time: i }), `: `, a],
                              }),
                          }),
                        ],
                      },
                      e,
                    ),
                ),
              }),
              i.length > 0 &&
                g(o, {
                  children: [
                    g(`h2`, { children: [`Dead letters `, g(nt, { onDone: t.reload })] }),
                    g(j, {
                      caption: `Dead letters`,
                      head: [`From`, `Why`, `Age`],
                      children: i.map(({ at: e, from: t, why: n }) =>
                        g(
                          `tr`,
                          {
                            children: [
                              g(`th`, { scope: `row`, children: t }),
                              g(`td`, { children: n }),
                              g(`td`, { children: g(T, { time: e }) }),
                            ],
                          },
                          `${e} ${n}`,
                        ),
                      ),
                    }),
                  ],
                }),
            ],
          }),
      }),
    ],
  });
}
function tt({ alerts: e, text: t }) {
  const n = t.toLowerCase(),
    r = e.filter(({ status: e }) => e === `firing`),
    i = r.filter((e) => JSON.stringify(e).toLowerCase().includes(n));
  return g(o, {
    children: [
      g(`h2`, {
        children: [
          r.length,
          ` firing`,
          g(K, {
            label: `Words in any label`,
            text: t,
            onText: (e) => b(m(`alerts`, [], { text: e }), !0),
          }),
        ],
      }),
      i.length > 0 &&
        g(j, {
          caption: `Firing alerts`,
          head: [`Alert`, `Summary`, `Labels`, `For`],
          children: i.map(({ fingerprint: e, labels: t, annotations: n, startsAt: r }) =>
            g(
              `tr`,
              {
                children: [
                  g(`th`, {
                    scope: `row`,
                    children: [t.alertname, ` `, g(`span`, { class: `tag`, children: t.severity })],
                  }),
                  g(`td`, { children: n.summary ?? n.description }),
                  g(`td`, {
                    class: `labels`,
                    children: Object.entries(t)
                      .filter(([e]) => e !== `alertname` && e !== `severity`)
                      .map(([e, t]) => g(`span`, { children: [e, `=`, t, ` `] }, e)),
                  }),
                  g(`td`, { children: g(T, { time: r }) }),
                ],
              },
              e,
            ),
          ),
        }),
    ],
  });
}
function nt({ onDone: t }) {
  const r = e(({ session: e }) => n(e)),
    [i, a] = h(),
    s = () =>
      a(async () => {
        await f(`alert-to-pubsub`, `retryDeadLetters`, { body: {} }), t();
      });
  return r
    ? g(o, {
        children: [
          g(`button`, { type: `button`, onClick: () => void s(), children: `Send them again` }),
          i && g(D, { error: i }),
        ],
      })
    : null;
}
function q({ name: e, text: t = e }) {
  return g(`a`, { href: m(`machine`, [e]), children: t });
}
function J({ port: e }) {
  return g(`a`, { href: m(`rack`, [], { port: e }), children: e });
}
function rt(e) {
  const t = e.flatMap(({ older: e }) => e?.time ?? []).reduce(at, ``);
  return {
    changes: e
      .flatMap(({ service: e, entries: t }) => it(t).map((t) => ({ ...t, service: e })))
      .filter(({ time: e }) => e >= t)
      .sort((e, t) => (e.time === t.time ? 0 : e.time < t.time ? 1 : -1)),
    ...(t !== `` && { completeTo: t }),
  };
}
function it(e) {
  const t = new Set();
  return e.filter(({ requestId: e, who: n, what: r, target: i, outcome: a }) => {
    const o = e ?? JSON.stringify([n, r, i]);
    return a === `begun` ? !t.delete(o) : (t.add(o), !0);
  });
}
function at(e, t) {
  return e > t ? e : t;
}
var ot = 100,
  st = [
    `machine-state`,
    `power-cycle-daemon`,
    `router-backup`,
    `alert-to-pubsub`,
    `metadata-server`,
  ];
function ct({ service: e, who: t, text: n }) {
  const [r, a] = i([]),
    [o, s] = i(0),
    [c, l] = i(() => new AbortController());
  async function u(e, { signal: r }) {
    const i = { limit: ot, before: e.older?.before, who: t, text: n },
      a = await f(e.service, `audit`, { query: i, signal: r }).catch(S);
    if (r.aborted) return;
    const { error: o, ...s } = e;
    d(
      a instanceof Error
        ? { ...s, isAsked: !1, error: a }
        : {
            service: e.service,
            isAsked: !1,
            skipped: e.skipped + a.skipped,
            entries: [...e.entries, ...a.entries],
            ...(a.older && { older: a.older }),
          },
    );
  }
  function d(e) {
    a((t) => t.map((t) => (t.service === e.service ? e : t)));
  }
  C(() => {
    const t = new AbortController();
    l(t);
    const n = st
      .filter((t) => !e || t === e)
      .map((e) => ({ service: e, entries: [], skipped: 0, isAsked: !0 }));
    a(n);
    const r = setTimeout(() => {
      for (const e of n) u(e, t);
    }, 150);
    return () => {
      clearTimeout(r), t.abort();
    };
  }, [e, t, n, o]);
  const { changes: p, completeTo: m } = rt(r);
  return {
    changes: p,
    completeTo: m,
    isLoading: r.some(({ isAsked: e }) => e),
    failed: r.flatMap(({ service: e, error: t }) => (t ? [{ name: e, error: t }] : [])),
    skipped: r.reduce((e, t) => e + t.skipped, 0),
    reload: () => s((e) => e + 1),
    loadOlder() {
      for (const e of r) {
        if (e.isAsked || e.older === void 0 || e.older.time !== m) continue;
        const t = { ...e, isAsked: !0 };
        d(t), u(t, c);
      }
    },
  };
}
var lt = 4;
function ut({ route: t }) {
  const r = e(({ session: e }) => n(e));
  return g(o, {
    children: [
      g(`h1`, { children: `Audit` }),
      r ? g(dt, { filter: Object.fromEntries(t.query) }) : g(me, {}),
    ],
  });
}
function dt({ filter: e }) {
  const {
    changes: t,
    completeTo: n,
    isLoading: r,
    failed: i,
    skipped: a,
    reload: s,
    loadOlder: c,
  } = ct(e);
  return (
    G(`Audit`, [
      { key: `w`, what: `filters by person`, run: () => document.getElementById(`who`)?.focus() },
      { key: `f`, what: `filters by words`, run: () => document.getElementById(`words`)?.focus() },
      { key: `r`, what: `loads the newest`, run: s },
      { key: `o`, what: `loads older ones`, run: c },
    ]),
    g(o, {
      children: [
        g(ft, { filter: e, shown: t.length, isLoading: r, reload: s }),
        i.map(({ name: e, error: t }) =>
          g(D, { error: Error(`${e}: its entries are missing: ${t.message}`) }, e),
        ),
        a > 0 &&
          g(`p`, {
            class: `warning`,
            children: [a, ` damaged `, a === 1 ? `line` : `lines`, ` skipped.`],
          }),
        t.length > 0 &&
          g(j, {
            caption: `Changes and rejected requests`,
            head: [`When`, `Who`, `What`, `Target`, `Reason`, `Outcome`, `Service`, ``],
            children: t.map((t, n) =>
              g(pt, { change: t, filter: e }, `${t.service} ${t.time} ${n}`),
            ),
          }),
        t.length === 0 &&
          !r &&
          i.length === 0 &&
          g(`p`, {
            class: `muted`,
            children: n ? `Nothing found so far.` : `There is no such entry.`,
          }),
        n &&
          g(`p`, {
            children: [
              g(`button`, { type: `button`, disabled: r, onClick: c, children: `Older` }),
              ` `,
              g(`span`, { class: `muted`, children: [`than `, g(M, { time: n })] }),
            ],
          }),
      ],
    })
  );
}
function ft({ filter: e, shown: t, isLoading: n, reload: r }) {
  const { service: i, who: a, text: o } = e,
    s = (t) => b(m(`audit`, [], { ...e, ...t }), !0);
  return g(`p`, {
    class: `filter`,
    children: [
      g(`select`, {
        'aria-label': `Service`,
        value: i ?? ``,
        onChange: ({ currentTarget: e }) => s({ service: e.value }),
        children: [
          g(`option`, { value: ``, children: `Service: all` }),
          st.map((e) => g(`option`, { value: e, children: e }, e)),
        ],
      }),
      g(K, { id: `who`, label: `Person`, text: a, onText: (e) => s({ who: e }) }),
      g(K, {
        id: `words`,
        label: `Machine, or words in any field`,
        text: o,
        onText: (e) => s({ text: e }),
      }),
      g(`button`, { type: `button`, onClick: r, children: `Reload` }),
      g(`span`, { class: `muted`, role: `status`, children: n ? `Loading …` : `${t} shown` }),
      (i || a || o) && g(`a`, { href: m(`audit`), children: `Show all` }),
    ],
  });
}
function pt({ change: e, filter: t }) {
  const {
      time: n,
      who: r,
      role: i,
      from: a,
      what: o,
      target: s,
      why: c,
      outcome: l,
      service: u,
      input: d,
      answer: f,
    } = e,
    p = /^(refused|failed|stuck)/.test(l);
  return g(`tr`, {
    children: [
      g(`td`, { children: g(M, { time: n }) }),
      g(`th`, {
        scope: `row`,
        children: [
          g(`a`, { href: m(`audit`, [], { ...t, who: r }), children: r }),
          ` `,
          g(`span`, { class: `muted`, children: i }),
          a && g(`div`, { class: `labels`, children: a }),
        ],
      }),
      g(`td`, { class: `word`, children: o }),
      g(`td`, { children: s && g(mt, { target: s }) }),
      g(`td`, { children: c }),
      g(`td`, {
        children:
          l === `begun`
            ? g(`span`, { class: `warning`, children: `begun: under way, or the service died` })
            : g(`span`, { class: p ? `failure` : ``, children: l }),
      }),
      g(`td`, { children: u }),
      g(`td`, {
        children:
          (d || f) &&
          g(`details`, {
            children: [
              g(`summary`, { children: `Details` }),
              g(`pre`, {
                class: `labels`,
                children: JSON.stringify({ input: d, answer: f }, void 0, 1),
              }),
            ],
          }),
      }),
    ],
  });
}
function mt({ target: t }) {
  const n = e((e) => e.machines),
    r = t.split(` `);
  if (!r.some((e) => n.has(e))) return g(o, { children: t });
  const i = r.map((e) => g(`div`, { children: n.has(e) ? g(q, { name: e }) : e }, e));
  return r.length <= lt
    ? g(o, { children: i })
    : g(o, {
        children: [
          i.slice(0, 3),
          g(`details`, {
            children: [
              g(`summary`, { children: [`and `, r.length - lt + 1, ` more`] }),
              i.slice(3),
            ],
          }),
        ],
      });
}
function ht(e) {
  let t = [],
    n = [],
    r = [],
    [i, a] = [0, 0],
    o = !1;
  function s() {
    const e = Math.max(n.length, r.length);
    for (let i = 0; i < e; i += 1) {
      const [e, a] = [n[i], r[i]];
      t.push({ ...(e && { older: e }), ...(a && { newer: a }) });
    }
    (n = []), (r = []);
  }
  for (const c of e.split(`
`)) {
    const [, e, l, u] = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@(.*)$/.exec(c) ?? [];
    if (e !== void 0)
      s(), (o = !0), ([i, a] = [Number(e), Number(l)]), t.push({ gap: `line ${e}${u ?? ``}` });
    else if (!o) continue;
    else if (c.startsWith(`-`)) n.push({ number: i, text: c.slice(1) }), (i += 1);
    else if (c.startsWith(`+`)) r.push({ number: a, text: c.slice(1) }), (a += 1);
    else if (c.startsWith(` `)) {
      s();
      const e = c.slice(1);
      t.push({ older: { number: i, text: e }, newer: { number: a, text: e } }), (i += 1), (a += 1);
    }
  }
  return s(), t;
}
function gt({ diff: e }) {
  return g(`section`, {
    class: `diff`,
    tabIndex: 0,
    'aria-label': `Difference`,
    children: g(`table`, {
      children: [
        g(`colgroup`, {
          children: [
            g(`col`, { class: `line-number` }),
            g(`col`, {}),
            g(`col`, { class: `line-number` }),
            g(`col`, {}),
          ],
        }),
        g(`thead`, {
          children: g(`tr`, {
            children: [
              g(`th`, { scope: `col`, colSpan: 2, children: `older` }),
              g(`th`, { scope: `col`, colSpan: 2, children: `newer` }),
            ],
          }),
        }),
        g(`tbody`, { children: ht(e).map((e, t) => g(_t, { row: e }, t)) }),
      ],
    }),
  });
}
function _t({ row: e }) {
  if (`gap` in e)
    return g(`tr`, { class: `gap`, children: g(`td`, { colSpan: 4, children: e.gap }) });
  const { older: t, newer: n } = e,
    r = t?.text === n?.text;
  return g(`tr`, {
    children: [
      g(`td`, { class: `line-number`, children: t?.number }),
      g(`td`, { class: r ? `` : t ? `minus` : `none`, children: t?.text }),
      g(`td`, { class: `line-number`, children: n?.number }),
      g(`td`, { class: r ? `` : n ? `plus` : `none`, children: n?.text }),
    ],
  });
}
function vt({ device: e, route: t }) {
  const n = O(
      (t) =>
        f(`router-backup`, `versions`, { params: { device: e }, query: { limit: 200 }, signal: t }),
      e,
    ),
    r = t.query.get(`from`),
    i = t.query.get(`to`);
  return g(o, {
    children: [
      g(`p`, { class: `up`, children: g(`a`, { href: m(`backups`), children: `Backups` }) }),
      g(`h1`, { children: e }),
      g(A, {
        of: n,
        children: ({ versions: t }) => {
          const n = t.find(({ id: e }) => e === i) ?? t[0],
            a = t.find(({ id: e }) => e === r) ?? t[1];
          return n
            ? g(`div`, {
                class: `versions`,
                children: [
                  g(`fieldset`, {
                    children: [
                      g(`legend`, {
                        children: [
                          g(`span`, { children: `older` }),
                          g(`span`, { children: `newer` }),
                        ],
                      }),
                      t.map(({ id: t, time: r, changedBy: i, by: o, summary: s }) =>
                        g(
                          `div`,
                          {
                            children: [
                              g(`input`, {
                                type: `radio`,
                                name: `older`,
                                'aria-label': `older: ${r}`,
                                checked: t === a?.id,
                                onChange: () => yt(e, t, n.id),
                              }),
                              g(`input`, {
                                type: `radio`,
                                name: `newer`,
                                'aria-label': `newer: ${r}`,
                                checked: t === n.id,
                                onChange: () => yt(e, a?.id, t),
                              }),
                              g(`span`, {
                                children: [
                                  g(M, { time: r }),
                                  ` `,
                                  g(`span`, {
                                    class: `muted`,
                                    children: i ? `changed by ${i}` : (o ?? s),
                                  }),
                                ],
                              }),
                            ],
                          },
                          t,
                        ),
                      ),
                    ],
                  }),
                  a
                    ? g(bt, { device: e, from: a.id, to: n.id })
                    : g(`p`, {
                        class: `muted`,
                        children: `There is one version, so there is nothing to compare.`,
                      }),
                ],
              })
            : g(`p`, { class: `muted`, children: `There is no version yet.` });
        },
      }),
    ],
  });
}
function yt(e, t, n) {
  location.hash = m(`backups`, [e], { from: t, to: n });
}
function bt({ device: e, from: t, to: n }) {
  const r = O(
    (r) =>
      f(`router-backup`, `diff`, { params: { device: e }, query: { from: t, to: n }, signal: r }),
    `${e} ${t} ${n}`,
  );
  return g(A, {
    of: r,
    children: ({ diff: e }) =>
      e === `` ? g(`p`, { class: `muted`, children: `No difference.` }) : g(gt, { diff: e }),
  });
}
var xt = 15e3;
function St({ route: e }) {
  const [t] = e.args;
  return t === void 0 ? g(Ct, {}) : g(vt, { device: t, route: e }, t);
}
function Ct() {
  const e = O((e) => f(`router-backup`, `devices`, { signal: e }), `devices`, xt);
  return g(o, {
    children: [
      g(`h1`, { children: `Backups` }),
      g(A, {
        of: e,
        children: ({ devices: e, offsite: t, lost: n }) =>
          g(o, {
            children: [
              n.map((e) =>
                g(
                  `p`,
                  {
                    class: `failure`,
                    children: [
                      e.device,
                      `: `,
                      e.versions ?? `some`,
                      ` versions of its history are lost.`,
                    ],
                  },
                  e.device,
                ),
              ),
              g(j, {
                caption: `Devices`,
                head: [
                  `Device`,
                  `Model`,
                  `State`,
                  `Last backup`,
                  `Changed`,
                  `Versions`,
                  `Off site`,
                  ``,
                ],
                children: [...e].sort(Tt).map((e) =>
                  g(
                    `tr`,
                    {
                      children: [
                        g(`th`, {
                          scope: `row`,
                          children: g(`a`, { href: m(`backups`, [e.name]), children: e.name }),
                        }),
                        g(`td`, { children: e.model }),
                        g(`td`, {
                          children: [
                            g(`span`, { class: `state b-${e.state}`, children: e.state }),
                            ` `,
                            e.reading && g(`span`, { class: `tag`, children: `reading` }),
                          ],
                        }),
                        g(`td`, { children: g(T, { time: e.lastSuccess, suffix: ` ago` }) }),
                        g(`td`, { children: g(T, { time: e.changedAt, suffix: ` ago` }) }),
                        g(`td`, { class: `number`, children: e.versions }),
                        g(`td`, { children: e.offsite }),
                        g(`td`, {
                          children: [
                            e.unsaved &&
                              g(`span`, {
                                class: `warning`,
                                children: `not saved on the device. `,
                              }),
                            e.detail ?? e.why,
                          ],
                        }),
                      ],
                    },
                    e.name,
                  ),
                ),
              }),
              t.length > 0 &&
                g(o, {
                  children: [
                    g(`h2`, { children: `Off site` }),
                    g(j, {
                      caption: `Off site`,
                      head: [`Place`, `Queued`, `Last success`, ``],
                      children: t.map(({ url: e, queued: t, lastSuccess: n, problem: r }) =>
                        g(
                          `tr`,
                          {
                            children: [
                              g(`th`, { scope: `row`, children: e }),
                              g(`td`, { class: `number`, children: t }),
                              g(`td`, { children: g(T, { time: n, suffix: ` ago` }) }),
                              g(`td`, { children: r }),
                            ],
                          },
                          e,
                        ),
                      ),
                    }),
                  ],
                }),
            ],
          }),
      }),
    ],
  });
}
var wt = [`failed`, `overdue`, `never`, `ok`, `not-backed-up`, `retired`];
function Tt(e, t) {
  return (
    wt.indexOf(e.state) - wt.indexOf(t.state) || e.name.localeCompare(t.name, `en`, { numeric: !0 })
  );
}
function Et({ names: e, only: t }) {
  const n = Object.entries(z);
  return g(`div`, {
    class: `buttons`,
    children: n
      .filter(([e]) => t === void 0 || t.includes(e))
      .filter(([, { choices: t }]) => t === void 0 || e.length === 1)
      .map(([t, { short: n, key: r }]) =>
        g(`button`, { type: `button`, title: `key: ${r}`, onClick: () => W(t, e), children: n }, t),
      ),
  });
}
function Y({ rows: e }) {
  const t = e.filter(([, e]) => e !== void 0 && e !== ``);
  return g(`dl`, {
    class: `facts`,
    children: t.map(([e, t]) =>
      g(`div`, { children: [g(`dt`, { children: e }), g(`dd`, { children: t })] }, e),
    ),
  });
}
function Dt({ machine: e }) {
  const {
    wiring: t,
    power: n,
    token: r,
    bot: i,
    host: a,
    versions: s,
    devices: c,
    alerts: l,
    repairs: u,
  } = e;
  return g(o, {
    children: [
      c.map((e) =>
        g(
          `section`,
          {
            children: [
              g(`h2`, {
                children: [
                  e.dimensions?.device_type?.join(`, `) ?? e.name,
                  ` `,
                  g(`small`, { children: e.state }),
                ],
              }),
              g(Y, {
                rows: [
                  [`Serial`, e.serial],
                  [`System`, e.dimensions?.device_os?.join(`, `)],
                  [`Battery`, e.batteryPercent !== void 0 && `${e.batteryPercent} %`],
                  ...Object.entries(e.temperaturesCelsius ?? {}).map(([e, t]) => [
                    `Heat, ${e}`,
                    `${t.toFixed(1)} °C`,
                  ]),
                  [`Checked`, g(T, { time: e.readAt, suffix: ` ago` }, `read`)],
                  [`Missing because`, e.why],
                ],
              }),
            ],
          },
          e.name,
        ),
      ),
      g(`section`, {
        children: [
          g(`h2`, { children: `Wiring` }),
          g(Y, {
            rows: [
              [`Network`, t.uplink ? g(J, { port: t.uplink }) : `not in rack.yaml`],
              ...(n?.outlets ?? t.power.map((e) => ({ outlet: e, state: `unknown` }))).map(
                ({ outlet: e, state: t }) => [
                  `Power`,
                  g(o, { children: [g(J, { port: e }), ` `, t] }),
                ],
              ),
              [
                `Cycle`,
                n?.cycle &&
                  g(`a`, {
                    href: `#/power`,
                    children: [n.cycle.step, ` (`, n.cycle.id.slice(0, 8), `)`],
                  }),
              ],
              [`Address`, e.address],
              [`MAC`, e.mac],
              [`Shelf`, e.shelf],
            ],
          }),
        ],
      }),
      g(`section`, {
        children: [
          g(`h2`, { children: `Identity and bot` }),
          g(Y, {
            rows: [
              [`Identity`, r ? (r.identity ?? `none`) : `the metadata server does not answer`],
              [`Last token`, r && g(T, { time: r.lastAsked, suffix: ` ago` })],
              [`Bot`, i && `${i.state}${i.why ? `: ${i.why}` : ``}`],
              [
                `Last exit`,
                i?.lastExit &&
                  g(o, {
                    children: [
                      i.lastExit.text,
                      `, `,
                      g(T, { time: i.lastExit.at, suffix: ` ago` }),
                    ],
                  }),
              ],
              [`Pools`, e.pools.join(`, `)],
            ],
          }),
        ],
      }),
      g(`section`, {
        children: [
          g(`h2`, { children: `Computer` }),
          g(Y, {
            rows: [
              [`Kind`, e.kind],
              [`Heat`, typeof a?.celsius == `number` && `${a.celsius} °C`],
              [
                `Disk free`,
                typeof a?.diskFreeBytes == `number` && `${(a.diskFreeBytes / 1e9).toFixed(1)} GB`,
              ],
              [`Voltage`, a?.underVoltage === !0 && `too low`],
              ...Object.entries(s ?? {}).map(([e, t]) => [`Version, ${e}`, t]),
              [`Last answer`, g(T, { time: e.lastSeen, suffix: ` ago` }, `seen`)],
            ],
          }),
          g(`p`, {
            children: g(`a`, {
              href: m(`audit`, [], { text: e.name }),
              children: `Audit log of this machine`,
            }),
          }),
        ],
      }),
      l.length > 0 &&
        g(`section`, {
          children: [
            g(`h2`, { children: `Alerts` }),
            g(`ul`, {
              class: `plain`,
              children: l.map(({ name: e, summary: t, since: n }) =>
                g(
                  `li`,
                  {
                    children: [e, ` `, g(T, { time: n }), g(`p`, { class: `muted`, children: t })],
                  },
                  `${e} ${n}`,
                ),
              ),
            }),
          ],
        }),
      u.length > 0 &&
        g(`section`, {
          children: [
            g(`h2`, { children: `Last repairs` }),
            g(`ul`, {
              class: `plain`,
              children: u.toReversed().map(({ at: e, device: t, step: n, outcome: r, text: i }) =>
                g(
                  `li`,
                  {
                    children: [
                      n,
                      ` of `,
                      t,
                      `: `,
                      r,
                      ` `,
                      g(T, { time: e, suffix: ` ago` }),
                      g(`p`, { class: `muted`, children: i }),
                    ],
                  },
                  `${e} ${n}`,
                ),
              ),
            }),
          ],
        }),
    ],
  });
}
function Ot(e) {
  switch (e.kind) {
    case `condition`:
      return e.text;
    case `task`:
      return [e.id, e.outcome].filter(Boolean).join(`: `);
    case `cycle`:
      return `${e.action} by ${e.by}: ${e.reason}${e.outcome ? `; ${e.outcome}` : ``}`;
    case `repair`:
      return `${e.step}: ${e.outcome}${e.text ? `; ${e.text}` : ``}`;
    case `hold`:
    case `order`:
      return [e.by, e.reason].filter(Boolean).join(`: `);
    case `alert`:
      return [e.name, e.severity].filter(Boolean).join(`, `);
    case `note`:
      return `${e.by}: ${e.text}`;
    case `boot`:
      return `the machine has booted`;
    case `omitted`:
      return `${e.count} of kind ${e.of}: more than the history takes in an hour`;
  }
}
var kt = 8,
  At = 3600;
function jt({ curve: e, scale: t, y: n, height: r, at: i }) {
  const { device: a, quantity: o, unit: s, points: c } = e,
    l = c.map(([, e]) => e),
    [u, d] = s === `percent` ? [0, 100] : Nt(l),
    f = (e) => n + r - kt - ((e - u) / (d - u)) * (r - 16),
    p = s === `percent` ? ` %` : ` °C`,
    m = i === void 0 ? void 0 : Pt(c, i / 1e3),
    h = m ?? c.at(-1);
  return g(`g`, {
    class: `curve u-${s}`,
    children: [
      g(`text`, { class: `lane`, x: 0, y: n + 18, children: s === `percent` ? `Battery` : `Heat` }),
      g(`text`, { class: `value`, x: 0, y: n + 34, children: h ? `${h[1]}${p}` : `no data` }),
      s === `celsius` &&
        g(`text`, {
          class: `sensor`,
          x: 0,
          y: n + 47,
          children: o.replaceAll(`_`, ` `).slice(0, 16),
        }),
      g(`text`, { class: `limit`, x: t.end, y: f(d) + 4, children: d }),
      g(`text`, { class: `limit`, x: t.end, y: f(u), children: u }),
      g(`path`, { d: Mt(c, t, f), children: g(`title`, { children: `${o} of ${a}` }) }),
      m && g(`circle`, { cx: t.x(m[0] * 1e3), cy: f(m[1]), r: 3 }),
    ],
  });
}
function Mt(e, t, n) {
  return e
    .map(([r, i], a) => {
      const o = e[a - 1];
      return `${!o || r - o[0] > At ? `M` : `L`}${t.x(r * 1e3).toFixed(1)} ${n(i).toFixed(1)}`;
    })
    .join(``);
}
function Nt(e) {
  if (e.length === 0) return [0, 50];
  const t = Math.floor(Math.min(...e) / 5) * 5,
    n = Math.ceil(Math.max(...e) / 5) * 5;
  return n - t >= 10 ? [t, n] : [t - 5, t + 10];
}
function Pt(e, t) {
  let n = e[0];
  for (const r of e) n && Math.abs(r[0] - t) < Math.abs(n[0] - t) && (n = r);
  return n && Math.abs(n[0] - t) < At ? n : void 0;
}
function Ft(e, t, n, r) {
  const i = (r - n) / (t - e);
  return {
    end: r,
    x: (t) => Math.min(r, Math.max(n, n + (t - e) * i)),
    timeAt: (t) => e + (t - n) / i,
  };
}
var X = 6e4,
  It = [10, 30, 60, 180, 360, 720, 1440, 2880, 10080, 20160].map((e) => e * X),
  Lt = 80;
function Rt(e, t, n, r) {
  const i = Math.max(2, r / Lt),
    a = It.find((n) => (t - e) / n <= i) ?? 43200 * X,
    o =
      a < 1440 * X
        ? { hour: `2-digit`, minute: `2-digit`, hour12: !1 }
        : { day: `numeric`, month: `short` },
    s = new Intl.DateTimeFormat(`en-GB`, { ...o, ...(n && { timeZone: n }) }),
    c = zt(e, n),
    l = [];
  for (let n = Math.ceil((e + c) / a) * a - c; n < t; n += a)
    l.push({ time: n, text: s.format(n) });
  return l;
}
function zt(e, t) {
  if (t === void 0) return -new Date(e).getTimezoneOffset() * X;
  const n = new Date(e).toLocaleString(`sv-SE`, { timeZone: t });
  return Date.parse(`${n.replace(` `, `T`)}Z`) - Math.floor(e / 1e3) * 1e3;
}
var Bt = 84,
  Z = 26,
  Vt = 64;
function Ht({ machine: t, from: n, to: r, entries: a, curves: o }) {
  const s = u(null),
    [c, l] = i(0),
    [d, f] = i(),
    p = e(({ rack: e }) => e?.timezone);
  C(() => {
    const e = new ResizeObserver(([e]) => l(e?.contentRect.width ?? 0));
    return s.current && e.observe(s.current), () => e.disconnect();
  }, []);
  const m = Ft(n, r, Bt, Math.max(134, c - 4)),
    h = Wt(t, a, n, r),
    _ = h.length * Z,
    v = _ + o.length * Vt + 20;
  function b({ offsetX: e }) {
    f(e > Bt ? m.timeAt(e) : void 0);
  }
  return g(`div`, {
    class: `timeline`,
    ref: s,
    children:
      c > 0 &&
      g(`svg`, {
        width: c,
        height: v,
        role: `img`,
        'aria-label': `Timeline of ${t.name}; the list below has the same in words`,
        onPointerMove: b,
        onPointerLeave: () => f(void 0),
        children: [
          Rt(n, r, p, c).map(({ time: e, text: t }) =>
            g(
              `g`,
              {
                children: [
                  g(`line`, { class: `grid`, x1: m.x(e), x2: m.x(e), y1: 0, y2: v - 18 }),
                  g(`text`, { class: `tick`, x: m.x(e), y: v - 5, children: t }),
                ],
              },
              e,
            ),
          ),
          h.map(([e, t], n) => g(Ut, { name: e, marks: t, scale: m, y: n * Z }, e)),
          o.map((e, t) =>
            g(
              jt,
              { curve: e, scale: m, y: _ + t * Vt, height: Vt, at: d },
              `${e.device} ${e.quantity} ${e.unit}`,
            ),
          ),
          d !== void 0 &&
            g(`g`, {
              class: `cursor`,
              children: [
                g(`line`, { x1: m.x(d), x2: m.x(d), y1: 0, y2: v - 18 }),
                g(`text`, { x: m.x(d), y: v - 5, children: y(d, p, r - n > 864e5) }),
              ],
            }),
        ],
      }),
  });
}
function Ut({ name: e, marks: t, scale: n, y: r }) {
  return g(`g`, {
    children: [
      g(`text`, { class: `lane`, x: 0, y: r + 17, children: e }),
      g(`line`, { class: `base`, x1: Bt, x2: n.end, y1: r + Z - 4, y2: r + Z - 4 }),
      t.map(({ from: e, to: t, text: i, className: a, label: o }) => {
        const s = n.x(e),
          c = Math.max(3, n.x(t) - s);
        return g(
          `g`,
          {
            children: [
              g(`rect`, {
                class: `mark ${a}`,
                x: s,
                y: r + 5,
                width: c,
                height: 16,
                rx: 2,
                children: g(`title`, { children: i }),
              }),
              o &&
                c > o.length * 6.5 + 8 &&
                g(`text`, { class: `in-mark ${a}`, x: s + 5, y: r + 17, children: o }),
            ],
          },
          `${e} ${i}`,
        );
      }),
    ],
  });
}
function Wt(e, t, n, r) {
  const i = [
    [`Tasks`, [`task`]],
    [`Power`, [`cycle`, `boot`]],
    [`Repairs`, [`repair`]],
    [`Alerts`, [`alert`]],
    [`People`, [`order`, `hold`, `note`]],
    [`Omitted`, [`omitted`]],
  ]
    .map(([e, n]) => [e, t.flatMap((e) => (n.includes(e.kind) ? [Gt(e, r)] : []))])
    .filter(([e, t]) => t.length > 0 || e === `Tasks`);
  return [[`State`, Kt(e, t, n, r)], ...i];
}
function Gt(e, t) {
  const n = Date.parse(e.at),
    r = `endedAt` in e && e.endedAt ? Date.parse(e.endedAt) : void 0,
    i = e.kind === `task` || e.kind === `alert` || e.kind === `order` || e.kind === `hold`;
  return { from: n, to: r ?? (i ? t : n), text: `${e.kind}: ${Ot(e)}`, className: `k-${e.kind}` };
}
function Kt(e, t, n, r) {
  const i = t
      .flatMap((e) => (e.kind === `condition` ? [e] : []))
      .map(({ at: e, condition: t, text: r }) => ({
        at: Math.max(n, Date.parse(e)),
        condition: t,
        text: r,
      }))
      .sort((e, t) => e.at - t.at),
    { condition: a, since: o, sentence: s } = e;
  return i.length === 0
    ? [qt(o === void 0 ? n : Math.max(n, Date.parse(o)), r, a, s)]
    : i.map((e, t) => qt(e.at, i[t + 1]?.at ?? r, e.condition, e.text));
}
function qt(e, t, n, r) {
  const i = de(n);
  return { from: e, to: t, text: `${i}: ${r}`, className: `c-${n}`, label: i };
}
var Jt = [
    [`6h`, `6 hours`, 6],
    [`1d`, `1 day`, 24],
    [`7d`, `7 days`, 168],
    [`30d`, `30 days`, 720],
    [`90d`, `90 days`, 2160],
  ],
  Yt = 15e3,
  Xt = 36e5,
  Zt = 30;
function Qt({ machine: e, route: t }) {
  const { name: n } = e,
    r = t.query.get(`period`) ?? `1d`,
    [, , i] = Jt.find(([e]) => e === r) ?? [``, ``, 24],
    a = x(),
    s = O(
      async (e) => {
        const t = Date.now(),
          r = t - i * Xt,
          a = { from: new Date(r).toISOString(), to: new Date(t).toISOString() },
          [{ entries: o, truncated: s }, { curves: c }] = await Promise.all([
            f(`machine-state`, `history`, { params: { name: n }, query: a, signal: e }),
            f(`machine-state`, `curves`, { params: { name: n }, query: a, signal: e }),
          ]);
        return { from: r, to: t, entries: o, truncated: s, curves: c };
      },
      `${n} ${i}`,
      Yt,
    );
  return g(`section`, {
    children: [
      g(`h2`, {
        children: [
          `History`,
          g(`nav`, {
            class: `tabs`,
            'aria-label': `Period`,
            children: Jt.map(([e, t]) =>
              g(
                `a`,
                {
                  href: m(`machine`, [n], { period: e }),
                  'aria-current': e === r ? `true` : void 0,
                  children: t,
                },
                e,
              ),
            ),
          }),
        ],
      }),
      g(A, {
        of: s,
        children: (t) =>
          g(o, {
            children: [
              g(Ht, { ...t, machine: e, now: a }),
              g($t, { entries: t.entries, truncated: t.truncated }),
            ],
          }),
      }),
    ],
  });
}
function $t({ entries: e, truncated: t }) {
  const [n, r] = i(Zt);
  return e.length === 0
    ? g(`p`, { class: `muted`, children: `Nothing happened in this period.` })
    : g(o, {
        children: [
          g(`ol`, {
            class: `entries`,
            children: e.slice(0, n).map((e) =>
              g(
                `li`,
                {
                  children: [
                    g(M, { time: e.at }),
                    g(`span`, { class: `kind`, children: en(e) }),
                    g(`span`, {
                      children: [
                        Ot(e),
                        `endedAt` in e &&
                          e.endedAt &&
                          g(`span`, {
                            class: `muted`,
                            children: [` `, `for `, E(Date.parse(e.endedAt) - Date.parse(e.at))],
                          }),
                      ],
                    }),
                  ],
                },
                `${e.at} ${e.kind} ${Ot(e)}`,
              ),
            ),
          }),
          e.length > n &&
            g(`button`, {
              type: `button`,
              onClick: () => r(n + 200),
              children: [`Show more of `, e.length],
            }),
          t &&
            g(`p`, {
              class: `muted`,
              children: `There is more than that: choose a shorter period.`,
            }),
        ],
      });
}
function en(e) {
  return e.kind === `condition` ? e.condition : e.kind === `order` ? e.order : e.kind;
}
var tn = 2e3,
  nn = 1e3;
function rn({ name: e }) {
  const [t, n] = i(!1);
  return g(`details`, {
    open: t,
    onToggle: ({ currentTarget: e }) => n(e.open),
    children: [g(`summary`, { children: g(`h2`, { children: `Log` }) }), t && g(an, { name: e })],
  });
}
function an({ name: t }) {
  const n = e(({ rack: e }) => e?.timezone),
    [r, a] = i([]),
    [s, c] = i(),
    l = u(null);
  C(() => {
    let e = new AbortController(),
      n,
      r;
    async function i() {
      try {
        const r = await f(`machine-state`, `log`, {
            params: { name: t },
            query: { lines: n === void 0 ? 200 : nn, after: n },
            signal: e.signal,
          }),
          i = r.lines.at(-1);
        i && ((n = i.number), a((e) => [...e, ...r.lines].slice(-1e3))), c(void 0);
      } catch (t) {
        if (e.signal.aborted) return;
        c(S(t));
      }
      e.signal.aborted || (r = window.setTimeout(i, tn));
    }
    return (
      i(),
      () => {
        e.abort(), clearTimeout(r);
      }
    );
  }, [t]);
  const d =
    !l.current || l.current.scrollHeight - l.current.scrollTop - l.current.clientHeight < 20;
  return (
    C(() => {
      d && l.current && (l.current.scrollTop = l.current.scrollHeight);
    }, [r]),
    g(o, {
      children: [
        s && g(D, { error: s }),
        g(`section`, {
          class: `log`,
          ref: l,
          tabIndex: 0,
          'aria-label': `Log of ${t}`,
          children: r.map(({ number: e, at: t, from: r, text: i }) =>
            g(
              `div`,
              {
                children: [
                  g(`span`, { class: `muted`, children: [y(t, n, !1), ` `, r.padEnd(5)] }),
                  ` `,
                  i,
                ],
              },
              e,
            ),
          ),
        }),
      ],
    })
  );
}
function on({ machine: { orders: e, power: t } }) {
  const n = t?.hold;
  return g(o, {
    children: [
      e.map(({ id: e, kind: t, by: n, reason: r, since: i, until: a, deliveredAt: o, why: s }) =>
        g(
          `div`,
          {
            class: `card`,
            children: [
              g(`b`, { children: t === `maintenance` ? `Maintenance` : `Quarantine` }),
              n !== void 0 && ` by ${n}`,
              ` since `,
              g(T, { time: i }),
              `, `,
              g(v, { time: a }),
              `:`,
              ` `,
              r,
              !o &&
                g(`span`, {
                  class: `warning`,
                  children: [` The agent does not have it yet`, s && `: ${s}`, `.`],
                }),
              g(sn, { run: () => f(`machine-state`, `endOrder`, { params: { id: e } }) }),
            ],
          },
          e,
        ),
      ),
      n &&
        g(
          `div`,
          {
            class: `card`,
            children: [
              g(`b`, { children: `Power held` }),
              ` by `,
              n.by,
              `, `,
              g(v, { time: n.until }),
              `: `,
              n.reason,
              g(sn, { run: () => f(`power-cycle-daemon`, `release`, { params: { id: n.id } }) }),
            ],
          },
          n.id,
        ),
    ],
  });
}
function sn({ run: t }) {
  const r = e(({ session: e }) => n(e)),
    [i, a] = h();
  return g(o, {
    children: [
      r && g(`button`, { type: `button`, onClick: () => void a(t), children: `End` }),
      i && g(D, { error: i }),
    ],
  });
}
function cn({ machine: { name: r, devices: a } }) {
  const o = e(({ session: e }) => n(e)),
    [s, c] = i(),
    [l, u] = i(),
    [d, f] = i(!1);
  C(() => () => URL.revokeObjectURL(s ?? ``), [s]);
  const [p] = a;
  if (!p) return null;
  async function m(e, n = !1) {
    f(!0), u(void 0);
    try {
      const i = { device: p?.name, fresh: e, force: n },
        a = await t(`machine-state`, `screen`, { params: { name: r }, body: i });
      c(URL.createObjectURL(await a.blob()));
    } catch (e) {
      u(S(e));
    }
    f(!1);
  }
  const h = l instanceof F && l.status === 409;
  return g(`section`, {
    children: [
      g(`h2`, { children: `Screen` }),
      s && g(`img`, { class: `screen`, src: s, alt: `Screen of the phone of ${r}` }),
      l && g(D, { error: l }),
      o
        ? g(`div`, {
            class: `buttons`,
            children: [
              g(`button`, {
                type: `button`,
                disabled: d,
                onClick: () => void m(!0),
                children: `Take a picture`,
              }),
              g(`button`, {
                type: `button`,
                disabled: d,
                onClick: () => void m(!1),
                children: `Last evidence`,
              }),
              h &&
                g(`button`, {
                  type: `button`,
                  class: `danger`,
                  onClick: () => void m(!0, !0),
                  children: `Take it during the task`,
                }),
            ],
          })
        : g(`p`, { class: `muted`, children: `Looking at the screen needs the role operate.` }),
    ],
  });
}
function ln({ route: t }) {
  const [n = ``] = t.args,
    r = e(({ machines: e }) => e).get(n);
  return e(({ rack: e }) => e !== void 0)
    ? r
      ? g(un, { machine: r, route: t }, n)
      : g(`p`, {
          children: [
            n,
            ` is not in rack.yaml. `,
            g(`a`, { href: m(`rack`), children: `To the rack` }),
          ],
        })
    : g(`p`, { class: `muted loading`, children: `Loading …` });
}
function un({ machine: e, route: t }) {
  const {
    name: n,
    condition: r,
    since: i,
    sentence: a,
    needsPerson: o,
    cause: s,
    flapping: c,
    task: l,
  } = e;
  return (
    G(`Machine`, [
      { key: `Escape`, what: `to the rack`, run: () => b(m(`rack`)) },
      ...Object.entries(z).map(([e, { key: t, title: r }]) => ({
        key: t,
        what: r,
        run: () => W(e, [n]),
      })),
    ]),
    g(`article`, {
      class: `machine`,
      children: [
        g(`header`, {
          children: [
            g(`h1`, { children: n }),
            g(`p`, {
              class: `now`,
              children: [
                g(B, { condition: r }),
                ` `,
                g(T, { time: i }),
                l &&
                  g(`span`, {
                    class: `muted`,
                    children: [`task `, l.id, ` for `, g(T, { time: l.since })],
                  }),
                c &&
                  g(`span`, {
                    class: `tag`,
                    children: [`flapping: `, c.changes, ` changes in `, g(T, { time: c.since })],
                  }),
              ],
            }),
            g(`p`, { class: `sentence`, children: a }),
            o && g(`p`, { class: `card bad`, children: o }),
            s &&
              g(`p`, {
                class: `card bad`,
                children: [
                  `The cause is `,
                  g(`a`, { href: m(`rack`, [], { port: s }), children: s }),
                  `, as for`,
                  ` `,
                  g(`a`, { href: m(`rack`, [], { cause: s }), children: `other machines` }),
                  `.`,
                ],
              }),
            g(on, { machine: e }),
            g(Et, { names: [n] }),
          ],
        }),
        g(`div`, {
          class: `columns`,
          children: [
            g(`div`, { children: [g(Qt, { machine: e, route: t }), g(rn, { name: n })] }),
            g(`aside`, {
              'aria-label': `Facts`,
              children: [g(cn, { machine: e }), g(Dt, { machine: e })],
            }),
          ],
        }),
      ],
    })
  );
}
function dn({ controllers: e }) {
  const t = ({ model: e, state: t, queue: n }) =>
      e === `usb-hub` && n === 0 && (t === `up` || t === `unknown`),
    n = e.filter(t);
  return g(o, {
    children: [
      g(`h2`, { children: `Controllers` }),
      g(fn, { caption: `Controllers`, controllers: e.filter((e) => !t(e)) }),
      n.length > 0 &&
        g(`details`, {
          children: [
            g(`summary`, { children: [`USB hubs of `, n.length, ` machines`] }),
            g(fn, { caption: `USB hubs`, controllers: n }),
          ],
        }),
    ],
  });
}
function fn({ caption: e, controllers: t }) {
  return g(j, {
    caption: e,
    head: [`Controller`, `Model`, `State`, `Queue`, `Last answer`, ``],
    children: t.map(
      ({
        name: e,
        model: t,
        state: n,
        since: r,
        detail: i,
        queue: a,
        lastContact: o,
        experimental: s,
      }) =>
        g(
          `tr`,
          {
            children: [
              g(`th`, { scope: `row`, children: g(J, { port: e }) }),
              g(`td`, {
                children: [t, ` `, s && g(`span`, { class: `tag`, children: `experimental` })],
              }),
              g(`td`, {
                children: [
                  g(`span`, { class: `state s-${n}`, children: n }),
                  ` `,
                  g(T, { time: r }),
                ],
              }),
              g(`td`, { class: `number`, children: a }),
              g(`td`, { children: g(T, { time: o, suffix: ` ago` }) }),
              g(`td`, { children: i }),
            ],
          },
          e,
        ),
    ),
  });
}
function pn({ cycles: e }) {
  const t = e.filter(({ finishedAt: e }) => e === void 0),
    n = e.filter(({ finishedAt: e }) => e !== void 0);
  return g(o, {
    children: [
      g(`h2`, { children: `Under way` }),
      t.length === 0
        ? g(`p`, { class: `muted`, children: `No cycle is under way.` })
        : g(j, {
            caption: `Cycles under way`,
            head: [`Target`, `Step`, `What`, `By`, `Reason`, ``],
            children: t.map((e) => g(mn, { cycle: e }, e.id)),
          }),
      n.length > 0 &&
        g(`details`, {
          children: [
            g(`summary`, { children: [g(`h2`, { children: `Finished` }), ` `, n.length] }),
            g(j, {
              caption: `Finished cycles`,
              head: [`Target`, `Outcome`, `What`, `By`, `Reason`, ``],
              children: n.map((e) => g(mn, { cycle: e }, e.id)),
            }),
          ],
        }),
    ],
  });
}
function mn({ cycle: t }) {
  const r = e(({ session: e }) => n(e)),
    [i, a] = h(),
    {
      id: o,
      target: s,
      action: c,
      step: l,
      position: u,
      outcome: d,
      detail: p,
      by: m,
      reason: _,
      finishedAt: v,
      steps: y,
    } = t,
    b = () => a(() => f(`power-cycle-daemon`, `cancelCycle`, { params: { id: o } }));
  return g(`tr`, {
    children: [
      g(`th`, { scope: `row`, children: g(q, { name: s }) }),
      g(`td`, {
        children: [
          g(`span`, {
            class: d === `failed` || d === `stuck-off` ? `failure` : ``,
            children: d ?? l,
          }),
          ` `,
          u !== void 0 && g(`span`, { class: `muted`, children: [u, ` before it`] }),
        ],
      }),
      g(`td`, {
        children: [
          c,
          ` `,
          g(`span`, { class: `muted`, children: p }),
          y.length > 0 &&
            g(`details`, {
              children: [
                g(`summary`, { children: [y.length, ` `, y.length === 1 ? `step` : `steps`] }),
                g(`ol`, {
                  class: `plain`,
                  children: y.map(({ at: e, step: t, text: n }) =>
                    g(
                      `li`,
                      {
                        children: [
                          g(M, { time: e }),
                          ` `,
                          t,
                          ` `,
                          g(`span`, { class: `muted`, children: n }),
                        ],
                      },
                      `${e} ${t} ${n}`,
                    ),
                  ),
                }),
              ],
            }),
          i && g(D, { error: i }),
        ],
      }),
      g(`td`, { children: m }),
      g(`td`, { children: _ }),
      g(`td`, {
        children:
          l === `queued` && !v && r
            ? g(`button`, { type: `button`, onClick: () => void b(), children: `Cancel` })
            : g(T, { time: v ?? t.startedAt ?? t.requestedAt, suffix: ` ago` }),
      }),
    ],
  });
}
function hn(e, t, n) {
  const r = new Map(t.elements.map((e) => [e.name, e])),
    i = new Set(),
    a = new Set(),
    o = new Set(),
    s = new Set();
  function c(e) {
    if (i.has(e)) return;
    i.add(e);
    const t = e.lastIndexOf(`/`),
      a = r.get(e.slice(0, t))?.ports.find(({ port: n }) => n === e.slice(t + 1));
    for (const t of a?.powers ?? [])
      s.add(t), (r.get(t)?.power ?? n.get(t)?.wiring.power ?? [e]).every((e) => i.has(e)) && l(t);
  }
  function l(e) {
    if (!a.has(e)) {
      a.add(e);
      for (const { port: t, connects: n } of r.get(e)?.ports ?? []) c(`${e}/${t}`), n.forEach(u);
    }
  }
  function u(e) {
    if (!o.has(e)) {
      o.add(e);
      for (const { connects: t } of r.get(e)?.ports ?? []) t.forEach(u);
    }
  }
  return (
    c(e),
    {
      dark: [...a],
      offline: [...o].filter((e) => !a.has(e)),
      fedTwice: [...s].filter((e) => !a.has(e)),
    }
  );
}
var gn = 12;
function _n({ outlet: { outlet: t, feeds: r }, state: a, onClose: s }) {
  const c = e((e) => e.rack),
    l = e((e) => e.machines),
    u = e(({ session: e }) => n(e)),
    [d, p] = i(``),
    [m, h] = i(!1),
    [_, v] = i(!1),
    [y, b] = i(),
    x = c && hn(t, c, l),
    S = (x?.dark ?? r).filter((e) => l.get(e)?.task),
    C = y instanceof F && y.status === 409;
  async function w(e) {
    e.preventDefault(), v(!0), b(void 0);
    try {
      const e = { targets: [t], state: a, reason: d.trim(), force: m };
      await f(`power-cycle-daemon`, `switchOutlets`, { body: e }), s();
    } catch (e) {
      b(e), v(!1);
    }
  }
  return g(V, {
    title: `Turn ${a} ${t}`,
    onClose: s,
    children: g(`form`, {
      class: `action`,
      onSubmit: w,
      children: [
        a === `on`
          ? g(`p`, { children: [`It feeds `, r.join(`, `) || `nothing in rack.yaml`, `.`] })
          : g(o, {
              children: [
                g(`p`, {
                  children: `It stays off until somebody turns it on, also when its device reboots.`,
                }),
                g(Q, { what: `Lose power`, names: x?.dark ?? r }),
                g(Q, { what: `Lose the network`, names: x?.offline ?? [] }),
                g(Q, { what: `Lose one of their feeds`, names: x?.fedTwice ?? [] }),
                S.length > 0 && g(Q, { what: `Run a task`, names: S }),
              ],
            }),
        g(`label`, {
          children: [
            `Reason`,
            g(`textarea`, {
              required: !0,
              maxLength: 1e3,
              rows: 2,
              value: d,
              onInput: ({ currentTarget: e }) => p(e.value),
            }),
          ],
        }),
        y !== void 0 && g(he, { problem: y }),
        C && g(pe, { force: m, onChange: h }),
        g(me, {}),
        g(`footer`, {
          children: [
            g(`button`, {
              type: `submit`,
              class: a === `off` ? `danger` : `primary`,
              disabled: _ || !u,
              children: _ ? `Sent …` : `Turn ${a}`,
            }),
            g(`button`, { type: `button`, onClick: s, children: `Cancel` }),
          ],
        }),
      ],
    }),
  });
}
function Q({ what: e, names: t }) {
  if (t.length === 0) return null;
  const n = t.length - gn;
  return g(`p`, {
    class: `warning`,
    children: [e, `: `, t.slice(0, gn).join(`, `), n > 0 && ` and ${n} more`, `.`],
  });
}
function vn({ outlets: e, text: t, reload: n }) {
  const r = t.toLowerCase(),
    a = e.filter(({ outlet: e, feeds: t, state: n }) =>
      [e, n, ...t].join(` `).toLowerCase().includes(r),
    ),
    [s, c] = i(),
    l = a.sort((e, t) => bn(e) - bn(t) || xn(e.outlet, t.outlet));
  return g(o, {
    children: [
      g(`h2`, { children: `Outlets` }),
      g(`p`, {
        class: `filter`,
        children: [
          g(K, {
            label: `Outlet, machine or state`,
            text: t,
            onText: (e) => b(m(`power`, [], { text: e }), !0),
          }),
          g(`span`, { class: `muted`, role: `status`, children: [a.length, ` of `, e.length] }),
        ],
      }),
      g(j, {
        caption: `Outlets`,
        head: [`Outlet`, `Feeds`, `State`, `Watt`, ``, ``],
        children: l.slice(0, 200).map((e) =>
          g(
            `tr`,
            {
              children: [
                g(`th`, { scope: `row`, children: g(J, { port: e.outlet }) }),
                g(`td`, { children: e.feeds.join(`, `) }),
                g(`td`, {
                  children: g(`span`, { class: `state s-${e.state}`, children: e.state }),
                }),
                g(`td`, { class: `number`, children: e.watts?.toFixed(1) }),
                g(`td`, { children: g(yn, { outlet: e }) }),
                g(`td`, {
                  children: g(`button`, {
                    type: `button`,
                    'aria-label': `Turn ${Sn(e)} ${e.outlet}`,
                    onClick: () => c(e),
                    children: [`Turn `, Sn(e)],
                  }),
                }),
              ],
            },
            e.outlet,
          ),
        ),
      }),
      l.length > 200 &&
        g(`p`, { class: `muted`, children: [`and `, l.length - 200, ` more: filter them`] }),
      s &&
        g(_n, {
          outlet: s,
          state: Sn(s),
          onClose: () => {
            c(void 0), n();
          },
        }),
    ],
  });
}
function yn({ outlet: { stuckOff: e, owedSince: t, switchedOff: n, fault: r } }) {
  return g(o, {
    children: [
      e && g(`span`, { class: `failure`, children: `stuck off. ` }),
      t &&
        g(`span`, {
          class: `warning`,
          children: [`to be turned on again, since `, g(T, { time: t }), `.`, ` `],
        }),
      n &&
        g(o, {
          children: [
            `turned off by `,
            n.by,
            `, `,
            g(T, { time: n.at, suffix: ` ago` }),
            `:`,
            ` `,
            n.reason,
            ` `,
          ],
        }),
      r && g(`span`, { class: `failure`, children: r }),
    ],
  });
}
function bn({ stuckOff: e, owedSince: t, fault: n, state: r, switchedOff: i }) {
  return e ? 0 : t ? 1 : n ? 2 : r === `on` ? 5 : i ? 4 : 3;
}
function xn(e, t) {
  return e.localeCompare(t, `en`, { numeric: !0 });
}
function Sn({ state: e, switchedOff: t }) {
  return e === `off` || t ? `on` : `off`;
}
var Cn = 5e3,
  wn = 50;
function Tn({ route: e }) {
  const t = O(
      async (e) => {
        const [{ controllers: t }, { outlets: n }, { holds: r }] = await Promise.all([
          f(`power-cycle-daemon`, `controllers`, { signal: e }),
          f(`power-cycle-daemon`, `outlets`, { signal: e }),
          f(`power-cycle-daemon`, `holds`, { signal: e }),
        ]);
        return { controllers: t, outlets: n, holds: r };
      },
      `power`,
      Cn,
    ),
    n = e.query.get(`text`) ?? ``;
  return g(o, {
    children: [
      g(`h1`, { children: `Power` }),
      g(En, {}),
      g(A, {
        of: t,
        children: ({ controllers: e, outlets: r, holds: i }) =>
          g(o, {
            children: [
              g(dn, { controllers: e }),
              i.length > 0 &&
                g(o, {
                  children: [
                    g(`h2`, { children: `Holds` }),
                    g(j, {
                      caption: `Holds`,
                      head: [`Target`, `By`, `Until`, `Reason`],
                      children: i.map(({ id: e, target: t, by: n, until: r, reason: i }) =>
                        g(
                          `tr`,
                          {
                            children: [
                              g(`th`, { scope: `row`, children: t }),
                              g(`td`, { children: n }),
                              g(`td`, { children: g(v, { time: r }) }),
                              g(`td`, { children: i }),
                            ],
                          },
                          e,
                        ),
                      ),
                    }),
                  ],
                }),
              g(vn, { outlets: r, text: n, reload: t.reload }),
            ],
          }),
      }),
    ],
  });
}
function En() {
  const [e, t] = i(new Map()),
    [n, r] = i(),
    a = O((e) => f(`power-cycle-daemon`, `cycles`, { query: { limit: wn }, signal: e }), `cycles`);
  C(
    () =>
      ze(`power-cycle-daemon`, `cycleEvents`, {
        onOpen: () => r(void 0),
        onEvent: (e, n) => {
          const r = n;
          t((e) => new Map(e).set(r.id, r));
        },
        onLost: (e) => (r(e instanceof Error ? e : Error(`the stream of cycles was closed`)), !0),
      }),
    [],
  );
  const s = new Map((a.value?.cycles ?? []).map((e) => [e.id, e]));
  for (const [t, n] of e) s.set(t, n);
  const c = [...s.values()].sort((e, t) => t.requestedAt.localeCompare(e.requestedAt));
  return g(o, { children: [n && g(D, { error: n }), g(pn, { cycles: c.slice(0, wn) })] });
}
function Dn(e, t) {
  const { shelf: n, condition: r, code: i, cause: a, model: o, pool: s, text: c } = t;
  return (
    (n === void 0 || e.shelf === n) &&
    (r === void 0 || e.condition === r) &&
    (i === void 0 || e.health?.reasons.some((e) => e.code === i) === !0) &&
    (a === void 0 || e.cause === a) &&
    (o === void 0 || On(e).has(o.toLowerCase())) &&
    (s === void 0 || e.pools.includes(s)) &&
    (c === void 0 || kn(e, c))
  );
}
function On({ kind: e, devices: t }) {
  const n = t.flatMap(
    ({ kind: e, dimensions: { device_type: t = [], device_model: n = [] } = {} }) => [
      ...(e === void 0 ? [] : [e]),
      ...t,
      ...n,
    ],
  );
  return new Set([e, ...n].map((e) => e.toLowerCase()));
}
function kn(e, t) {
  const n = t.toLowerCase().split(/\s+/).filter(Boolean);
  if (n.length === 0) return !0;
  const r = JSON.stringify(e).toLowerCase();
  return n.every((e) => r.includes(e));
}
function An(e) {
  return [`ArrowUp`, `ArrowDown`, `ArrowLeft`, `ArrowRight`].includes(e);
}
function jn(e, t, n) {
  const r = n.indexOf(t);
  if (e === `ArrowLeft`) return n[r - 1];
  if (e === `ArrowRight`) return n[r + 1];
  let { left: i, top: a } = t.getBoundingClientRect(),
    o = e === `ArrowDown`,
    s;
  for (const e of n) {
    const t = e.getBoundingClientRect(),
      n = o ? t.top - a : a - t.top;
    if (n < 1) continue;
    const r = Math.abs(t.left - i);
    (!s || n < s.rows - 1 || (Math.abs(n - s.rows) <= 1 && r < s.columns)) &&
      (s = { element: e, rows: n, columns: r });
  }
  return s?.element;
}
var Mn = 8;
function Nn({ rack: e, machines: t }) {
  const n = Pn(t.values()),
    r = Fn(e),
    [a, o] = i(!1),
    s = r.length + n.length - Mn,
    c = a ? n : n.slice(0, Mn),
    l = [...r, ...c.map((e) => g(In, { machine: e }, e.name))],
    u = `${n.length} ${n.length === 1 ? `machine needs` : `machines need`} a person`;
  return g(`section`, {
    class: `attention`,
    'aria-label': `Needs attention`,
    children: [
      g(`h2`, {
        children: [
          n.length > 0 ? u : `No machine needs a person`,
          n.length > 0 && g(`a`, { href: m(`visit`), children: `List for a visit` }),
          s > 0 &&
            g(`button`, {
              type: `button`,
              'aria-expanded': a,
              onClick: () => o(!a),
              children: a ? `Fewer` : `${s} more`,
            }),
        ],
      }),
      l.length > 0 && g(`ul`, { children: a ? l : l.slice(0, Mn) }),
    ],
  });
}
function Pn(e) {
  return [...e]
    .filter(({ needsPerson: e }) => e !== void 0)
    .sort(({ since: e = `` }, { since: t = `` }) => (e < t ? -1 : +(e > t)));
}
function Fn({ rackFile: e, causes: t, alerts: n, alertPath: r, services: i }) {
  const a = i.filter(({ ready: e, degraded: t }) => !e || t.length > 0),
    o = a.find(({ name: e }) => e === `alert-to-pubsub`),
    s =
      r ??
      (o?.reachable === !1
        ? { isBroken: !0, text: o.why ?? `alert-to-pubsub does not answer` }
        : void 0);
  return [
    ...(s
      ? [
          g(
            $,
            {
              isBad: s.isBroken,
              href: m(`alerts`),
              title: s.isBroken
                ? `Alerts may not get through`
                : `Alert delivery: not yet confirmed`,
              text: s.text,
            },
            `alert path`,
          ),
        ]
      : []),
    ...e.problems
      .slice(0, 1)
      .map((e) =>
        g(
          $,
          { isBad: !0, href: m(`rack-file`), title: `rack.yaml was rejected`, text: e },
          `rack.yaml`,
        ),
      ),
    ...t.map(({ what: e, text: t, since: n, machines: r }) =>
      g(
        $,
        {
          isBad: !0,
          href: m(`rack`, [], { port: e }),
          title: e,
          since: n,
          text: t,
          more: g(`a`, { href: m(`rack`, [], { cause: e }), children: [r.length, ` machines`] }),
        },
        e,
      ),
    ),
    ...n.map(({ name: e, summary: t, since: n }) =>
      g($, { href: m(`alerts`), title: e, since: n, text: t }, `${e} ${n}`),
    ),
    ...a.map(({ name: e, ready: t, why: n, degraded: [r] }) =>
      g(
        $,
        {
          isBad: !t,
          href: m(`services`),
          title: `${e}: ${t ? `degraded` : `not ready`}`,
          since: r?.since,
          text: n ?? (r && `${r.what}: ${r.why}`),
        },
        e,
      ),
    ),
  ];
}
function $({ href: e, title: t, since: n, text: r, more: i, isBad: a }) {
  return g(`li`, {
    class: `card ${a ? `bad` : ``}`,
    children: [
      g(`p`, { children: [g(`a`, { href: e, children: t }), n && g(T, { time: n })] }),
      g(`p`, { title: r, children: r }),
      i && g(`p`, { children: i }),
    ],
  });
}
function In({ machine: e }) {
  const { name: t, condition: n, since: r, needsPerson: i, sentence: a } = e;
  return g(`li`, {
    class: `card c-${n}`,
    children: [
      g(`p`, { children: [g(q, { name: t }), g(T, { time: r })] }),
      g(`p`, { title: i, children: i }),
      g(`p`, { class: `muted`, title: a, children: [g(B, { condition: n }), ` `, a] }),
    ],
  });
}
function Ln({ elements: e, port: t, linked: n, isMachine: r, onPort: i }) {
  return g(`section`, {
    class: `elements`,
    'aria-label': `Infrastructure`,
    children: e.map((e) => {
      const { name: a, model: s, state: c, why: l, since: u, power: d, uplink: f, ports: p } = e,
        h = p.find((e) => `${a}/${e.port}` === t);
      return g(
        `article`,
        {
          id: `element-${a}`,
          class: t === a ? `linked` : ``,
          children: [
            g(`h2`, {
              children: [
                a,
                ` `,
                g(`small`, { children: s }),
                g(`span`, {
                  class: `state s-${c}`,
                  children: [c, c === `down` && g(o, { children: [` `, g(T, { time: u })] })],
                }),
              ],
            }),
            l && g(`p`, { class: `failure`, children: l }),
            g(`p`, {
              class: `muted`,
              children: [
                f && g(o, { children: [`uplink `, f, ` · `] }),
                d.length > 0 && g(o, { children: [`power `, d.join(`, `), ` · `] }),
                g(`a`, { href: m(`backups`, [a]), children: `backup` }),
                ` `,
                g(T, { time: e.lastBackup, suffix: ` old` }),
              ],
            }),
            g(`ul`, {
              class: `ports`,
              children: p.map((e) => {
                const r = `${a}/${e.port}`;
                return g(
                  `li`,
                  { children: g(Rn, { id: r, port: e, isLinked: n.has(r) || r === t, onPort: i }) },
                  r,
                );
              }),
            }),
            g(`div`, {
              role: `status`,
              class: `cable`,
              children: h && g(Bn, { element: a, port: h, isMachine: r }),
            }),
          ],
        },
        a,
      );
    }),
  });
}
var Rn = class extends L {
  shouldComponentUpdate({ port: e, isLinked: t }) {
    return t !== this.props.isLinked || JSON.stringify(e) !== JSON.stringify(this.props.port);
  }
  render() {
    const { id: e, port: t, isLinked: n, onPort: r } = this.props,
      { powers: i, connects: a, state: o } = t,
      s = i.length + a.length > 0,
      c = s ? zn(t) : `not in use`;
    return g(`button`, {
      type: `button`,
      class: `port ${s ? `p-${o ?? `data`}` : `p-free`} ${n ? `linked` : ``}`,
      'aria-label': `${e}: ${c}`,
      title: `${e}: ${c}`,
      'data-port': e,
      onFocus: () => s && r(e),
      onClick: () => r(e),
      children: t.port.replace(/^\D+/, ``),
    });
  }
};
function zn({ powers: e, connects: t, state: n }) {
  return [n, e.length > 0 && `feeds ${e.join(`, `)}`, t.length > 0 && `network of ${t.join(`, `)}`]
    .filter(Boolean)
    .join(`; `);
}
function Bn({ element: e, port: t, isMachine: n }) {
  const r = [...new Set([...t.connects, ...t.powers])];
  return g(`p`, {
    children: [
      g(`b`, { children: [e, `/`, t.port] }),
      ` `,
      `⟷`,
      ` `,
      r.length === 0
        ? `nothing`
        : r.map((e, r) =>
            g(
              `span`,
              {
                children: [
                  r > 0 && `, `,
                  n(e) ? g(q, { name: e }) : e,
                  g(`span`, {
                    class: `muted`,
                    children: [
                      ` `,
                      [t.connects.includes(e) && `network`, t.powers.includes(e) && `power`]
                        .filter(Boolean)
                        .join(` and `),
                    ],
                  }),
                ],
              },
              e,
            ),
          ),
      t.state && g(`span`, { class: `muted`, children: [` · outlet `, t.state] }),
    ],
  });
}
var Vn = [`condition`, `shelf`, `model`, `pool`, `code`, `cause`, `text`];
function Hn(e) {
  const t = Vn.flatMap((t) => {
    const n = e.get(t);
    return n ? [[t, n]] : [];
  });
  return Object.fromEntries(t);
}
function Un({ kind: e, devices: t }) {
  return [e, ...t.flatMap(({ dimensions: e }) => e?.device_type ?? [])];
}
function Wn({ health: e }) {
  return (e?.reasons ?? []).map(({ code: e }) => e);
}
function Gn(e, t) {
  return [...new Set([...e].flatMap(t))].sort();
}
function Kn({ machines: e, filter: t, shelves: n, matching: r }) {
  const i = [...e.values()],
    a = [
      [`shelf`, `Shelf`, n],
      [`model`, `Model`, Gn(i, Un)],
      [`pool`, `Pool`, Gn(i, ({ pools: e }) => e)],
      [`code`, `Reason`, Gn(i, Wn)],
    ],
    o = Object.keys(t).length > 0;
  return g(`section`, {
    class: `filter`,
    'aria-label': `Filter`,
    children: [
      g(`ul`, {
        class: `counts`,
        children: ce.map((e) => {
          const n = i.filter((t) => t.condition === e).length,
            r = t.condition === e;
          return n === 0 && !r
            ? null
            : g(
                `li`,
                {
                  children: g(`a`, {
                    class: r ? `on` : ``,
                    'aria-current': r ? `true` : void 0,
                    href: m(`rack`, [], { ...t, condition: r ? void 0 : e }),
                    children: [g(`b`, { children: n }), ` `, g(B, { condition: e })],
                  }),
                },
                e,
              );
        }),
      }),
      g(`div`, {
        class: `choices`,
        children: [
          a.map(([e, n, r]) =>
            r.length > 1 || t[e]
              ? g(
                  `select`,
                  {
                    'aria-label': n,
                    value: t[e] ?? ``,
                    onChange: ({ currentTarget: n }) => b(m(`rack`, [], { ...t, [e]: n.value })),
                    children: [
                      g(`option`, { value: ``, children: [n, `: all`] }),
                      r.map((e) => g(`option`, { value: e, children: e }, e)),
                    ],
                  },
                  e,
                )
              : null,
          ),
          g(`input`, {
            type: `search`,
            'aria-label': `Words in any field`,
            placeholder: `Filter by words`,
            value: t.text ?? ``,
            onInput: ({ currentTarget: e }) => b(m(`rack`, [], { ...t, text: e.value }), !0),
          }),
          g(`span`, {
            class: `muted`,
            role: `status`,
            children: o ? `${r} of ${i.length} machines` : `${i.length} machines`,
          }),
          o && g(`a`, { href: m(`rack`), children: `Show all` }),
        ],
      }),
    ],
  });
}
var qn = class extends L {
    shouldComponentUpdate(e) {
      return Object.keys(e).some((t) => e[t] !== this.props[t]);
    }
    render() {
      const { machine: e, label: t, now: n, isChosen: r, isLinked: i, isTabStop: a } = this.props,
        { name: o, condition: s, since: c, task: l, needsPerson: u } = e,
        d = (e) => (e ? k(n - Date.parse(e)) : ``),
        f = `\t${d(c)}\n${de(s)}${l ? ` ▸ ${d(l.since)}` : ``}`,
        p = [
          `${t}${f}`.replace(/\s+/g, ` `),
          o,
          u && `needs a person: ${u}`,
          e.flapping && `flapping`,
          r && `selected`,
        ],
        h = [`tile`, `c-${s}`, r && `chosen`, i && `linked`, u && `person`];
      return g(`a`, {
        class: h.filter(Boolean).join(` `),
        href: m(`machine`, [o]),
        'data-machine': o,
        tabIndex: a ? 0 : -1,
        title: `${o}\n${e.sentence}`,
        'aria-label': p.filter(Boolean).join(`, `),
        children: [s !== `ok` && g(fe, { condition: s }), g(`b`, { children: t }), f],
      });
    }
  },
  Jn = 6e4,
  Yn = 120;
function Xn({ shelves: e, machines: t, matching: n, chosen: r, linked: i, tabStop: a }) {
  const o = Math.floor(x() / Jn) * Jn;
  return g(`div`, {
    class: t.size > Yn ? `shelves dense` : `shelves`,
    children: e.map((e) => {
      const s = e.machines.flatMap((e) => t.get(e) ?? []),
        c = Zn(e.machines),
        l = s.filter(({ condition: e }) => e === `ok`).length;
      return g(
        `section`,
        {
          class: `shelf`,
          'aria-label': e.name,
          children: [
            g(`h2`, {
              children: [
                g(`a`, { href: m(`rack`, [], { shelf: e.name }), children: e.name }),
                g(`small`, { children: [l, `/`, s.length, ` ok`] }),
              ],
            }),
            g(`ul`, {
              class: `tiles`,
              children: s.map((e) =>
                g(
                  `li`,
                  {
                    children: n.has(e.name)
                      ? g(qn, {
                          machine: e,
                          label: e.label ?? e.name.slice(c.length),
                          now: o,
                          isChosen: r.has(e.name),
                          isLinked: i.has(e.name),
                          isTabStop: e.name === a,
                        })
                      : g(`span`, { class: `empty` }),
                  },
                  e.name,
                ),
              ),
            }),
          ],
        },
        e.name,
      );
    }),
  });
}
function Zn([e = ``, ...t]) {
  let n = e.lastIndexOf(`-`) + 1;
  for (; n > 0 && !t.every((t) => t.startsWith(e.slice(0, n))); ) n = e.lastIndexOf(`-`, n - 2) + 1;
  return e.slice(0, n);
}
function Qn({ route: t }) {
  const n = e((e) => e.rack),
    r = e((e) => e.machines);
  return n
    ? g($n, { route: t, rack: n, machines: r })
    : g(`p`, { class: `muted loading`, children: `Loading …` });
}
function $n({ route: e, rack: t, machines: n }) {
  const r = Hn(e.query),
    o = e.query.get(`port`) ?? void 0,
    [s, c] = i(new Set()),
    [l, u] = i(),
    [d, f] = i(!1);
  C(() => {
    let e,
      t = requestAnimationFrame(() => {
        t = requestAnimationFrame(() => {
          e = window.setTimeout(() => f(!0));
        });
      });
    return () => {
      cancelAnimationFrame(t), clearTimeout(e);
    };
  }, []);
  const p = a(() => {
      const e = [...n.values()].filter((e) => Dn(e, r));
      return new Set(e.map(({ name: e }) => e));
    }, [n, e]),
    h = t.shelves.flatMap((e) => e.machines).filter((e) => p.has(e)),
    _ = l !== void 0 && p.has(l) ? l : h[0],
    v = a(() => er(o, t), [o, t]),
    y = a(() => {
      const e = l === void 0 ? void 0 : n.get(l)?.wiring;
      return new Set([...(e?.uplink ? [e.uplink] : []), ...(e?.power ?? [])]);
    }, [l, n]);
  C(() => {
    const [e = ``] = (o ?? ``).split(`/`),
      t = document.getElementById(`element-${e}`);
    t && !t.contains(document.activeElement) && t.scrollIntoView({ block: `center` });
  }, [o, d]);
  function x(e) {
    const t = new Set(s);
    t.delete(e) || t.add(e), c(t);
  }
  function S(e) {
    W(e, s.size > 0 ? [...s] : l === void 0 ? [] : [l]);
  }
  G(`Rack`, [
    { key: `ArrowDown`, what: `with the other arrows: from tile to tile`, run: () => rr(_) },
    { key: ` `, what: `selects the machine`, run: () => l !== void 0 && x(l) },
    { key: `a`, what: `selects all that the filter shows`, run: () => c(new Set(h)) },
    { key: `Escape`, what: `selects nothing`, run: () => c(new Set()) },
    ...Object.entries(z).map(([e, { key: t, title: n }]) => ({
      key: t,
      what: `${n}, of the selection or the tile`,
      run: () => S(e),
    })),
  ]);
  function w(e) {
    const t = e.target;
    An(e.key) &&
      t instanceof HTMLElement &&
      t.dataset.machine &&
      (e.preventDefault(), jn(e.key, t, nr(e.currentTarget))?.focus());
  }
  return g(`div`, {
    class: `rack`,
    children: [
      g(Nn, { rack: t, machines: n }),
      g(`div`, {
        children: [
          g(Kn, {
            machines: n,
            filter: r,
            shelves: t.shelves.map(({ name: e }) => e),
            matching: p.size,
          }),
          g(`div`, {
            onKeyDown: w,
            onFocusIn: ({ target: e }) => u(tr(e)),
            onClick: (e) => {
              const t = tr(e.target);
              t !== void 0 && (e.ctrlKey || e.metaKey || e.shiftKey) && (e.preventDefault(), x(t));
            },
            children: g(Xn, {
              shelves: t.shelves,
              machines: n,
              matching: p,
              chosen: s,
              linked: v,
              tabStop: _,
            }),
          }),
          d &&
            g(Ln, {
              elements: t.elements,
              port: o,
              linked: y,
              isMachine: (e) => n.has(e),
              onPort: (e) => b(m(`rack`, [], { ...r, port: e }), !0),
            }),
        ],
      }),
      s.size > 0 &&
        g(`section`, {
          class: `selection`,
          'aria-label': `Selection`,
          children: [
            g(`b`, { role: `status`, children: [s.size, ` selected`] }),
            g(Et, { names: [...s] }),
            h.some((e) => !s.has(e)) &&
              g(`button`, {
                type: `button`,
                class: `quiet`,
                onClick: () => c(new Set(h)),
                children: [`Select all `, h.length, ` shown`],
              }),
            g(`button`, {
              type: `button`,
              class: `quiet`,
              onClick: () => c(new Set()),
              children: `Select nothing`,
            }),
          ],
        }),
    ],
  });
}
function er(e, t) {
  const n = t.elements.flatMap(({ name: t, ports: n }) =>
    n
      .filter((n) => e === t || e === `${t}/${n.port}`)
      .flatMap(({ powers: e, connects: t }) => [...e, ...t]),
  );
  return new Set(n);
}
function tr(e) {
  return (e instanceof Element ? e.closest(`[data-machine]`) : null)?.dataset.machine;
}
function nr(e) {
  return e instanceof HTMLElement ? [...e.querySelectorAll(`[data-machine]`)] : [];
}
function rr(e) {
  nr(document.body)
    .find(({ dataset: t }) => t.machine === e)
    ?.focus();
}
function ir() {
  const t = e(({ rack: e }) => e?.rackFile);
  if (!t) return g(`p`, { class: `muted loading`, children: `Loading …` });
  const { loadedAt: n, warnings: r, problems: i, changes: a } = t;
  return g(o, {
    children: [
      g(`h1`, { children: `rack.yaml` }),
      g(`p`, { children: [`In force for `, g(T, { time: n }), `.`] }),
      i.length > 0 &&
        g(`section`, {
          class: `card bad`,
          children: [
            g(`h2`, { children: `The file of now was rejected` }),
            g(`p`, { children: `The last good one stays in force.` }),
            g(ar, { lines: i }),
          ],
        }),
      g(`h2`, { children: `What the last reload changed` }),
      g(ar, { lines: a }),
      g(`h2`, { children: `Warnings` }),
      g(ar, { lines: r }),
    ],
  });
}
function ar({ lines: e }) {
  return e.length === 0
    ? g(`p`, { class: `muted`, children: `None.` })
    : g(`ul`, {
        class: `lines`,
        children: e.map((e) => g(`li`, { children: g(`code`, { children: e }) }, e)),
      });
}
function or() {
  const t = e(({ rack: e }) => e?.services);
  return g(o, {
    children: [
      g(`h1`, { children: `Services` }),
      g(j, {
        caption: `Services`,
        head: [`Service`, `State`, `Version`, `What is wrong`, `For`],
        children: t?.map(({ name: e, reachable: t, ready: n, version: r, why: i, degraded: a }) => {
          const s = t ? (n ? (a.length > 0 ? `degraded` : `ready`) : `not ready`) : `unreachable`,
            c = i ? [{ what: ``, why: i, since: void 0 }, ...a] : a,
            l = c.length > 0 ? c : [{ what: ``, why: ``, since: void 0 }];
          return l.map((t, n) =>
            g(
              `tr`,
              {
                children: [
                  n === 0 &&
                    g(o, {
                      children: [
                        g(`th`, { scope: `row`, rowSpan: l.length, children: e }),
                        g(`td`, {
                          rowSpan: l.length,
                          children: g(`span`, {
                            class: `state v-${s.replace(` `, `-`)}`,
                            children: s,
                          }),
                        }),
                        g(`td`, { rowSpan: l.length, children: r }),
                      ],
                    }),
                  g(`td`, { children: t.what ? `${t.what}: ${t.why}` : t.why }),
                  g(`td`, { children: t.since && g(T, { time: t.since }) }),
                ],
              },
              `${e} ${t.what}`,
            ),
          );
        }),
      }),
    ],
  });
}
var sr = [`1`, `7`, `30`, `90`];
function cr({ route: e }) {
  const t = e.query.get(`days`) ?? `30`,
    n = O((e) => f(`machine-state`, `sickest`, { query: { days: t, limit: 50 }, signal: e }), t);
  return g(o, {
    children: [
      g(`h1`, { children: `Most time lost to faults` }),
      g(`nav`, {
        class: `tabs`,
        'aria-label': `Period`,
        children: sr.map((e) =>
          g(
            `a`,
            {
              href: m(`sickest`, [], { days: e }),
              'aria-current': e === t ? `true` : void 0,
              children: e === `1` ? `last day` : `last ${e} days`,
            },
            e,
          ),
        ),
      }),
      g(A, {
        of: n,
        children: ({ machines: e }) =>
          g(j, {
            caption: `Machines`,
            head: [`Machine`, `Lost`, `Faults`, `Reasons`],
            children: e.map(({ name: e, times: t, seconds: n, codes: r }) =>
              g(
                `tr`,
                {
                  children: [
                    g(`th`, { scope: `row`, children: g(q, { name: e }) }),
                    g(`td`, { class: `number`, children: E(n * 1e3) }),
                    g(`td`, { class: `number`, children: t }),
                    g(`td`, { children: r.map(({ code: e, times: t }) => `${e} ${t}`).join(`, `) }),
                  ],
                },
                e,
              ),
            ),
          }),
      }),
    ],
  });
}
var lr = 1e4;
function ur({ route: e }) {
  const t = O(
      async (e) => {
        const [{ identities: t }, { clients: n }] = await Promise.all([
          f(`metadata-server`, `identities`, { signal: e }),
          f(`metadata-server`, `clients`, { signal: e }),
        ]);
        return { identities: t, clients: n };
      },
      `tokens`,
      lr,
    ),
    n = e.query.get(`text`) ?? ``;
  return g(o, {
    children: [
      g(`h1`, { children: `Tokens` }),
      g(A, {
        of: t,
        children: ({ identities: e, clients: t }) => {
          const r = t.filter((e) => JSON.stringify(e).toLowerCase().includes(n.toLowerCase()));
          return g(o, {
            children: [
              g(j, {
                caption: `Identities`,
                head: [`Identity`, `Account`, `Token`, `Last renewed`, ``],
                children: e.map(
                  ({ name: e, email: t, tokenRemainingSeconds: n, lastSuccess: r, ...i }) =>
                    g(
                      `tr`,
                      {
                        children: [
                          g(`th`, { scope: `row`, children: e }),
                          g(`td`, { children: t }),
                          g(`td`, {
                            children:
                              n === void 0
                                ? g(`span`, { class: `failure`, children: `none that is valid` })
                                : `valid for ${E(n * 1e3)}`,
                          }),
                          g(`td`, { children: g(T, { time: r, suffix: ` ago` }) }),
                          g(`td`, { children: i.lastFailureReason }),
                        ],
                      },
                      e,
                    ),
                ),
              }),
              g(`h2`, {
                children: [
                  `Clients`,
                  g(K, {
                    label: `Client, identity or address`,
                    text: n,
                    onText: (e) => b(m(`tokens`, [], { text: e }), !0),
                  }),
                ],
              }),
              g(j, {
                caption: `Clients`,
                head: [`Client`, `Address`, `Identity`, `Last token`, `Requests`],
                children: r
                  .slice(0, 500)
                  .map(
                    ({
                      name: e,
                      kind: t,
                      address: n,
                      identity: r,
                      lastTokenAsked: i,
                      requests: a,
                    }) =>
                      g(
                        `tr`,
                        {
                          children: [
                            g(`th`, {
                              scope: `row`,
                              children: t === `machine` ? g(q, { name: e }) : e,
                            }),
                            g(`td`, { children: n }),
                            g(`td`, {
                              children: r ?? g(`span`, { class: `muted`, children: `none` }),
                            }),
                            g(`td`, { children: g(T, { time: i, suffix: ` ago` }) }),
                            g(`td`, { class: `number`, children: a }),
                          ],
                        },
                        `${e} ${n}`,
                      ),
                  ),
              }),
            ],
          });
        },
      }),
    ],
  });
}
function dr() {
  const t = e((e) => e.rack),
    n = e((e) => e.machines);
  if (!t) return g(`p`, { class: `muted loading`, children: `Loading …` });
  const r = t.shelves.map(({ name: e, machines: t }) => ({
      name: e,
      waiting: Pn(t.flatMap((e) => n.get(e) ?? [])).sort((e, t) => e.name.localeCompare(t.name)),
    })),
    i = r.reduce((e, { waiting: t }) => e + t.length, 0);
  return g(`article`, {
    class: `visit`,
    children: [
      g(`h1`, {
        children: [
          t.rack,
          `: `,
          i,
          ` `,
          i === 1 ? `machine needs` : `machines need`,
          ` a person`,
          g(`button`, { type: `button`, onClick: () => print(), children: `Print` }),
        ],
      }),
      t.causes.length > 0 &&
        g(`section`, {
          children: [
            g(`h2`, { children: `Common causes` }),
            g(`ul`, {
              class: `tasks`,
              children: t.causes.map(({ what: e, text: n, since: r }) =>
                g(
                  `li`,
                  {
                    children: [
                      g(`span`, { class: `box`, 'aria-hidden': `true` }),
                      g(`div`, {
                        children: [
                          g(`p`, { children: [g(`b`, { children: e }), ` `, g(T, { time: r })] }),
                          g(`p`, { children: n }),
                          g(`p`, { class: `muted`, children: fr(e, t) }),
                        ],
                      }),
                    ],
                  },
                  e,
                ),
              ),
            }),
          ],
        }),
      r
        .filter(({ waiting: e }) => e.length > 0)
        .map(({ name: e, waiting: t }) =>
          g(
            `section`,
            {
              children: [
                g(`h2`, { children: e }),
                g(`ul`, {
                  class: `tasks`,
                  children: t.map((e) =>
                    g(
                      `li`,
                      {
                        children: [
                          g(`span`, { class: `box`, 'aria-hidden': `true` }),
                          g(`div`, {
                            children: [
                              g(`p`, {
                                children: [
                                  g(`b`, { children: g(q, { name: e.name }) }),
                                  ` `,
                                  g(B, { condition: e.condition }),
                                  ` `,
                                  g(T, { time: e.since }),
                                ],
                              }),
                              g(`p`, { children: e.needsPerson }),
                              g(`p`, {
                                class: `muted`,
                                children: [
                                  e.sentence,
                                  ` Port `,
                                  e.wiring.uplink ?? `unknown`,
                                  `, power`,
                                  ` `,
                                  e.wiring.power.join(`, `) || `unknown`,
                                  e.devices.map(({ serial: e }) => e && `, serial ${e}`),
                                  `.`,
                                ],
                              }),
                            ],
                          }),
                        ],
                      },
                      e.name,
                    ),
                  ),
                }),
              ],
            },
            e,
          ),
        ),
    ],
  });
}
function fr(e, { elements: t }) {
  const n = t.find(({ name: t }) => t === e),
    r = n?.power.join(`, `) || `unknown`;
  return `Uplink ${n?.uplink ?? `unknown`}, power ${r}. Its machines are not listed below.`;
}
var pr = [
  { name: `rack`, title: `Rack`, component: Qn },
  { name: `power`, title: `Power`, component: Tn },
  { name: `backups`, title: `Backups`, component: St },
  { name: `alerts`, title: `Alerts`, component: et },
  { name: `tokens`, title: `Tokens`, component: ur },
  { name: `services`, title: `Services`, component: or },
  { name: `audit`, title: `Audit`, component: ut },
  { name: `rack-file`, title: `rack.yaml`, component: ir },
  { name: `sickest`, title: `Sickest`, component: cr },
  { name: `machine`, below: `rack`, component: ln },
  { name: `visit`, below: `rack`, component: dr },
];
function mr() {
  const t = e((e) => e.session),
    [n, r] = i(!1);
  return t
    ? t.signedIn
      ? g(o, {
          children: [
            g(`button`, {
              type: `button`,
              class: `quiet`,
              onClick: () => r(!0),
              children: [t.name, ` `, g(`span`, { class: `muted`, children: t.role })],
            }),
            n &&
              g(V, {
                title: t.name,
                onClose: () => r(!1),
                children: [
                  g(`p`, {
                    children: [
                      `Role `,
                      g(`b`, { children: t.role }),
                      `.`,
                      ` `,
                      t.expiresAt &&
                        g(o, { children: [`The session ends `, g(M, { time: t.expiresAt }), `.`] }),
                    ],
                  }),
                  g(`button`, { type: `button`, onClick: () => void Ye(), children: `Sign out` }),
                ],
              }),
          ],
        })
      : g(`button`, { type: `button`, onClick: () => w({ session: null }), children: `Sign in` })
    : null;
}
function hr() {
  return e((e) => e.session === null) ? g(Qe, {}) : g(gr, {});
}
function gr() {
  const t = I(),
    [n, r] = i(!1),
    [a, s] = _(),
    c = e(({ rack: e, session: t }) => e?.rack ?? t?.rack),
    l = e(({ session: e }) => e?.hasOtherRacks),
    u = pr.find(({ name: e }) => e === t.view);
  G(`Everywhere`, [
    { key: `?`, what: `shows these keys`, run: () => r(!0) },
    { key: `/`, what: `searches`, run: () => document.getElementById(`search`)?.focus() },
    ...pr
      .filter(({ title: e }) => e)
      .map(({ name: e, title: t }, n) => ({ key: `${n + 1}`, what: t ?? ``, run: () => b(m(e)) })),
  ]),
    C(() => {
      const e = t.args[0] ?? u?.title ?? ``;
      document.title = [e, c, `skolo`].filter(Boolean).join(` · `);
    }, [t, c]);
  const d = u?.component;
  return g(o, {
    children: [
      g(`button`, { type: `button`, class: `skip`, onClick: _r, children: `Skip to the content` }),
      g(`header`, {
        class: `top`,
        children: [
          l && g(`a`, { href: `../`, children: `All racks` }),
          g(`a`, { class: `rack-name`, href: m(`rack`), children: c ?? `skolo` }),
          g(`nav`, {
            'aria-label': `Views`,
            children: pr.map(({ name: e, title: n }) =>
              n
                ? g(
                    `a`,
                    {
                      href: m(e),
                      'aria-current': e === (u?.below ?? t.view) ? `page` : void 0,
                      children: n,
                    },
                    e,
                  )
                : null,
            ),
          }),
          g(Ce, {}),
          g(mr, {}),
          g(`button`, {
            type: `button`,
            class: `quiet`,
            'aria-label': `Colours: ${a}. Change`,
            title: `Colours: ${a}`,
            onClick: s,
            children: a === `auto` ? `◐` : a === `light` ? `○` : `●`,
          }),
          g(`button`, {
            type: `button`,
            class: `quiet`,
            'aria-label': `Keys`,
            title: `Keys: ?`,
            onClick: () => r(!0),
            children: `?`,
          }),
        ],
      }),
      g(we, {}),
      g(`main`, {
        id: `main`,
        tabIndex: -1,
        children: d
          ? g(d, { route: t })
          : g(`p`, {
              children: [
                `There is no view “`,
                t.view,
                `”. `,
                g(`a`, { href: m(`rack`), children: `To the rack` }),
              ],
            }),
      }),
      g(be, {}),
      n && g(Me, { onClose: () => r(!1) }),
    ],
  });
}
function _r() {
  document.getElementById(`main`)?.focus();
}
var vr = 150;
function yr() {
  xr(), clearTimeout(br);
  const e = document.getElementById(`app`);
  e && d(g(hr, {}), e);
}
ee();
var br = setTimeout(yr, vr),
  xr = l(() => {
    const { rack: e, session: t } = r();
    (e || t === null) && yr();
  });
Ke();
