/**
 * Where the power-cycle daemon is found. It knows a machine by the address that it asks from. On a node of k3s, whatever is for
 * the daemon's port at the jumphost gets another address on its way: there it has a second port, which goes first.
 */
import { servicePorts } from '@skolo/rack/ports';

const ownPort = `${servicePorts['power-cycle-daemon'].port}`;

export class PowerCycleDaemon {
  private readonly known: () => string | undefined;
  private readonly port: number | undefined;
  private answered: string | undefined;

  /**
   * @param known what rack.yaml says
   * @param port the second one
   */
  constructor(known: () => string | undefined, port?: number) {
    this.known = known;
    this.port = port;
  }

  /** In the order in which they are tried. The second port is of the daemon's usual place only. */
  urls(): string[] {
    const url = this.known();
    if (url === undefined) return [];
    const other = new URL(url);
    if (this.port === undefined || other.port !== ownPort) return [url];
    other.port = `${this.port}`;
    return [other.href.replace(/\/+$/, ''), url];
  }

  /** The one that answered last; undefined: none is known. */
  url(): string | undefined {
    const urls = this.urls();
    return urls.find((url) => url === this.answered) ?? urls[0];
  }

  hasAnswered(url: string): void {
    this.answered = url;
  }
}
