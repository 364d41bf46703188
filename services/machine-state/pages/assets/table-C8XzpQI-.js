var e,
  t,
  n,
  r,
  i,
  a,
  o,
  s,
  c,
  l,
  u = Symbol.for(`pv`),
  d = {},
  f = [],
  p = /^m(i|n|o|s|text|space)$/,
  m = Array.isArray,
  h = f.slice,
  g = Object.assign;
function _(e) {
  e && e.parentNode && e.remove();
}
function v(n, r, i, a, o) {
  var s = {
    type: n,
    props: r,
    key: i,
    ref: a,
    __k: null,
    __: null,
    __b: 0,
    __e: null,
    __c: null,
    constructor: u,
    __v: o || ++t,
    __i: -1,
    __u: 0,
  };
  return !o && e.vnode && e.vnode(s), s;
}
function y(e) {
  return e.children;
}
function b(e, t) {
  (this.props = e), (this.context = t), (this.__g = 0);
}
function x(e, t) {
  if (t == null) return e.__ && x(e.__, e.__i + 1);
  for (var n; t < e.__k.length; t++) if ((n = e.__k[t]) && n.__e) return n.__e;
  return typeof e.type != `function` || e.props.__P ? null : x(e);
}
function S(t) {
  var n,
    r = t.__v,
    i = r.__e,
    a = [],
    o = [],
    s = t.__P;
  s &&
    (((n = g({ constructor: u }, r)).__v = r.__v + 1),
    e.vnode && e.vnode(n),
    M(s, n, r, t.__n, s.namespaceURI, 32 & r.__u ? [i] : null, a, i || x(r), 32 & r.__u, o),
    (n.__v = r.__v),
    (n.__.__k[n.__i] = n),
    P(a, n, o),
    (r.__ = r.__e = null),
    n.__e != i && C(n));
}
function C(e) {
  if ((e = e.__) && e.__c && !e.props.__P)
    return (e.__e = null), e.__k.some((t) => t && (e.__e = t.__e)), C(e);
}
function w(t) {
  ((8 & t.__g || ((t.__g |= 8), n.push(t), i++)) && r == e.debounceRendering) ||
    ((r = e.debounceRendering) || queueMicrotask)(T);
}
function T() {
  try {
    for (var e, t = 1; n.length; )
      n.length > t && n.sort(a), (e = n.shift()), (t = n.length), 8 & e.__g && S(e);
  } finally {
    (i = n.length) && (r || queueMicrotask)(T);
  }
}
function ee(e, t, n, r, i, a, o, s, c, l, u) {
  var p,
    m,
    h,
    g,
    _,
    v,
    y = r.__k || f,
    b = t.length;
  for (c = E(n, t, y, c, b), p = 0; p < b; p++)
    (h = n.__k[p]) != null &&
      ((m = (~h.__i && y[h.__i]) || d),
      (h.__i = p),
      (v = M(e, h, m, i, a, o, s, c, l, u)),
      (g = h.__e),
      (m.ref != h.ref || 8 & m.__u) &&
        (m.ref && F(m.ref, null, h, m), h.ref && u.push(h.ref, h.__c || g, h)),
      (_ ||= g),
      4 & h.__u
        ? ((c = D(h, c, e, !m.__v)), m.__e && (m.__e = null))
        : typeof h.type == `function` && v !== void 0
          ? (c = v)
          : g && (c = g.nextSibling),
      (h.__u &= -21));
  return (n.__e = _), c;
}
function E(e, t, n, r, i) {
  var a,
    o,
    s,
    c,
    l,
    d,
    f,
    p,
    h,
    g = n.length,
    _ = g,
    b = 0,
    S = 0,
    C = (e.__k = Array(i));
  for (a = 0; a < i; a++)
    (o = t[a]) != null && typeof o != `boolean` && typeof o != `function`
      ? (typeof o != `object` || o.constructor === String
          ? (o = C[a] = v(null, o))
          : m(o)
            ? (o = C[a] = v(y, { children: o }))
            : o.constructor === u && o.__b
              ? (o = C[a] = v(o.type, o.props, o.key, o.ref, o.__v))
              : (C[a] = o),
        (c = a + b),
        (o.__ = e),
        (o.__b = e.__b + 1),
        (s = null),
        ~(l = o.__i = O(o, n, c, _)) && (_--, (s = n[l]) && (s.__u |= 2)),
        s && s.__v
          ? ((o.__u |= 16),
            l == c - 1 ? b-- : l == c + 1 ? b++ : l != c && (l > c ? b-- : b++, (S = 1)))
          : (~l || (i > g ? b-- : i < g && b++), typeof o.type != `function` && (o.__u |= 4)))
      : (C[a] = null);
  if (S) {
    for (d = [], f = [], a = 0; a < i; a++)
      if ((o = C[a]) && 16 & o.__u) {
        for (b = 0, p = d.length; b < p; ) d[(h = (b + p) >> 1)] < o.__i ? (b = h + 1) : (p = h);
        (d[b] = o.__i), (f[a] = b + 1);
      }
    for (b = d.length; a--; ) f[a] && (f[a] == b ? b-- : (C[a].__u |= 4));
  }
  if (_) for (a = 0; a < g; a++) !(s = n[a]) || 2 & s.__u || (s.__e == r && (r = x(s)), I(s, s));
  return r;
}
function D(e, t, n, r) {
  var i, a, o, s;
  if (typeof e.type == `function`) {
    if (e.props.__P) return t;
    if ((i = e.__k))
      for (a = 0; a < i.length; a++) i[a] && ((i[a].__ = e), (t = D(i[a], t, n, !1)));
    return t;
  }
  for (
    t && !t.parentNode && (t = x(e)) && !t.parentNode && (t = null), o = e.__e, s = t;
    s && s.nodeType == 8;
  )
    s = s.nextSibling;
  for (
    o != s &&
      (!r && n.moveBefore && o.parentNode ? n.moveBefore(o, t) : n.insertBefore(o, t || null)),
      t = o;
    (t &&= t.nextSibling) && t.nodeType == 8 && !t.data.startsWith(`$s`);
  );
  return t;
}
function O(e, t, n, r) {
  var i,
    a = e.key,
    o = e.type,
    s = t[n],
    c = s && !(2 & s.__u);
  if ((s === null && a == null) || (c && a == s.key && o == s.type)) return n;
  if (r > +!!c) {
    for (i = n - 1; i >= 0; i--)
      if ((s = t[i]) && !(2 & s.__u) && a == s.key && o == s.type) return i;
    for (i = n + 1; i < t.length; i++)
      if ((s = t[i]) && !(2 & s.__u) && a == s.key && o == s.type) return i;
  }
  return -1;
}
function k(e, t, n) {
  (n ??= ``), t[0] == `-` ? e.setProperty(t, n) : (e[t] = n);
}
function A(e, t, n, r, i) {
  var a, o;
  if (t == `style`) {
    if (typeof n == `string`) e.style.cssText = n;
    else {
      if ((typeof r == `string` && (e.style.cssText = r = ``), r))
        for (t in r) (n && t in n) || k(e.style, t);
      if (n) for (t in n) (r && n[t] == r[t]) || k(e.style, t, n[t]);
    }
  } else if (t[0] == `o` && t[1] == `n`)
    typeof n != `function` && (n = null),
      typeof r != `function` && (r = null),
      ((e.__e ||= {})[t] = n),
      (n && r) ||
        ((o = l[t] || (l[t] = j(t))),
        ((e.__a ||= {})[t] = c),
        (a = t != (t = t.replace(s, `$1`))),
        (t = t.slice(2))[0] < `a` && (t = t.toLowerCase()),
        n ? e.addEventListener(t, o, a) : e.removeEventListener(t, o, a));
  else {
    if (i == `http://www.w3.org/2000/svg`) t = t.replace(/xlink(H|:h)/, `h`).replace(/sName$/, `s`);
    else if (
      t != `width` &&
      t != `height` &&
      t != `href` &&
      t != `list` &&
      t != `form` &&
      t != `tabIndex` &&
      t != `download` &&
      t != `rowSpan` &&
      t != `colSpan` &&
      t != `role` &&
      t != `popover` &&
      t in e
    )
      try {
        e[t] = n ?? ``;
        return;
      } catch {}
    if (typeof n == `function`) return;
    n == null || (!1 === n && t[4] != `-`)
      ? e.removeAttribute(t)
      : e.setAttribute(t, t == `popover` && n == 1 ? `` : n);
  }
}
function j(t) {
  return function (n) {
    var r = this.__e;
    if (r) {
      if (((r = r[t]), n[o] == null)) n[o] = c++;
      else if (n[o] < this.__a[t]) return;
      return r(e.event ? e.event(n) : n);
    }
  };
}
function M(t, n, r, i, a, o, s, c, l, d) {
  var p,
    h,
    v,
    S,
    C,
    w,
    T,
    E,
    D,
    O,
    k,
    A,
    j,
    M,
    P,
    F,
    L,
    R,
    z = n.type;
  if (n.constructor !== u) return null;
  128 & r.__u &&
    ((l = 32 & r.__u), (p = r.__c.__z)) &&
    ((n.__u |= l), (h = o = []), p.nodeType == 8 ? (c = N(p, o)) : o.push(p), (c = o[0] || c)),
    (p = e.__b) && p(n);
  n: if (typeof z == `function`) {
    v = s.length;
    try {
      if (
        ((E = n.props),
        (D = (p = z.prototype) && p.render),
        (O = (p = z.contextType) && i[p.__c]),
        (k = p ? (O ? O.props.value : p.__) : i),
        (S = r.__c)
          ? ((n.__c = S), 2 & S.__g && (S.__g |= 1))
          : (D
              ? (n.__c = S = new z(E, k))
              : ((n.__c = S = new b(E, k)), (S.constructor = z), (S.render = re)),
            O && O.sub(S),
            S.state || (S.state = {}),
            (S.__n = i),
            (S.__g |= 8),
            (S.__h = []),
            (S.__k = [])),
        D &&
          (S.__s || (S.__s = S.state),
          z.getDerivedStateFromProps &&
            (S.__s == S.state && (S.__s = g({}, S.__s)),
            g(S.__s, z.getDerivedStateFromProps(E, S.__s)))),
        (C = S.props),
        (w = S.state),
        (S.__v = n),
        r.__c)
      ) {
        if (
          (E !== C &&
            D &&
            !z.getDerivedStateFromProps &&
            S.componentWillReceiveProps &&
            S.componentWillReceiveProps(E, k),
          (n.__v == r.__v && !(8 & S.__g)) ||
            (!(4 & S.__g) &&
              S.shouldComponentUpdate &&
              !1 === S.shouldComponentUpdate(E, S.__s, k)))
        ) {
          n.__v != r.__v && ((S.props = E), (S.state = S.__s), (S.__g &= -9)),
            (n.__e = r.__e),
            (n.__k = r.__k),
            n.__k.some((e) => {
              e && (e.__ = n);
            }),
            f.push.apply(S.__h, S.__k),
            (S.__k = []),
            S.__h.length && s.push(S),
            (c = x(r));
          break n;
        }
        S.componentWillUpdate && S.componentWillUpdate(E, S.__s, k),
          D &&
            S.componentDidUpdate &&
            S.__h.push(() => {
              S.componentDidUpdate(C, w, T);
            });
      } else
        D && !z.getDerivedStateFromProps && S.componentWillMount && S.componentWillMount(),
          D && S.componentDidMount && S.__h.push(S.componentDidMount);
      (S.context = k), (S.props = E), (S.__P = t), (S.__g &= -5), (A = e.__r), (j = D ? 25 : 0);
      do (S.__g &= -9), A && A(n), (p = S.render(S.props, (S.state = S.__s), S.context));
      while (8 & S.__g && ++j < 25);
      D && (f.push.apply(S.__h, S.__k), (S.__k = [])),
        (S.state = S.__s),
        S.getChildContext && (i = g({}, i, S.getChildContext())),
        D && r.__c && S.getSnapshotBeforeUpdate && (T = S.getSnapshotBeforeUpdate(C, w)),
        (M = p && p.type === y && p.key == null ? p.props.children : p),
        E.__P &&
          ((p = c),
          (a = (t = E.__P).namespaceURI),
          (l = o = null),
          r.props &&
            r.props.__P != t &&
            (r.__k.some((e) => {
              e && I(e, e);
            }),
            (r.__k = null)),
          (c = r.__k ? x(r, 0) : null)),
        (c = ee(t, m(M) ? M : [M], n, r, i, a, o, s, c, l, d)),
        E.__P && ((n.__e = null), (c = p)),
        (n.__u &= -161),
        h && h.some(_),
        S.__h.length && s.push(S),
        1 & S.__g && (S.__g &= -4);
    } catch (t) {
      if (((s.length = v), (n.__v = null), l || o)) {
        if (t && t.then) {
          if (((n.__u |= 128 | l), o)) {
            for (
              ~(L = o.indexOf(c || void 0)) || (L = o.length);
              (R = o[L - 1]) && R.nodeType == 8;
            )
              L--;
            for (; L < o.length; L++)
              if ((R = o[L])) {
                if (((o[L] = null), P)) {
                  if (R == F) break;
                } else {
                  if (R.nodeType != 8) break;
                  R.data.startsWith(`$s`) && (F = N((P = R)));
                }
              }
          }
          if (!P) {
            for (; c && c.nodeType == 8 && c.nextSibling; ) c = c.nextSibling;
            P = c;
          }
          (p = N((P = n.__c.__z || (n.__c.__z = P)))) ? ((n.__e = P), (c = p)) : (n.__e = c),
            (c &&= c.nextSibling);
        } else o && o.some(_);
      } else n.__e = r.__e;
      (n.__k ||= r.__k || []), (t && t.then) || te(n), e.__e(t, n, r);
    }
  } else c = n.__e = ne(r.__e, n, r, i, a, o, s, l, d, t);
  return (p = e.diffed) && p(n), c;
}
function N(e, t) {
  if (e && e.nodeType == 8 && e.data.startsWith(`$s`))
    for (var n = 1; (e = e.nextSibling); ) {
      if (e.nodeType == 8) {
        if (e.data.startsWith(`$s`)) n++;
        else if (e.data.startsWith(`/$s`) && !--n) return e;
      }
      t && t.push(e);
    }
}
function te(e) {
  e && (e.__c && (e.__c.__g |= 4), e.__k && e.__k.some(te));
}
function P(t, n, r) {
  for (var i = 0; i < r.length; ) F(r[i++], r[i++], r[i++]);
  e.__c && e.__c(n, t),
    t.some((n) => {
      try {
        (t = n.__h),
          (n.__h = []),
          t.some((e) => {
            e.call(n);
          });
      } catch (t) {
        e.__e(t, n.__v);
      }
    });
}
function ne(t, n, r, i, a, o, s, c, l, u) {
  var f,
    g,
    v,
    y,
    b,
    S,
    C,
    w,
    T = r.props || d,
    E = n.props,
    D = n.type;
  if (
    (D == `svg`
      ? (a = `http://www.w3.org/2000/svg`)
      : D == `math`
        ? (a = `http://www.w3.org/1998/Math/MathML`)
        : (a ||= `http://www.w3.org/1999/xhtml`),
    o)
  ) {
    for (f = 0; f < o.length; f++)
      if ((b = o[f]) && (D ? b.localName == D : b.nodeType == 3)) {
        (t = b), (o[f] = null);
        break;
      }
  }
  if (!t) {
    if (((w = u.ownerDocument || document), !D)) return w.createTextNode(E);
    (t = w.createElementNS(a, D, E.is ? E : u)), (c &&= (e.__m && e.__m(n, o), !1)), (o = null);
  }
  if (D) {
    if (
      ((u = (D == `template` && t.content) || t),
      (o = D == `textarea` && E.defaultValue != null ? null : o && h.call(u.childNodes)),
      !c && o)
    )
      for (T = {}, f = 0; f < t.attributes.length; f++) T[(b = t.attributes[f]).name] = b.value;
    for (f in T)
      (b = T[f]),
        f == `dangerouslySetInnerHTML`
          ? (v = b)
          : f == `children` ||
            f in E ||
            (f == `value` && `defaultValue` in E) ||
            (f == `checked` && `defaultChecked` in E) ||
            A(t, f, null, b, a);
    for (f in E)
      (b = E[f]),
        f == `children`
          ? (y = b)
          : f == `dangerouslySetInnerHTML`
            ? (g = b)
            : f == `value`
              ? (S = b)
              : f == `checked`
                ? (C = b)
                : (c && typeof b != `function`) || T[f] === b || A(t, f, b, T[f], a);
    g
      ? (c || (v && (g.__html == v.__html || g.__html == t.innerHTML)) || (t.innerHTML = g.__html),
        (n.__k = []))
      : (v && (t.textContent = ``),
        (D == `foreignObject` || (a == `http://www.w3.org/1998/Math/MathML` && p.test(D))) &&
          (a = `http://www.w3.org/1999/xhtml`),
        ee(u, m(y) ? y : [y], n, r, i, a, o, s, o ? o[0] : r.__k && x(r, 0), c, l),
        o && o.some(_)),
      (c && D != `textarea`) ||
        ((f = `value`),
        D == `progress` && S == null
          ? t.removeAttribute(f)
          : S == null || (S === t[f] && (D != `progress` || S)) || A(t, f, S, T[f], a),
        (f = `checked`),
        C != null && C != t[f] && A(t, f, C, T[f], a));
  } else T === E || (c && t.data == E) || (t.data = E);
  return t;
}
function F(t, n, r, i) {
  try {
    typeof t == `function`
      ? n
        ? (n.__x = t(n) || 1)
        : (i &&= i.__c || i.__e) &&
          (n = i.__x) &&
          ((i.__x = null), typeof n == `function` ? n() : t(null))
      : (t.current = n);
  } catch (t) {
    e.__e(t, r);
  }
}
function I(t, n, r) {
  var i, a, o, s;
  if (
    (e.unmount && e.unmount(t),
    !(i = t.ref) || (i.current && i.current != t.__e) || F(i, null, n, t),
    (i = t.__c))
  ) {
    if (i.componentWillUnmount)
      try {
        i.componentWillUnmount();
      } catch (t) {
        e.__e(t, n);
      }
    i.__P = i.__n = null;
  }
  if ((i = t.__k))
    for (s = 0; s < i.length; s++)
      i[s] && I(i[s], n, typeof t.type != `function` || (r && !t.props.__P));
  !r && (i = t.__c) && (i = i.__z) && (a = N(i, (o = []))) && (i == t.__e && o.some(_), _(a), _(i)),
    r || _(t.__e),
    (t.__e = t.__c = t.__ = null);
}
function re(e, t, n) {
  return this.constructor(e, n);
}
function L(t, n) {
  var r, i, a, o;
  e.__ && e.__(t, n),
    n.nodeType == 9 && (n = n.documentElement),
    (i = (r = t && 32 & t.__u) ? null : n.__k),
    (n.__k = v(y, { children: [t] })),
    (a = []),
    (o = []),
    M(
      n,
      n.__k,
      i || d,
      d,
      n.namespaceURI,
      i ? null : n.firstChild ? h.call(n.childNodes) : null,
      a,
      i ? i.__e : n.firstChild,
      r,
      o,
    ),
    P(a, n.__k, o),
    (n.__k.props.children = null);
}
(e = {
  __e: (e, t, n, r) => {
    for (var a, o, s; (t = t.__); )
      if ((a = t.__c) && !(1 & a.__g)) {
        a.__g |= 4;
        try {
          if (
            ((s = (o = a.constructor) && o.getDerivedStateFromError) &&
              a.setState(o.getDerivedStateFromError(e)),
            a.componentDidCatch && (a.componentDidCatch(e, r || {}), (s = 1)),
            s && 8 & a.__g)
          )
            return void (a.__g |= 2);
        } catch (t) {
          e = t;
        }
      }
    throw ((i = 0), e);
  },
}),
  (t = 0),
  (b.prototype.setState = function (e, t) {
    var n = this.__s;
    (n && n != this.state) || (n = this.__s = g({}, this.state)),
      typeof e == `function` && (e = e(g({}, n), this.props)),
      e && (g(n, e), this.__v && (t && this.__k.push(t), w(this)));
  }),
  (b.prototype.forceUpdate = function (e) {
    this.__v && ((this.__g |= 4), e && this.__h.push(e), w(this));
  }),
  (b.prototype.render = y),
  (n = []),
  (i = 0),
  (a = (e, t) => e.__v.__b - t.__v.__b),
  (o = Symbol()),
  (s = /(PointerCapture)$|Capture$/i),
  (c = 0),
  (l = {});
var R,
  z,
  ie,
  ae,
  oe = Object.is,
  B = 0,
  se = [],
  V = [],
  H = e,
  ce = H.__b,
  le = H.__r,
  ue = H.diffed,
  de = H.__c,
  fe = H.unmount,
  pe = H.__;
function U(e, t) {
  H.__h && H.__h(z, e, B || t), (B = 0);
  var n = z.__H || (z.__H = { __: [], __h: [] });
  return e >= n.__.length && n.__.push({}), n.__[e];
}
function W(e) {
  return (B = 1), me(Te, e);
}
function me(e, t, n) {
  var r = U(R++, 2);
  if (
    ((r.t = e),
    !r.__c &&
      ((r.__ = [
        n ? n(t) : Te(void 0, t),
        (e) => {
          var t = (r.__N || r.__)[0],
            n = r.t(t, e);
          oe(t, n) || ((r.__N = [n, r.__[1]]), r.__c.setState({}));
        },
      ]),
      (r.__c = z),
      !z.__f))
  ) {
    z.__f = !0;
    var i = z.shouldComponentUpdate;
    z.shouldComponentUpdate = function (e, t, n) {
      var r = this.__H;
      if (!r) return !0;
      var a = !1,
        o = this.props != e;
      if (
        (r.__.some((e) => {
          e.__N && ((a = !0), oe(e.__[0], e.__N[0]) || (o = !0));
        }),
        i)
      ) {
        var s = i.call(this, e, t, n);
        return a ? s || o : s;
      }
      return !a || o;
    };
  }
  return r.__;
}
function G(e, t) {
  var n = U(R++, 3);
  !H.__s && we(n.__H, t) && ((n.__P = !0), (n.__ = e), (n.u = t), z.__H.__h.push(n));
}
function he(e, t) {
  var n = U(R++, 4);
  !H.__s && we(n.__H, t) && ((n.__P = !1), (n.__ = e), (n.u = t), z.__h.push(n));
}
function ge(e) {
  return (B = 5), _e(() => ({ current: e }), []);
}
function _e(e, t) {
  var n = U(R++, 7);
  return we(n.__H, t) && ((n.__ = e()), (n.__H = t)), n.__;
}
function ve() {
  var e = U(R++, 11);
  if (!e.__) {
    for (var t = z.__v; !t.__m && t.__; ) t = t.__;
    var n = t.__m || (t.__m = [0, 0]);
    e.__ = `P` + n[0] + `-` + n[1]++;
  }
  return e.__;
}
function ye() {
  var e;
  do {
    for (; (e = V.shift()); )
      try {
        K(e);
      } catch (t) {
        H.__e(t, { __: (e = e.__P) && e.__v });
      }
    for (; (e = se.shift()); ) {
      var t = e.__H;
      if (e.__P && t)
        try {
          t.__h.some(K), t.__h.some(Ce), (t.__h = []);
        } catch (n) {
          (t.__h = []), H.__e(n, e.__v);
        }
    }
  } while (V.length);
}
(H.__b = (e) => {
  (z = null), ce && ce(e);
}),
  (H.__ = (e, t) => {
    e && t.__k && t.__k.__m && (e.__m = t.__k.__m), pe && pe(e, t);
  }),
  (H.__r = (e) => {
    le && le(e), (R = 0);
    var t = (z = e.__c).__H;
    t &&
      (ie == z ? (z.__h = []) : (t.__h.some(K), t.__h.some(Ce), (R = 0)),
      (t.__h = []),
      t.__.some((e) => {
        e.__N && (e.__ = e.__N), (e.u = e.__N = void 0);
      })),
      (ie = z);
  }),
  (H.diffed = (e) => {
    ue && ue(e);
    var t = e.__c;
    t &&
      t.__H &&
      (t.__H.__h.length && Se(se.push(t)),
      t.__H.__.some((e) => {
        e.u && (e.__H = e.u);
      })),
      (ie = z = null);
  }),
  (H.__c = (e, t) => {
    t.some((e) => {
      try {
        e.__h.some(K), (e.__h = e.__h.filter((e) => !e.__ || Ce(e)));
      } catch (t) {
        e.__h = [
          () => {
            throw t;
          },
        ];
      }
    }),
      de && de(e, t);
  }),
  (H.unmount = (e) => {
    fe && fe(e);
    var t,
      n,
      r = e.__c;
    r &&
      r.__H &&
      (r.__H.__.some((r) => {
        try {
          if (r.__P && r.__c) {
            if (n === void 0) {
              for (n = e.__; n && (!n.__c || !n.__c.__P); ) n = n.__;
              n &&= n.__c;
            }
            (r.__P = n), Se(V.push(r));
          } else K(r);
        } catch (e) {
          t = e;
        }
      }),
      (r.__H = void 0),
      t && H.__e(t, r.__v));
  });
var be = typeof requestAnimationFrame == `function`;
function xe(e) {
  var t,
    n = () => {
      clearTimeout(r), be && cancelAnimationFrame(t), setTimeout(e);
    },
    r = setTimeout(n, 35);
  be && (t = requestAnimationFrame(n));
}
function Se(e) {
  (e != 1 && ae == H.requestAnimationFrame) || ((ae = H.requestAnimationFrame) || xe)(ye);
}
function K(e) {
  var t = z,
    n = e.__c;
  typeof n == `function` && ((e.__c = void 0), n()), (z = t);
}
function Ce(e) {
  var t = z;
  (e.__c = e.__()), (z = t);
}
function we(e, t) {
  return !e || e.length != t.length || t.some((t, n) => !oe(t, e[n]));
}
function Te(e, t) {
  return typeof t == `function` ? t(e) : t;
}
var Ee = 100,
  q = { connection: `connecting`, machines: new Map() },
  De = [],
  Oe,
  ke = new Set();
function Ae() {
  return q;
}
function je(e) {
  q = { ...q, ...e };
  for (const e of [...ke]) e();
}
function Me(e) {
  De.push(e), `all` in e ? Ne() : (Oe ??= window.setTimeout(Ne, Ee));
}
function Ne() {
  clearTimeout(Oe), (Oe = void 0);
  let e = new Map(q.machines),
    { rack: t } = q;
  for (const n of De)
    if (`machine` in n) e.set(n.machine.name, n.machine);
    else if (`removed` in n) e.delete(n.removed);
    else if (`rack` in n) t = n.rack;
    else {
      e.clear();
      for (const t of n.all.machines) e.set(t.name, t);
      t = n.all.rack;
    }
  (De = []), je({ machines: e, ...(t && { rack: t }) });
}
function Pe(e) {
  return ke.add(e), () => void ke.delete(e);
}
function J(e) {
  const [t, n] = W(() => e(q));
  return (
    G(() => {
      const t = () => n(() => e(q));
      return t(), Pe(t);
    }, []),
    e(q) === t ? t : e(q)
  );
}
function Fe(e) {
  return e?.role === `operate` || e?.role === `admin`;
}
var Ie = {
    'machine-state': {
      machines: [`GET`, `/v1/machines`],
      machine: [`GET`, `/v1/machines/{name}`],
      rack: [`GET`, `/v1/rack`],
      changes: [`GET`, `/v1/changes`],
      history: [`GET`, `/v1/machines/{name}/history`],
      curves: [`GET`, `/v1/machines/{name}/curves`],
      sickest: [`GET`, `/v1/sickest`],
      log: [`GET`, `/v1/machines/{name}/log`],
      addNote: [`POST`, `/v1/notes`],
      order: [`POST`, `/v1/orders`],
      endOrder: [`DELETE`, `/v1/orders/{id}`],
      screen: [`POST`, `/v1/machines/{name}/screen`],
      clear: [`POST`, `/v1/machines/{name}/clear`],
      repair: [`POST`, `/v1/machines/{name}/repair`],
      reboot: [`POST`, `/v1/machines/{name}/reboot`],
      session: [`GET`, `/v1/session`],
      signIn: [`POST`, `/v1/session`],
      signOut: [`DELETE`, `/v1/session`],
      createLink: [`POST`, `/v1/console-links`],
      audit: [`GET`, `/v1/audit`],
    },
    desk: {
      racks: [`GET`, `/v1/racks`],
      signIn: [`POST`, `/v1/session`],
      audit: [`GET`, `/v1/audit`],
    },
    'alert-to-pubsub': {
      alerts: [`GET`, `/v1/alerts`],
      status: [`GET`, `/v1/status`],
      deadLetters: [`GET`, `/v1/dead-letters`],
      retryDeadLetters: [`POST`, `/v1/dead-letters/retry`],
      audit: [`GET`, `/v1/audit`],
    },
    'metadata-server': {
      clients: [`GET`, `/v1/clients`],
      identities: [`GET`, `/v1/identities`],
      audit: [`GET`, `/v1/audit`],
    },
    'power-cycle-daemon': {
      requestCycles: [`POST`, `/v1/power-cycles`],
      requestDeviceCycles: [`POST`, `/v1/own-devices/power-cycles`],
      cycles: [`GET`, `/v1/power-cycles`],
      cycle: [`GET`, `/v1/power-cycles/{id}`],
      cycleEvents: [`GET`, `/v1/power-cycles/events`],
      cancelCycle: [`DELETE`, `/v1/power-cycles/{id}`],
      switchOutlets: [`POST`, `/v1/outlets`],
      outlets: [`GET`, `/v1/outlets`],
      forgetOwed: [`DELETE`, `/v1/outlets/{outlet}/owed`],
      machines: [`GET`, `/v1/machines`],
      controllers: [`GET`, `/v1/controllers`],
      holds: [`GET`, `/v1/holds`],
      ownHolds: [`GET`, `/v1/own-holds`],
      hold: [`POST`, `/v1/holds`],
      release: [`DELETE`, `/v1/holds/{id}`],
      alerts: [`POST`, `/v1/alerts`],
      hostKeys: [`GET`, `/v1/host-keys`],
      forgetHostKey: [`DELETE`, `/v1/host-keys/{device}`],
      audit: [`GET`, `/v1/audit`],
    },
    'router-backup': {
      requestBackup: [`POST`, `/v1/backups`],
      backups: [`GET`, `/v1/backups`],
      backup: [`GET`, `/v1/backups/{id}`],
      devices: [`GET`, `/v1/devices`],
      device: [`GET`, `/v1/devices/{device}`],
      stations: [`GET`, `/v1/devices/{device}/stations`],
      versions: [`GET`, `/v1/devices/{device}/versions`],
      content: [`GET`, `/v1/devices/{device}/versions/{version}/content`],
      diff: [`GET`, `/v1/devices/{device}/diff`],
      transcript: [`GET`, `/v1/devices/{device}/transcript`],
      restoreSteps: [`GET`, `/v1/devices/{device}/versions/{version}/restore`],
      checkRestore: [`POST`, `/v1/devices/{device}/versions/{version}/check`],
      restore: [`POST`, `/v1/devices/{device}/versions/{version}/restore`],
      receiveHistory: [`POST`, `/v1/history/pieces`],
      restoreHistory: [`POST`, `/v1/history/restore`],
      acceptLoss: [`POST`, `/v1/history/accept`],
      hostKeys: [`GET`, `/v1/host-keys`],
      forgetHostKey: [`DELETE`, `/v1/host-keys/{device}`],
      audit: [`GET`, `/v1/audit`],
    },
  },
  Le =
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,
  Re = /\\(?:\\|u00([01][0-9a-f]|7f)|[bf])/g;
function ze(e) {
  return e
    .replace(Re, (e, t) =>
      e === `\\\\` ? e : `<U+${t ? `00${t.toUpperCase()}` : e === `\\b` ? `0008` : `000C`}>`,
    )
    .replace(Le, (e) => (e < ` ` ? e : Be(e)));
}
function Be(e) {
  return `<U+${e.codePointAt(0)?.toString(16).toUpperCase().padStart(4, `0`)}>`;
}
var Y = class extends Error {
    status;
    problem;
    constructor(e, t) {
      super(t.detail ?? t.title ?? `status ${e}`),
        (this.name = `CallFailed`),
        (this.status = e),
        (this.problem = t);
    }
  },
  Ve = 3e4;
async function He(e, t, n = {}) {
  const r = await (await Ue(e, t, n)).text();
  return r === `` ? void 0 : JSON.parse(ze(r));
}
async function Ue(
  e,
  t,
  { params: n = {}, query: r = {}, headers: i = {}, body: a, signal: o } = {},
  s = !1,
) {
  const [c, l] = Ie[e][t],
    u = e === `machine-state` || e === `desk` ? `.` : `./services/${e}`,
    d = l.replace(/\{(\w+)\}/g, (e, t) => encodeURIComponent(n[t] ?? ``)),
    f = new URLSearchParams();
  for (const [e, t] of Object.entries(r)) t !== void 0 && f.set(e, String(t));
  const p = [...(o ? [o] : []), ...(s ? [] : [AbortSignal.timeout(Ve)])],
    m = await fetch(`${u}${d}${f.size > 0 ? `?${f}` : ``}`, {
      method: c,
      headers: { ...i, ...(a !== void 0 && { 'content-type': `application/json` }) },
      ...(a !== void 0 && { body: JSON.stringify(a) }),
      signal: AbortSignal.any(p),
    }).catch((t) => {
      throw (
        (o?.throwIfAborted(),
        new Y(0, {
          detail:
            t instanceof DOMException && t.name === `TimeoutError`
              ? `${e} did not answer in time`
              : `the console’s service is not reachable`,
        }))
      );
    });
  if (!m.ok) throw new Y(m.status, await We(m));
  return m;
}
async function We(e) {
  try {
    return JSON.parse(ze(await e.text()));
  } catch {
    return { detail: `the answer is ${e.status}, and not from this service` };
  }
}
var Ge = Symbol.for(`pv`),
  Ke = 0;
Array.isArray;
function X(t, n, r, i, a, o) {
  n ||= {};
  var s,
    c,
    l = n;
  if (`ref` in l && typeof t != `function`)
    for (c in ((l = {}), n)) c == `ref` ? (s = n[c]) : (l[c] = n[c]);
  var u = {
    type: t,
    props: l,
    key: r,
    ref: s,
    __k: null,
    __: null,
    __b: 0,
    __e: null,
    __c: null,
    constructor: Ge,
    __v: --Ke,
    __i: -1,
    __u: 0,
  };
  return (a || o) && ((u.__source = a), (u.__self = o)), e.vnode && e.vnode(u), u;
}
function qe(e) {
  const [t = ``, n = ``] = e.replace(/^#\/?/, ``).split(`?`, 2),
    [r = ``, ...i] = t.split(`/`).map(Ze);
  return { view: r || `rack`, args: i, query: new URLSearchParams(n) };
}
function Je(e, t = [], n = {}) {
  const r = new URLSearchParams();
  for (const [e, t] of Object.entries(n)) t && r.set(e, t);
  return `#/${[e, ...t].map(encodeURIComponent).join(`/`)}${r.size > 0 ? `?${r}` : ``}`;
}
function Ye(e, t = !1) {
  t
    ? (history.replaceState(null, ``, e), dispatchEvent(new HashChangeEvent(`hashchange`)))
    : (location.hash = e);
}
function Xe() {
  const [e, t] = W(() => qe(location.hash));
  return (
    he(() => {
      const e = () => t(qe(location.hash));
      return addEventListener(`hashchange`, e), () => removeEventListener(`hashchange`, e);
    }, []),
    e
  );
}
function Ze(e) {
  try {
    return decodeURIComponent(e);
  } catch {
    return e;
  }
}
var Qe = 1e4;
function $e() {
  const [e, t] = W(Date.now);
  return (
    G(() => {
      const e = setInterval(() => t(Date.now()), Qe);
      return () => clearInterval(e);
    }, []),
    e
  );
}
function Z(e) {
  const t = Math.max(0, Math.round(e / 1e3));
  if (t < 60) return `${t} s`;
  const n = Math.round(t / 60);
  if (n < 60) return `${n} min`;
  const r = Math.round(n / 60);
  return r < 36 ? `${r} h` : `${Math.round(r / 24)} d`;
}
function et(e) {
  return Z(e).replace(` min`, `m`).replace(` `, ``);
}
function Q(e, t, n = !0) {
  const r = `${t} ${n}`,
    i = tt.get(r) ?? nt(t, n);
  return tt.set(r, i), i.format(new Date(e));
}
var tt = new Map();
function nt(e, t) {
  return new Intl.DateTimeFormat(`sv-SE`, {
    hour: `2-digit`,
    minute: `2-digit`,
    second: `2-digit`,
    hour12: !1,
    ...(t && { year: `numeric`, month: `2-digit`, day: `2-digit` }),
    ...(e && { timeZone: e }),
  });
}
function rt({ time: e, suffix: t = `` }) {
  const n = $e(),
    r = J(({ rack: e }) => e?.timezone);
  return e === void 0
    ? X(`span`, { class: `muted`, children: `–` })
    : X(`time`, {
        dateTime: e,
        onPointerEnter: ({ currentTarget: t }) => {
          t.title = `${Q(e, r)} ${r ?? ``}`;
        },
        children: [Z(n - Date.parse(e)), t],
      });
}
function it({ time: e }) {
  const t = J(({ rack: e }) => e?.timezone);
  return X(`time`, { dateTime: e, title: t ?? ``, children: Q(e, t) });
}
function at({ time: e }) {
  const t = $e(),
    n = J(({ rack: e }) => e?.timezone);
  if (e === void 0) return X(y, { children: `until somebody ends it` });
  const r = Date.parse(e) - t;
  return X(`time`, { dateTime: e, title: Q(e, n), children: r > 0 ? `for ${Z(r)} more` : `ended` });
}
var $ = [`auto`, `light`, `dark`],
  ot = `skolo-theme`;
function st(e = lt()) {
  e === `auto`
    ? delete document.documentElement.dataset.theme
    : (document.documentElement.dataset.theme = e);
}
function ct() {
  const [e, t] = W(lt);
  function n() {
    const n = $[($.indexOf(e) + 1) % $.length] ?? `auto`;
    localStorage.setItem(ot, n), st(n), t(n);
  }
  return [e, n];
}
function lt() {
  return $.find((e) => e === localStorage.getItem(ot)) ?? `auto`;
}
function ut(e, t, n) {
  const [r, i] = W({ key: t }),
    [a, o] = W(0);
  return (
    G(() => {
      let a = new AbortController(),
        o;
      async function s() {
        try {
          const n = document.hidden && r.value !== void 0 ? r.value : await e(a.signal);
          i({ key: t, value: n });
        } catch (e) {
          if (a.signal.aborted) return;
          i((n) => ({ ...(n.key === t ? n : { key: t }), error: ft(e) }));
        }
        n !== void 0 && !a.signal.aborted && (o = window.setTimeout(s, n));
      }
      return (
        s(),
        () => {
          a.abort(), clearTimeout(o);
        }
      );
    }, [t, a]),
    { ...(r.key === t ? r : {}), reload: () => o((e) => e + 1) }
  );
}
function dt() {
  const [e, t] = W();
  async function n(e) {
    t(void 0), await e().catch((e) => t(ft(e)));
  }
  return [e, n];
}
function ft(e) {
  return e instanceof Error ? e : Error(String(e));
}
function pt({ of: e, children: t }) {
  return X(y, {
    children: [
      e.error && X(mt, { error: e.error }),
      e.value === void 0
        ? !e.error && X(`p`, { class: `muted loading`, children: `Loading …` })
        : t(e.value),
    ],
  });
}
function mt({ error: e }) {
  return X(`p`, {
    class: `failure`,
    role: `alert`,
    children: e instanceof Y && e.status === 401 ? `Sign in to see this.` : e.message,
  });
}
function ht({ caption: e, head: t, children: n }) {
  return X(`section`, {
    class: `table`,
    tabIndex: 0,
    'aria-label': e,
    children: X(`table`, {
      children: [
        X(`thead`, {
          children: X(`tr`, { children: t.map((e) => X(`th`, { scope: `col`, children: e }, e)) }),
        }),
        X(`tbody`, { children: n }),
      ],
    }),
  });
}

export {
  _e as I,
  $e as h,
  Ae as E,
  at as d,
  b as z,
  ct as c,
  dt as a,
  et as p,
  Fe as D,
  ft as i,
  G as j,
  ge as P,
  He as S,
  he as M,
  ht as t,
  it as u,
  J as A,
  Je as _,
  je as k,
  L as R,
  Me as T,
  mt as n,
  Pe as O,
  pt as r,
  Q as f,
  qe as v,
  rt as l,
  st as s,
  Ue as C,
  ut as o,
  ve as N,
  W as F,
  X as b,
  Xe as y,
  Y as x,
  Ye as g,
  y as L,
  Z as m,
  ze as w,
};
