/** A session's transcript: everything sent and received, except for the secrets of its login. */

/** One conversation with a device: a session, or a request and its response. */
export interface Talk {
  /** `shell` and `exec` are command lines, the latter in a channel for each command. */
  kind: 'shell' | 'exec' | 'http' | 'snmp';
  /** Set when it ends: of a command in its own channel, or of an HTTP response. */
  status?: number | undefined;
  /** Over TLS. */
  https?: boolean;
  /** Of an HTTP response. */
  headers?: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Receives everything in order. One character per byte, except for HTTP.
 *
 * @param talk the same object for everything in one conversation; absent for what is not recorded further, such as a plan
 */
export type OnTranscript = (from: 'us' | 'device', text: string, talk?: Talk) => void;

/** Of each transport. */
export interface Recorded {
  /**
   * Receives what is sent, before it is sent: if it throws, nothing is sent. Secrets of the login become `<secret>`. Command lines also
   * report the device's complete output as it arrives, one character per byte; files and streams only their size. HTTP reports the body
   * of each response, SNMP each variable as `OID|TAG|VALUE`, as snmpsim writes it.
   */
  onTranscript?: OnTranscript | undefined;
  /** Does not connect or send anything: `onTranscript` receives what would be sent, and each response is empty. */
  dry?: true | undefined;
  /** Answers requests of HTTP instead of the device: a recording does. */
  replay?: ((request: string) => Answered) | undefined;
}

interface Answered {
  status: number;
  body: string;
  headers: Readonly<Record<string, string>>;
}

/** Passes on the text. Also hides secrets that the device sends, however their bytes were split into packets. */
export class Transcript {
  private readonly onTranscript: OnTranscript;
  /** Longest first, because one may be part of another. */
  private readonly secrets: readonly string[];
  private held = '';
  private readonly talk: Talk;

  constructor(onTranscript: OnTranscript, secrets: readonly string[], kind: Talk['kind']) {
    this.talk = { kind };
    this.onTranscript = (from, text) => onTranscript(from, text, this.talk);
    this.secrets = secrets
      .filter((secret) => secret !== '')
      .map((secret) => Buffer.from(secret).toString('latin1'))
      .sort((a, b) => b.length - a.length);
  }

  say(text: string): void {
    this.end();
    this.onTranscript('us', this.without(text));
  }

  receive(text: string): void {
    const heard = this.without(this.held + text);
    const kept = this.beginOfSecret(heard);
    this.held = heard.slice(heard.length - kept);
    if (heard.length > kept) this.onTranscript('device', heard.slice(0, heard.length - kept));
  }

  /** Nothing more follows, or not immediately. @param status with which a command ended */
  end(status?: number): void {
    if (status !== undefined) this.talk.status = status;
    const { held } = this;
    this.held = '';
    if (held !== '') this.onTranscript('device', held);
  }

  private without(text: string): string {
    return this.secrets.reduce((rest, secret) => rest.replaceAll(secret, '<secret>'), text);
  }

  /** The number of trailing characters that the next ones may complete to a secret. */
  private beginOfSecret(text: string): number {
    const longest = Math.min(text.length, (this.secrets[0]?.length ?? 1) - 1);
    for (let length = longest; length > 0; length -= 1) {
      const end = text.slice(-length);
      if (this.secrets.some((secret) => secret.length > length && secret.startsWith(end))) {
        return length;
      }
    }
    return 0;
  }
}
