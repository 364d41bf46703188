/** Decides who may call a route: the caller's identity from a rack token or Google ID token, its role, and `anonymousRead`. */
import type { IncomingMessage } from 'node:http';
import type { Right } from '@skolo/api/route';
import { errorText } from '@skolo/base';
import { secretPath } from '@skolo/base/secrets';
import { googleCertsUrl, verifyIdToken } from '@skolo/google';
import { type Access, jumphostHosts, type Rack, type Role } from '@skolo/rack';
import type { Registry } from 'prom-client';
import type { AuditLog } from '../audit/audit-log.ts';
import { cameThroughProxy, clientAddress, inNetworks } from '../connections/client-address.ts';
import type { DegradedList } from '../health/degraded.ts';
import { pathOf } from '../http/exchange.ts';
import { type HostCheck, hostCheck } from '../http/request/host-check.ts';
import type { Clock } from '../process/clock.ts';
import type { Logger } from '../process/log.ts';
import { GoogleKeys, NoGoogleKeys } from './google-keys.ts';
import { AccessRejected, type Known, type Reason, Rejections } from './rejections.ts';
import { type Rights, TokenFile } from './token-file.ts';

/** An authenticated caller. */
export interface Caller {
  /** The name of the token, the e-mail address, or `anonymous`. */
  name: string;
  role: Role;
  by: 'token' | 'google' | 'network' | 'signature';
  /** The token's machines, where its role alone would not suffice. */
  within?: readonly string[];
  /** `Content-Digest` of the body, as the caller has signed it. */
  digest?: string;
}

type Identified = Caller & { rights?: Rights };

const rank: Record<Role, number> = { view: 1, operate: 2, admin: 3 };

interface AccessDeps {
  /** The active rack, read at each request. */
  rack: { readonly rack: Rack };
  stateDir: string;
  metrics: Registry;
  clock: Clock;
  degraded: Pick<DegradedList, 'raise' | 'clear'>;
  audit: Pick<AuditLog, 'append'>;
}

/** Access control according to the `access` section of the active rack.yaml. */
export class AccessControl {
  private readonly deps: AccessDeps;
  private readonly rejections: Rejections;
  private readonly readers = new WeakMap<IncomingMessage, Error>();
  private tokenFile: { path: string; file: TokenFile } | undefined;
  private googleKeys: { certsUrl: string; keys: GoogleKeys } | undefined;
  private anonymous:
    | { rack: Rack; has: (address: string) => boolean; checkHost: HostCheck }
    | undefined;

  constructor(deps: AccessDeps) {
    this.deps = deps;
    this.rejections = new Rejections(deps);
  }

  /** Lets the request only read, whatever its token allows. @param why `admit` throws it if another role is required */
  onlyReads(request: IncomingMessage, why: Error): void {
    this.readers.set(request, why);
  }

  /**
   * Admits a caller with at least this role. Rejections of known callers are recorded in the audit log.
   *
   * @throws HttpProblem
   */
  async admit(
    request: IncomingMessage,
    role: Role,
    log: () => Logger,
    right?: Right,
  ): Promise<Caller> {
    const from = clientAddress(request);
    try {
      const { rights, ...caller } = await this.identify(request);
      const why = this.readers.get(request);
      const within = right && rights?.[right];
      if (within !== undefined && rank[caller.role] < rank[role] && why === undefined) {
        return { ...caller, within: within === true ? [] : within };
      }
      if (rank[caller.role] >= rank[role]) {
        if (why === undefined) return caller;
        if (role === 'view') return { ...caller, role };
        throw why;
      }
      throw new AccessRejected(
        {
          reason: 'role',
          ...(caller.by !== 'network' && { known: { who: caller.name, role: caller.role } }),
        },
        403,
        `${caller.name} has the ${caller.role} role, but this request requires the ${role} role; ask an admin of the rack for a token`,
        { headers: this.challenge(`error="insufficient_scope", scope="${role}"`) },
      );
    } catch (error) {
      if (error instanceof AccessRejected) {
        await this.rejections.record(error, `${request.method} ${pathOf(request)}`, from, log());
      }
      throw error;
    }
  }

  /**
   * The caller of a token that is not in a header of the request.
   *
   * @throws HttpProblem
   */
  async admitToken(token: string, from: string, log: Logger): Promise<Caller> {
    try {
      const { rights: _, ...caller } = await this.identifyByToken(token);
      return caller;
    } catch (error) {
      if (error instanceof AccessRejected) {
        await this.rejections.record(error, 'sign-in', from, log);
      }
      throw error;
    }
  }

  private async identify(request: IncomingMessage): Promise<Identified> {
    const [, token] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? [];
    return token === undefined
      ? this.identifyByNetwork(request, this.deps.rack.rack.access)
      : this.identifyByToken(token);
  }

  private async identifyByToken(token: string): Promise<Identified> {
    const { access } = this.deps.rack.rack;
    if (access.google !== undefined && token.startsWith('eyJ')) {
      return this.identifyByGoogle(token, access.google);
    }
    return this.identifyByTokenFile(token, access);
  }

  /** Only for requests without a token, because a wrong token must not seem to work. */
  private identifyByNetwork(
    request: IncomingMessage,
    { anonymousRead, tokens, google }: Access,
  ): Caller {
    const { rack } = this.deps.rack;
    if (this.anonymous?.rack !== rack) {
      const checkHost = hostCheck(jumphostHosts(rack));
      this.anonymous = { rack, has: inNetworks(anonymousRead), checkHost };
    }
    // Behind a proxy, every caller has the address of the proxy.
    if (!cameThroughProxy(request) && this.anonymous.has(clientAddress(request))) {
      // DNS rebinding: see host-check.ts.
      const foreignHost = this.anonymous.checkHost(request);
      if (foreignHost !== undefined) throw this.unauthorized('none', 'no token', foreignHost);
      return { name: 'anonymous', role: 'view', by: 'network' };
    }
    const how =
      tokens || google
        ? 'send a token: Authorization: Bearer TOKEN (`skolo token new` creates one)'
        : 'sign-in is not configured for this rack; add `access: { tokens: { file: … } }` to rack.yaml';
    throw this.unauthorized('none', 'no token', how);
  }

  private async identifyByTokenFile(token: string, { tokens }: Access): Promise<Identified> {
    const path = tokens && secretPath(this.deps.rack.rack, tokens.file);
    if (path === undefined) {
      throw this.unauthorized(
        'unknown',
        'unknown token',
        'rack.yaml does not specify a token file',
      );
    }
    if (this.tokenFile?.path !== path) this.tokenFile = { path, file: new TokenFile(path) };
    const found = await this.findToken(this.tokenFile.file, token);
    if (found === undefined) {
      throw this.unauthorized(
        'unknown',
        'unknown token',
        'the token does not exist or was revoked',
      );
    }
    if (found.expires.getTime() <= this.deps.clock.now()) {
      const hint = `token ${found.name} expired ${found.expires.toISOString()}; create another`;
      const known = { who: found.name, role: found.role };
      throw this.unauthorized('expired', 'expired', hint, known);
    }
    const { name, role, rights } = found;
    return { name, role, by: 'token', rights };
  }

  private async findToken(file: TokenFile, token: string) {
    try {
      const found = await file.find(token);
      this.deps.degraded.clear('token file');
      return found;
    } catch (cause) {
      const why = `${errorText(cause)}; tokens cannot be checked`;
      this.deps.degraded.raise('token file', why);
      const headers = { 'retry-after': '30' };
      throw new AccessRejected({ reason: 'unavailable' }, 503, why, { headers, cause });
    }
  }

  private async identifyByGoogle(
    token: string,
    google: NonNullable<Access['google']>,
  ): Promise<Caller> {
    const keys = this.keysOf(google.certsUrl ?? googleCertsUrl);
    const verdict = await verify(token, {
      audience: google.audience,
      now: this.deps.clock.now(),
      findKey: (id) => keys.find(id),
    });
    if ('wrong' in verdict) {
      const hint = `Google ID token: ${verdict.wrong}; ${remedyOf(verdict.wrong, google.audience)}`;
      if (verdict.wrong === 'expired') throw this.unauthorized('expired', 'expired', hint);
      throw this.unauthorized('google', 'unknown token', hint);
    }
    const email = verdict.email.toLowerCase();
    const listed = Object.entries(google.emails).find(([each]) => each.toLowerCase() === email);
    if (listed) return { name: email, role: listed[1], by: 'google' };
    throw new AccessRejected(
      { reason: 'role', known: { who: email } },
      403,
      `${email} has no role in this rack; ask an admin to add this address to access.google.emails`,
      { headers: this.challenge('error="insufficient_scope"') },
    );
  }

  private keysOf(certsUrl: string): GoogleKeys {
    if (this.googleKeys?.certsUrl !== certsUrl) {
      this.googleKeys = { certsUrl, keys: new GoogleKeys({ ...this.deps, certsUrl }) };
    }
    return this.googleKeys.keys;
  }

  private unauthorized(
    reason: Reason,
    description: string,
    hint: string,
    known?: Known,
  ): AccessRejected {
    // RFC 6750 has no error code for a missing token.
    const error = reason === 'none' ? '' : 'error="invalid_token", ';
    return new AccessRejected({ reason, known }, 401, `${description}: ${hint}`, {
      headers: this.challenge(`${error}error_description="${description}"`),
    });
  }

  private challenge(parameters: string): Record<string, string> {
    const { name } = this.deps.rack.rack;
    return { 'www-authenticate': `Bearer realm="${name}", ${parameters}` };
  }
}

function remedyOf(wrong: string, audience: string): string {
  if (wrong === 'not valid yet') return "check the jumphost's clock";
  if (wrong === 'e-mail not verified') return 'use an account with a verified e-mail address';
  return `request a new token for audience ${audience}`;
}

async function verify(...call: Parameters<typeof verifyIdToken>) {
  try {
    return await verifyIdToken(...call);
  } catch (cause) {
    if (!(cause instanceof NoGoogleKeys)) throw cause;
    throw new AccessRejected(
      { reason: 'unavailable' },
      503,
      "Google's keys cannot be fetched, so Google ID tokens cannot be verified; use a token for this rack (`skolo token new`)",
      { headers: { 'retry-after': '60' }, cause },
    );
  }
}
