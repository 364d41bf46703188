/** A session's transcript: everything sent and received, except for the secrets of its login. */

/** Receives everything in order. One character per byte. */
export type OnTranscript = (from: 'us' | 'device', text: string) => void;

/** Of each transport. */
export interface Recorded {
  /**
   * Receives what is sent, before it is sent: if it throws, nothing is sent. Secrets of the login become `<secret>`. Command lines also
   * report the device's complete output as it arrives, one character per byte; files and streams only their size.
   */
  onTranscript?: OnTranscript | undefined;
  /** Does not connect or send anything: `onTranscript` receives what would be sent, and each response is empty. */
  dry?: true | undefined;
}

/** Passes on the text. Also hides secrets that the device sends, however their bytes were split into packets. */
export class Transcript {
  private readonly onTranscript: OnTranscript;
  /** Longest first, because one may be part of another. */
  private readonly secrets: readonly string[];
  private held = '';

  constructor(onTranscript: OnTranscript, secrets: readonly string[]) {
    this.onTranscript = onTranscript;
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

  /** Nothing more follows, or not immediately. */
  end(): void {
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
