import {
  j as a,
  r as c,
  v as d,
  L as e,
  x as f,
  g as i,
  s as l,
  S as n,
  l as o,
  b as r,
  o as s,
  R as t,
  t as u,
} from './table-C8XzpQI-.js';

var p = 2e3;
function m() {
  const e = s(y, `racks`, p),
    [t, ...n] = e.value ?? [],
    i = t?.connection === `live` && n.length === 0;
  return (
    a(() => {
      t && i && location.replace(v(t));
    }, [i]),
    r(`main`, {
      id: `main`,
      children: [
        r(`h1`, { children: `Racks` }),
        r(c, {
          of: e,
          children: (e) =>
            r(u, {
              caption: `Racks`,
              head: [`Rack`, `Connection`, `Machines`, `What is wrong`],
              children: e.map((e) => r(g, { rack: e }, e.name)),
            }),
        }),
      ],
    })
  );
}
var h = { connecting: `connecting`, live: `connected`, lost: `not reachable` };
function g({ rack: t }) {
  const { name: n, connection: i, since: a, why: s, known: c } = t,
    l = i !== `live`;
  return r(`tr`, {
    children: [
      r(`th`, { scope: `row`, children: r(`a`, { href: v(t), children: n }) }),
      r(`td`, {
        children: [
          r(`span`, { class: `state ${i === `lost` ? `v-unreachable` : ``}`, children: h[i] }),
          ` `,
          `for `,
          r(o, { time: a }),
          s && r(`p`, { children: s }),
        ],
      }),
      r(`td`, {
        children: c
          ? r(e, {
              children: [
                c.needPerson > 0 ? r(`b`, { children: c.needPerson }) : `None`,
                ` of `,
                c.machines,
                ` `,
                c.needPerson === 1 ? `needs` : `need`,
                ` a person`,
                l && r(`p`, { class: `muted`, children: `when it was last connected` }),
              ],
            })
          : r(`span`, { class: `muted`, children: `not known` }),
      }),
      r(`td`, { children: c && r(_, { known: c }) }),
    ],
  });
}
function _({ known: t }) {
  const { causes: n, alerts: i, services: a } = t;
  return n.length === 0 && i === 0 && a.length === 0
    ? r(e, { children: `Nothing` })
    : r(`ul`, {
        children: [
          n.map(({ what: e, text: t, since: n }) =>
            r(`li`, { children: [t, `, for `, r(o, { time: n })] }, e),
          ),
          a.length > 0 && r(`li`, { children: [`degraded: `, a.join(`, `)] }),
          i > 0 &&
            r(`li`, { children: [i, ` `, i === 1 ? `alert` : `alerts`, ` of the rack itself`] }),
        ],
      });
}
function v({ name: e }) {
  return `./${encodeURIComponent(e)}/`;
}
async function y(e) {
  const t = d(location.hash).query.get(`code`);
  return (
    t && (i(`#/`, !0), await n(`desk`, `signIn`, { body: { code: t } }).catch(b)),
    (await n(`desk`, `racks`, { signal: e }).catch(b)).racks
  );
}
function b(e) {
  throw e instanceof f ? Error(e.message) : e;
}
l();
var x = document.getElementById(`app`);
x && t(r(m, {}), x);
